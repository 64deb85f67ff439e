"""`Ending`: the problem that a cell's method is given, and the scores of its selection."""

from __future__ import annotations

import abc
import dataclasses
import functools
from pathlib import Path
from typing import ClassVar

import numpy as np

from experiments import named_tasks, relevance
from experiments.cell_data import CellData
from experiments.relevance import DomainRelevance
from gotd_jax.data import pools
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.sampling import drawn
from gotd_jax.evaluation.held_out_loss import held_out_loss
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.evaluation.toxicity import kept_scores
from gotd_jax.methods import METHODS, Problem
from gotd_jax.models.loading import load_language_model
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.training.recipe import Recipe

ENCODER, CAUSAL, ANY = "encoder", "causal language model", "language model"


@dataclasses.dataclass(frozen=True, eq=False)
class ProblemTexts:
    """The texts of a problem, before the domain relevance test.

    Attributes:
      pool: the candidate pool, with the chunks that no method may choose.
      tested: texts that the scores are made on.
      candidates: the chunks of the pool that hold no tested text.
      target: the target set.
      away: texts to move away from; None where there are none.
      chooser: scorer of the candidates' toxicity; None where there is none.
      reference: texts of the kind that the model was pre-trained on; None where the pool stands for them.
    """

    pool: Corpus
    tested: Corpus
    candidates: Corpus
    target: Corpus
    away: Corpus | None = None
    chooser: Scorer | None = None
    reference: Corpus | None = None


class Ending(abc.ABC):
    """How a cell ends. Its inputs are read when they are first asked for, and kept.

    Args:
      data: of the cell.

    Attributes:
      trains: the kind of model that is pre-fine-tuned on the selection and then scored; None: the selection itself is scored.
      takes_domains: whether texts of the pool's own domains can be its target, which have no labels.

    Raises:
      ValueError: the config's fields contradict each other.
    """

    trains: ClassVar[str | None]
    takes_domains: ClassVar[bool] = False

    def __init__(self, data: CellData):
        self.data = data
        self.config = data.config

    @property
    @abc.abstractmethod
    def texts(self) -> ProblemTexts:
        """The texts of the problem.

        Raises:
          ValueError: one of the texts cannot be read, or they do not fit together.
        """

    @functools.cached_property
    def relevance(self) -> DomainRelevance | None:
        """The test that leaves the method the closest domains alone; None where the config asks for none."""
        if not relevance.applies(self.config):
            return None
        data, texts, config = self.data, self.texts, self.config
        few = texts.candidates.take(drawn(len(texts.candidates), config.pool.relevance.sample, config.pool.seed))
        embed = data.embedder.relative_to(few).of  # no more of a large pool is embedded than the test reads
        return DomainRelevance(texts.candidates, texts.target, embed, data.encoder_settings, config, data.workdir)

    @functools.cached_property
    def pool(self) -> Corpus:
        """The candidates that the method is given."""
        return self.relevance.closest() if self.relevance else self.texts.candidates

    @functools.cached_property
    def embedder(self) -> Embedder:
        """The encoder, for vectors that are compared with the candidates'."""
        return self.data.embedder.relative_to(self.pool)

    @functools.cached_property
    def problem(self) -> Problem:
        """The problem that the method is given."""
        data, texts, pool, toxicity = self.data, self.texts, self.pool, None
        if texts.chooser:
            toxicity = functools.partial(kept_scores, pool, texts.chooser, data.workdir / "toxicity")
        losses = functools.partial(data.losses.before_and_after, pool, texts.target, self.config.task.name)
        home = tuple(self.config.task.home)
        given = {"away": texts.away, "reference": texts.reference, "home": home}
        return Problem(pool, texts.target, self._embed, toxicity=toxicity, losses=losses, **given)

    def _embed(self, corpus: Corpus) -> np.ndarray:
        """Returns the vectors of a corpus; of a draw of the pool those of the whole, made once for the draws of all seeds."""
        whole = self.data.whole_pool if self.config.pool.share < 1 else None
        rows = None if whole is None else corpus.rows_in(whole)
        return self.embedder.of(corpus) if rows is None else self.embedder.of(whole)[rows]

    def loss_before_labels(self, made: Path, tested: Corpus) -> dict | None:
        """Returns the loss, between the two stages, on texts that are tested on: what the first stage alone taught.

        Args:
          made: the folder of the pre-fine-tuned model, or of the one that nothing was chosen for.
          tested: of which `config.target_loss` are read; None is returned where that is 0.
        """
        data, count = self.data, self.config.target_loss
        if not count:
            return None
        if METHODS[self.config.method].selects:
            model = load_language_model(made, compute_dtype=self.config.compute_dtype)
        else:
            model = data.base_model.load(self.texts.candidates, data.workdir)  # with the head that all others began with
        texts = tested.take(drawn(len(tested), count, self.config.task.seed))
        length = Recipe(**self.config.pre_finetune).max_length
        found = held_out_loss(model, texts, max_length=min(length, model.config.max_length), seed=self.config.task.seed)
        return {"bits_per_byte": found.per_byte(), "texts": len(texts)}

    @abc.abstractmethod
    def settings(self) -> dict:
        """Returns the settings that the scores depend on besides the model or the selection, JSON-like."""

    @abc.abstractmethod
    def score(self, made: Path, folder: Path) -> None:
        """Writes `scores.json` into `folder`.

        Args:
          made: the folder of the pre-fine-tuned model, or of the selection where no model is trained.
          folder: of the cell's scores.
        """

    @abc.abstractmethod
    def row(self, scores: dict) -> dict:
        """Returns the part of a row of results about the scores, the content of `scores.json`."""


class OfTask(Ending):
    """How a cell of a labelled task ends: the task's training texts are the target, its test split is tested on."""

    @functools.cached_property
    def texts(self) -> ProblemTexts:
        """The task's training texts for a target, and its test split."""
        return task_texts(self.data)


def problem_texts(data: CellData, *, target: Corpus, tested: Corpus, pool: Corpus) -> ProblemTexts:
    """Returns the texts of a problem whose candidates are the chunks of `pool` that hold no text of `tested`."""
    return ProblemTexts(pool, tested, data.without(pool, tested), target)


def task_texts(data: CellData) -> ProblemTexts:
    """Returns the texts of the problem of a labelled task: its training texts are the target.

    Raises:
      ValueError: a packaged domain of the pool holds the task's texts, or one of the two cannot be read.
    """
    name = data.config.task.name
    if named_tasks.is_packaged(name, data.config.data_dir):
        pools.check_disjoint(name, data.config.pool.packaged)
    return problem_texts(data, target=data.target, tested=data.test_split, pool=data.pool)
