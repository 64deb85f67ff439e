"""Labelled examples from records and from a user's own files."""

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
from gotd_jax.data.tasks import METRICS, Examples, Task, check_kind


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
    check_kind(kind)
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
      metrics: names in `gotd_jax.training.metrics.METRICS`, the table's first; default `gotd_jax.data.tasks.METRICS`.
      classes: in the order of the logits; default: the labels of `train`, sorted, whole numbers by their size.
      test_split: what `test` really is, for the table.

    Raises:
      ValueError: a file is unreadable or empty, a row lacks a field, a label is none of the task's classes.
    """
    check_kind(kind)
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
