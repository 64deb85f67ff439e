"""The ending of a cell that asks what the first stage taught: the model's loss on held-out text of the target's domains."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from experiments import base_models, domains
from experiments.endings.ending import ANY, Ending, ProblemTexts, problem_texts
from gotd_jax import methods, models
from gotd_jax.data.chunks import chunk
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.sampling import drawn
from gotd_jax.evaluation.held_out_loss import HeldOutLoss, held_out_loss
from gotd_jax.files import write_json
from gotd_jax.methods.domains import rows_by_domain
from gotd_jax.report import score_columns
from gotd_jax.training.recipe import Recipe

T = TypeVar("T")


class LossOnDomains(Ending):
    """The pre-fine-tuned model's loss on documents of the target's domains that nothing else reads, in bits per byte.

    Pool, target, what is measured on and what the base was pre-trained on are parts of the documents of the same domains, told
    apart by content. All are drawn anew by each seed, but the base.
    """

    trains = ANY
    takes_domains = True

    def __init__(self, data):
        super().__init__(data)
        _check(self.config)

    @functools.cached_property
    def texts(self) -> ProblemTexts:
        """The pool, a target of other documents, and what is measured on, which no candidate may hold."""
        return self._once("texts", self._read_texts)

    @functools.cached_property
    def measured(self) -> Corpus:
        """Chunks of the target's domains to measure on."""
        loss = self.config.loss
        return self._once("measured", lambda: self._drawn(loss.documents, self._shares, loss.target, "loss.target"))

    @functools.cached_property
    def remembered(self) -> Corpus:
        """Chunks of the mixture that the base was pre-trained on, to measure what it forgets; none without a base."""
        loss, mixture = self.config.loss, self.config.base.mixture.to_dict()
        return self._once("remembered", lambda: self._drawn(loss.documents, mixture, loss.pre_training, "loss.pre_training"))

    @functools.cached_property
    def tested(self) -> Corpus:
        """All chunks that are measured on."""
        return Corpus.concatenate([self.measured, self.remembered])

    def _read_texts(self) -> ProblemTexts:
        config, data = self.config, self.data
        target = data.without(self._drawn(config.target.documents, self._shares, config.target.most, "target"), self.tested)
        texts = problem_texts(data, target=target, tested=self.tested, pool=data.pool)
        return dataclasses.replace(texts, reference=self._reference(texts.candidates))

    def _reference(self, candidates: Corpus) -> Corpus | None:
        """Returns chunks that stand for what the base was pre-trained on, drawn by the task's seed; None where the pool does.

        They are of what it read, or, as where nobody knows that, candidates drawn in proportion to exp(-loss), of the base's
        mean loss per token in standard deviations over the candidates.
        """
        count, seed = self.config.base.reference, self.config.task.seed
        if not count or not self.config.base.mixture:
            return None
        if self.config.base.reference_from == "pool":
            losses = self.data.losses.before(candidates)
            return candidates.take(methods.problem.drawn(losses / losses.std(), count, seed=seed))
        documents = self.data.base_documents
        few = documents.take(drawn(len(documents), count, seed))
        chunks = chunk(few, self.config.pool.characters, short=self.config.pool.short, long=self.config.pool.long)
        return chunks.take(drawn(len(chunks), count, seed))

    def _once(self, name: str, read: Callable[[], T]) -> T:
        """Returns the result of `read`, or that of another cell with the same texts, whatever its method."""
        config = self.config
        parts = [config[part].to_dict() for part in ("pool", "target", "loss", "base")]
        return self.data.shared.once([name, str(self.data.workdir), config.seed, config.task.seed, parts], read)

    def settings(self) -> dict:
        """Returns the settings that the scores depend on besides the model."""
        return {
            "evaluation": "loss",
            "measured": self.measured.fingerprint_with_domains,
            "pre_training": self.remembered.fingerprint_with_domains,
            "max_length": self._length,
            "seed": self.config.task.seed,
        }

    def score(self, made: Path, folder: Path) -> None:
        """Measures the model in `made`; leaves every chunk's bits and bytes, and `scores.json`, in `folder`."""
        model = models.load_language_model(made, compute_dtype=self.config.compute_dtype)
        found = held_out_loss(model, self.tested, max_length=self._length, seed=self.config.task.seed)
        np.savez(folder / "chunks.npz", ids=np.array(self.tested.ids), bits=found.bits, bytes=found.bytes)
        count = len(self.measured)
        scores = {"target": _described(found, slice(0, count)), "by_domain": {}, "pre_training": None}
        for name, rows in rows_by_domain(self.measured).items():
            scores["by_domain"][name] = _described(found, rows)
        if len(self.remembered):
            scores["pre_training"] = _described(found, slice(count, None))
        write_json(folder / "scores.json", scores)

    def row(self, scores: dict) -> dict:
        """Returns the part of a row about the losses."""
        return {"task": self.config.task.name, "measures": score_columns.of_losses(self.config.task.name, scores)}

    @property
    def _length(self) -> int:
        return Recipe(**self.config.pre_finetune).max_length

    @property
    def _shares(self) -> dict[str, float]:
        """The share of each of the target's domains."""
        names, shares = self.config.target.domains, self.config.target.shares
        return dict(zip(names, shares or len(names) * (1 / len(names),)))

    def _drawn(self, documents: tuple, shares: dict[str, float], count: int, field: str) -> Corpus:
        """Returns `count` chunks of a part of some domains' documents, drawn by the task's seed; none holds text of the base's.

        Raises:
          ValueError: a domain has too few.
        """
        if not shares:
            return Corpus.from_records([])
        settings = domains.part(self.config.pool.to_dict(), shares, documents, seed=0)
        corpus, seed = self.data.read_pool(settings).corpus, self.config.task.seed
        if self.config.base.mixture:
            corpus = self.data.without(corpus, self.data.base_documents)
        parts = []
        for name, rows in rows_by_domain(corpus).items():
            wanted = round(count * shares[name])
            if len(rows) < wanted:
                raise ValueError(
                    f"config.{field} takes {wanted:,} chunks of the domain {name}, and the part of its documents from "
                    f"{documents[0]} to {documents[1]} has {len(rows):,}. Lower it, or widen the part."
                )
            parts.append(rows[drawn(len(rows), wanted, seed)])
        return corpus.take(np.sort(np.concatenate(parts)))


def _described(found: HeldOutLoss, rows: np.ndarray | slice) -> dict:
    return {
        "bits_per_byte": found.per_byte(rows),
        "bytes": int(found.bytes[rows].sum()),
        "chunks": len(found.bytes[rows]),
    }


def _check(config) -> None:
    if not config.target.domains:
        raise ValueError("The evaluation loss measures on text of the target's domains. Name some: --config.target.domains.")
    if config.target.shares and len(config.target.shares) != len(config.target.domains):
        raise ValueError(
            f"config.target has {len(config.target.domains)} domains and {len(config.target.shares)} shares. Give one each."
        )
    if config.target.shares and abs(sum(config.target.shares) - 1) > 1e-6:
        raise ValueError(f"config.target.shares sum to {sum(config.target.shares):g}. They must sum to 1.")
    if config.embed.finetuned:
        raise ValueError("A target of domains has no labels to fine-tune the encoder on. Set --config.embed.finetuned=False.")
    if config.base.reference_from not in ("read", "pool"):
        raise ValueError(f"config.base.reference_from is {config.base.reference_from!r}. It can be: read, pool.")
    base_models.check(config)
