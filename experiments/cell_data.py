"""The texts, vectors, losses and models that a cell's config names, each read or made when it is first asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from experiments import base_models, cell_labels, domains, embeddings, named_tasks
from gotd_jax.artifacts import fingerprint
from gotd_jax.data import choice_tasks, pools, tasks
from gotd_jax.data.choice_tasks import ChoiceItem, ChoiceTask
from gotd_jax.data.chunks import chunk
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.sampling import drawn
from gotd_jax.data.tasks import Task
from gotd_jax.data.tokens import count_tokens, load_tokenizer
from gotd_jax.evaluation import toxicity
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.models.loading import fingerprint_of
from gotd_jax.models.lookup import folder_of
from gotd_jax.pipeline import candidates
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.pipeline.losses import TargetLosses
from gotd_jax.pipeline.pool import Pool
from gotd_jax.pipeline.pre_finetuned import PreFinetuned
from gotd_jax.training.base_model import BaseModel
from gotd_jax.training.recipe import Recipe

T = TypeVar("T")


class Shared:
    """The inputs that the cells of a run share, each read once for all of them: tasks, pools, prompts, scorers."""

    def __init__(self):
        self._kept: dict[str, Any] = {}

    def once(self, key: Any, read: Callable[[], T]) -> T:
        """Returns the result of `read`, or that of the first call with an equal `key`; keys are JSON-like."""
        name = fingerprint(key)
        if name not in self._kept:
            self._kept[name] = read()
        return self._kept[name]


class CellData:
    """The inputs of one cell.

    Args:
      config: of the cell.
      workdir: where stages are kept.
      shared: inputs that the cells of the run share; none by default.
    """

    def __init__(self, config, workdir: Path, shared: Shared | None = None):
        self.config = config
        self.workdir = workdir
        self.shared = shared or Shared()

    @property
    def label(self) -> str:
        """The beginning of the names of the cell's folders."""
        return cell_labels.label(self.config)

    @functools.cached_property
    def task(self) -> Task:
        """The labelled task, its splits drawn by `task.seed`."""
        return named_tasks.drawn(self._whole_task, self.config)

    @property
    def test_split(self) -> Corpus:
        """The texts of the task's whole test split, however much of it is drawn."""
        return self._whole_task.test.corpus

    @functools.cached_property
    def target(self) -> Corpus:
        """The task's training texts in chunks."""
        return self.chunked(tasks.target_corpus(self.task))

    def chunked(self, texts: Corpus) -> Corpus:
        """Returns texts of a target as chunks of the pool's length, at most `target.most`."""
        config = self.config
        chunks = chunk(texts, config.pool.characters, short=config.target.short, long=config.target.long)
        most = config.target.most
        if most is None or len(chunks) <= most:
            return chunks
        return chunks.take(drawn(len(chunks), most, config.task.seed))

    def choice_task(self, name: str) -> ChoiceTask:
        """Returns the whole multiple-choice task called `name`, its target drawn by `task.seed`.

        Raises:
          ValueError: the task does not exist, or a packaged domain of the pool holds its texts.
        """
        pools.check_disjoint(name, self.config.pool.packaged)
        data_dir, seed = self.config.data_dir, self.config.task.seed
        load = functools.partial(choice_tasks.load, name, data_dir, seed=seed)
        return self.shared.once(["choices", name, data_dir, seed], load)

    def choice_items(self, name: str) -> tuple[ChoiceItem, ...]:
        """Returns the items of a multiple-choice task that are asked, drawn to `choices.most` by `choices.seed`."""
        return self.choice_task(name).draw(self.config.choices.most, self.config.choices.seed).items

    def scorer(self, name: str) -> Scorer:
        """Returns the scorer of toxicity called `name`."""
        return self.shared.once(["scorer", name], functools.partial(toxicity.load, name))

    @property
    def pool(self) -> Corpus:
        """The candidate pool, before any chunk is refused."""
        whole, share = self.whole_pool, self.config.pool.share
        return whole if share == 1 else whole.take(drawn(len(whole), round(share * len(whole)), self.config.seed))

    @property
    def whole_pool(self) -> Corpus:
        """The pool of which `config.pool.share` is drawn."""
        return self._pool.corpus

    @property
    def pool_contents(self) -> list[dict]:
        """The contents of the pool, a dict for each domain."""
        return self._pool.contents

    def without(self, pool: Corpus, tested: Corpus) -> Corpus:
        """Returns the chunks of `pool` that hold no text of `tested`, of near duplicates as many as the config has."""
        return self._candidates(pool, tested).corpus

    def left_out(self, pool: Corpus, tested: Corpus) -> dict[str, int]:
        """Returns how many texts are tested on, and how many chunks of `pool` hold text of them."""
        leaking = self._candidates(pool, tested).counts["leaking"]
        return {"tested_texts": len(tested), "left_out_for_tested_text": leaking}

    def _candidates(self, pool: Corpus, tested: Corpus) -> candidates.Candidates:
        alike = {"similarity": self.config.pool.near_duplicates, "most_alike": self.config.pool.most_alike}
        return candidates.find(pool, tested, self.workdir, **alike)

    @functools.cached_property
    def embedder(self) -> Embedder:
        """The encoder, fine-tuned on the task first where the config asks for that."""
        return embeddings.embedder(self.config, self.workdir, self._encoder_task)

    def embedded(self, corpus: Corpus) -> np.ndarray:
        """Returns the embeddings of `corpus`, float32 or float16 [n, d], memory-mapped; those that need no pool."""
        return self.embedder.of(corpus)

    @functools.cached_property
    def encoder_settings(self) -> dict:
        """The settings that embeddings depend on besides the texts."""
        return embeddings.settings(self.config, self._encoder_task)

    @functools.cached_property
    def base_model(self) -> BaseModel:
        """The model as every training of the cell begins with it."""
        config, head = self.config, Recipe(**self.config.head.recipe)
        return BaseModel(self.model, head, config.head.chunks, config.pool.seed, config.compute_dtype)

    @functools.cached_property
    def model(self) -> str | Path:
        """The model that is pre-fine-tuned: the config's, or the base that is pre-trained here first, once."""
        if not self.config.base.mixture:
            return self.config.model
        return base_models.folder(self.config, self.base_documents, self.workdir)

    @functools.cached_property
    def base_documents(self) -> Corpus:
        """The documents that the base is pre-trained on."""
        config = self.config
        key = ["base", str(self.workdir), config.base.to_dict(), base_models.pool_settings(config)]
        return self.shared.once(key, functools.partial(base_models.documents, config, self.read_pool))

    def tokens_of(self, corpus: Corpus) -> np.ndarray:
        """Returns the tokens of every text that a model trained on `corpus` reads, its end among them, int64 [n]."""
        count = functools.partial(count_tokens, load_tokenizer(folder_of(self.model)), corpus)
        return self.shared.once(["tokens", fingerprint_of(self.model), corpus.fingerprint], count) + 1

    @functools.cached_property
    def losses(self) -> TargetLosses:
        """The losses before and after training on a target, by the task's seed: one pair of models serves all cells."""
        recipe = Recipe(**self.config.target_model)
        return TargetLosses(self.base_model, recipe, self.config.task.seed, self.workdir)

    def pre_finetuned(self, chosen: Corpus, pool: Corpus) -> PreFinetuned:
        """Returns the model trained on `chosen`; a head that it lacks is trained on `pool` first."""
        return PreFinetuned(self.base_model, chosen, pool, Recipe(**self.config.pre_finetune), self.config.seed)

    @functools.cached_property
    def _whole_task(self) -> Task:
        return self.shared.once(["task", named_tasks.source(self.config)], functools.partial(named_tasks.read, self.config))

    @property
    def _encoder_task(self) -> Task | None:
        return self.task if self.config.embed.finetuned else None

    @functools.cached_property
    def _pool(self) -> Pool:
        return self.read_pool(self.config.pool.to_dict())

    def read_pool(self, settings: Mapping) -> Pool:
        """Returns the pool of some settings, as `config.pool` has them."""
        identity = ["pool", str(self.workdir), {key: settings[key] for key in settings.keys() - {"relevance", "share"}}]
        return self.shared.once(identity, functools.partial(domains.read, settings, self.workdir))
