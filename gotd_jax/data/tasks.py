"""Tasks: labelled examples, their splits, their classes and the metrics they are scored by."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Sequence

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.fields import listed

METRICS = {"classification": ("accuracy", "macro_f1"), "regression": ("pearson", "spearman")}


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """Texts with labels: label i belongs to row i of the corpus.

    Attributes:
      corpus: the texts, `n` rows.
      labels: int32 [n], positions in the task's classes, or float32 [n] for regression.
    """

    corpus: Corpus
    labels: np.ndarray

    def __post_init__(self):
        if self.labels.dtype not in (np.int32, np.float32) or self.labels.ndim != 1:
            raise ValueError(
                f"Labels are {self.labels.dtype} {list(self.labels.shape)}. "
                "Give int32 [n], positions in the classes, or float32 [n]."
            )
        if len(self.corpus) != len(self.labels):
            raise ValueError(f"There are {len(self.corpus):,} texts and {len(self.labels):,} labels. Give one label a text.")

    def __len__(self) -> int:
        return len(self.labels)

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hex digits over all ids, texts, pairs and labels, in order."""
        digest = hashlib.sha256(self.corpus.fingerprint.encode())
        digest.update(self.labels.dtype.str.encode())
        digest.update(np.ascontiguousarray(self.labels))
        return digest.hexdigest()[:16]

    def take(self, rows: Sequence[int] | np.ndarray) -> Examples:
        """Returns the examples at the positions `rows`, in that order."""
        return Examples(self.corpus.take(rows), self.labels[np.asarray(rows, np.int64)])


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """A target with labels, splits and metrics.

    Attributes:
      name: as the tables print it.
      kind: 'classification' or 'regression'.
      classes: the names of the classes, in the order of the logits; () for regression.
      metrics: names in `gotd_jax.evaluation.metrics.METRICS`; tables show the first.
      train: the labelled training examples; without labels their texts are the target of the selection.
      validation: examples by which epochs are chosen; None where the task has no validation split.
      test: examples that are scored.
      test_split: which published split `test` is: 'test', 'dev' (GLUE keeps the labels of its test sets), ...
    """

    name: str
    kind: str
    classes: tuple[str, ...]
    metrics: tuple[str, ...]
    train: Examples
    validation: Examples | None
    test: Examples
    test_split: str = "test"

    def __post_init__(self):
        check_kind(self.kind)
        few = len(set(self.classes)) < 2 or len(set(self.classes)) < len(self.classes)
        if self.kind == "classification" and few:
            raise ValueError(f"{self.name} has the classes {listed(self.classes)}. Give two or more, each once.")
        if self.kind == "regression" and self.classes:
            raise ValueError(f"{self.name} is a regression and has the classes {listed(self.classes)}. Give ().")
        if not self.metrics:
            raise ValueError(f"{self.name} has no metric. Name at least one, the table's first.")
        for split, examples in (("train", self.train), ("validation", self.validation), ("test", self.test)):
            if examples is not None:
                self._check(split, examples)

    @property
    def outputs(self) -> int:
        """The number of logits: one a class, or 1 for regression."""
        return len(self.classes) or 1

    def _check(self, split: str, examples: Examples) -> None:
        if not len(examples):
            raise ValueError(f"The {split} split of {self.name} is empty. Give it examples.")
        labels = examples.labels
        if (labels.dtype == np.int32) != (self.kind == "classification"):
            raise ValueError(
                f"The {split} labels of {self.name}, a {self.kind}, are {labels.dtype}. int32 is for classes alone."
            )
        wrong = ~np.isfinite(labels) if self.kind == "regression" else (labels < 0) | (labels >= len(self.classes))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            allowed = (
                f"its classes are 0 to {self.outputs - 1}: {listed(self.classes)}"
                if self.classes
                else "labels are finite numbers"
            )
            raise ValueError(
                f"Row {row} of the {split} split of {self.name} has the label {labels[row]}; {allowed}. Correct the labels."
            )


def draw(examples: Examples, n: int | None, seed: int) -> Examples:
    """Returns `n` of the examples, drawn by `seed`, in their order; all of them if `n` is None or as many or more.

    Classes keep their shares as nearly as whole numbers can (seats by Sainte-Laguë's divisors), and a draw holds every
    smaller draw of the same seed.

    Raises:
      ValueError: `n` is below 1.
    """
    if n is not None and n < 1:
        raise ValueError(f"{n} examples were asked for. Ask for 1 or more, or None for all.")
    if n is None or n >= len(examples):
        return examples
    return examples.take(np.sort(_drawing_order(examples.labels, seed)[:n]))


def hold_out(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """Returns (a training split, a validation split drawn by `seed` as in `draw`), both in their order.

    Args:
      examples: of a task without a validation split.
      share: of the examples, above 0 and below 1, that goes to validation.
      seed: of the draw.

    Raises:
      ValueError: `share` leaves one of the splits without an example.
    """
    held = round(share * len(examples))
    if not 0 < held < len(examples):
        raise ValueError(
            f"A share of {share} holds out {held:,} of {len(examples):,} examples. Choose a share that leaves both some."
        )
    order = _drawing_order(examples.labels, seed)
    return examples.take(np.sort(order[held:])), examples.take(np.sort(order[:held]))


def target_corpus(task: Task) -> Corpus:
    """Returns the texts of the training examples, without their labels: the target of a selection."""
    return task.train.corpus


def check_kind(kind: str) -> None:
    """Raises ValueError unless `kind` is a kind of task."""
    if kind not in METRICS:
        raise ValueError(f"kind is {kind!r}. A task is a {' or a '.join(METRICS)}.")


def _drawing_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """Returns all rows, ordered so that any first part of them is a stratified draw, int64 [n]."""
    order = np.random.default_rng(seed).permutation(len(labels))
    if labels.dtype == np.float32:
        return order
    ranks = np.empty(len(labels))
    for label in np.unique(labels):
        places = np.flatnonzero(labels[order] == label)
        ranks[places] = (np.arange(len(places)) + 0.5) / len(places)
    return order[np.argsort(ranks, kind="stable")]
