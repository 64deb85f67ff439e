"""Tasks: labelled examples, their splits, their classes and the metrics they are scored by."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.fields import Fields, listed
from gotd_jax.data.formats import SUPPORTED, format_of

METRICS = {"classification": ("accuracy", "macro_f1"), "regression": ("pearson", "spearman")}


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """Texts with labels: label i is that of row i of the corpus.

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
      metrics: names in `gotd_jax.training.metrics.METRICS`; the first is the one tables show.
      train: the labelled training examples; without labels their texts are the target of the selection.
      validation: what choices are made on, None where the task has no such split.
      test: what scores are made on.
      test_split: what `test` really is: 'test', 'dev' (GLUE keeps the labels of its test sets), ...
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
        _check_kind(self.kind)
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


def labelled(records: Iterable[Mapping[str, Any]], *, kind: str, classes: Sequence[str] = ()) -> Examples:
    """Returns the examples of `records`.

    Args:
      records: mappings as `Corpus.from_records` takes, each with `label`, the name of a class or a number, and `place`,
        which begins the messages about it.
      kind: 'classification' or 'regression'.
      classes: the names of the classes, in the order of the logits.

    Raises:
      ValueError: a label is none of the classes, or no finite number.
    """
    _check_kind(kind)
    rows = list(records)
    positions = {name: position for position, name in enumerate(classes)}
    if kind == "classification":
        labels = np.array([_position(row, positions) for row in rows], np.int32)
    else:
        labels = np.array([_number(row) for row in rows], np.float32)
    return Examples(Corpus.from_records(rows), labels)


def load_files(
    name: str,
    train: str | os.PathLike,
    test: str | os.PathLike,
    validation: str | os.PathLike | None = None,
    *,
    text_field: str = "text",
    pair_field: str | None = None,
    label_field: str = "label",
    kind: str = "classification",
    metrics: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    test_split: str = "test",
) -> Task:
    """Returns the task in a user's own files, one a split.

    Args:
      name: of the task.
      train: a JSON Lines (also compressed) or Parquet file, told by its name's end.
      test: another.
      validation: another, or None.
      text_field: the field with the text.
      pair_field: the field with the second sentence of a pair; None: there are no pairs.
      label_field: the field with the label: a string, an integer or a truth value that names the class, or a number.
      kind: 'classification' or 'regression'.
      metrics: names in `gotd_jax.training.metrics.METRICS`, the table's first; default `METRICS` above.
      classes: in the order of the logits; default: the labels of `train`, sorted, whole numbers by their size.
      test_split: what `test` really is, for the table.

    Raises:
      ValueError: a file is unreadable or empty, a row lacks a field, a label is none of the task's classes.
    """
    _check_kind(kind)
    fields = _LabelledFields(text_field, pair=pair_field, label=label_field)
    files = {"train": train, "validation": validation, "test": test}
    rows = {split: list(_records(Path(path).expanduser(), fields)) for split, path in files.items() if path is not None}
    if classes is None:
        classes = _sorted({row["label"] for row in rows["train"]}) if kind == "classification" else ()
    examples = {split: labelled(records, kind=kind, classes=classes) for split, records in rows.items()}
    return Task(
        name=name,
        kind=kind,
        classes=tuple(classes),
        metrics=tuple(metrics or METRICS[kind]),
        train=examples["train"],
        validation=examples.get("validation"),
        test=examples["test"],
        test_split=test_split,
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
    """Returns (what is left for training, a validation split drawn by `seed` as in `draw`), both in their order.

    Args:
      examples: of a task without a validation split.
      share: of the examples, above 0 and below 1, that goes to validation.
      seed: of the draw.

    Raises:
      ValueError: `share` leaves one of the two without an example.
    """
    held = round(share * len(examples))
    if not 0 < held < len(examples):
        raise ValueError(
            f"A share of {share} holds out {held:,} of {len(examples):,} examples. Give one that leaves some on both sides."
        )
    order = _drawing_order(examples.labels, seed)
    return examples.take(np.sort(order[held:])), examples.take(np.sort(order[:held]))


def target_corpus(task: Task) -> Corpus:
    """Returns the texts of the training examples, without their labels: what a selection aims at."""
    return task.train.corpus


@dataclasses.dataclass(frozen=True)
class _LabelledFields(Fields):
    label: str = "label"

    def columns(self, available: Sequence[str], place: str) -> list[str]:
        if self.label not in available:
            raise _no_label(self.label, available, place)
        return list(dict.fromkeys([*super().columns(available, place), self.label]))


def _records(path: Path, fields: _LabelledFields) -> Iterator[dict]:
    if not path.is_file():
        raise ValueError(f"There is no file {path}. Check the path, and that it is seen from {Path.cwd()}.")
    rows = format_of(path)
    if rows is None:
        raise ValueError(f"{path} is of no supported format. Those are told by the name's end: {SUPPORTED}.")
    for number, row in rows(path, fields):
        place = f"{path}:{number}"
        if fields.label not in row:
            raise _no_label(fields.label, row, place)
        yield {
            "id": fields.id_of(row, place) or f"{path.name}:{number}",
            "text": fields.text_of(row, place),
            "pair": fields.pair_of(row, place),
            "label": _name(row[fields.label], place),
            "place": place,
        }


def _name(label: Any, place: str) -> str:
    if isinstance(label, (str, bool, int, float)):
        return str(label)
    raise ValueError(f"{place} has the label {label!r}, neither text nor number. Label every row, or name another label_field.")


def _no_label(name: str, available: Iterable[str], place: str) -> ValueError:
    return ValueError(f"{place} has no field {name!r}; its fields: {listed(available)}. Name the right one by label_field.")


def _sorted(names: set[str]) -> list[str]:
    try:
        return sorted(names, key=int)
    except ValueError:
        return sorted(names)


def _position(row: Mapping, positions: Mapping[str, int]) -> int:
    if row["label"] in positions:
        return positions[row["label"]]
    raise ValueError(
        f"{row['place']} has {row['label']!r}, a label the task does not have; its classes are {listed(positions)}. "
        "Correct the label, or name all classes."
    )


def _number(row: Mapping) -> float:
    try:
        number = float(row["label"])
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise ValueError(
            f"{row['place']} has the label {row['label']!r}, not a finite number as a regression needs. Correct it."
        )
    return number


def _check_kind(kind: str) -> None:
    if kind not in METRICS:
        raise ValueError(f"kind is {kind!r}. A task is a {' or a '.join(METRICS)}.")


def _drawing_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """Returns all rows, ordered so that any first part of them is a stratified draw, int64 [n]."""
    order = np.random.default_rng(seed).permutation(len(labels))
    if labels.dtype == np.float32:
        return order
    turns = np.empty(len(labels))
    for label in np.unique(labels):
        places = np.flatnonzero(labels[order] == label)
        turns[places] = (np.arange(len(places)) + 0.5) / len(places)
    return order[np.argsort(turns, kind="stable")]
