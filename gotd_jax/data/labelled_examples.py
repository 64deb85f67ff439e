"""Labelled examples from records and from a user's own files."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.fields import Fields, listed
from gotd_jax.data.formats import SUPPORTED, format_of
from gotd_jax.data.labels import UNLABELLED, classes_of, label_of, number_of
from gotd_jax.data.tasks import METRICS, Examples, Task, check_kind
from gotd_jax.terminal import shown


def examples_of(records: Iterable[Mapping[str, Any]], *, kind: str, classes: Sequence[str] = ()) -> Examples:
    """Returns the examples of `records`, without those that have no label or no text; how many is logged.

    A record has no label where the label is null, NaN, blank, "-" or, for a classification, a -1 that names no class. It has
    no text where the text, or the second sentence of a pair, is blank.

    Args:
      records: mappings as `Corpus.from_records` takes, each with `label`, the name of a class or a number, and `place`,
        which names it in messages.
      kind: 'classification' or 'regression'.
      classes: the names of the classes, in the order of the logits.

    Raises:
      ValueError: a label is none of the classes, or no finite number, or no record has both label and text.
    """
    check_kind(kind)
    positions = _positions(classes)
    rows, labels, left_out = [], [], {"no gold label": [], "no text": []}
    for row in records:
        label = _label(row, positions) if kind == "classification" else _number(row)
        if label is None or _is_blank(row):
            left_out["no gold label" if label is None else "no text"].append(row["place"])
        else:
            rows.append(row)
            labels.append(label)
    for reason, places in left_out.items():
        if places:
            count = len(rows) + sum(map(len, left_out.values()))
            message = "%d of %d rows have %s, the first of them %s, and are left out."
            logging.getLogger(__name__).warning(message, len(places), count, reason, shown(places[0]))
    if not rows and any(left_out.values()):
        first = next(places[0] for places in left_out.values() if places)
        raise ValueError(f"None of the rows from {first} on has both a label and a text. Label them, or name other fields.")
    return Examples(Corpus.from_records(rows), np.array(labels, np.int32 if kind == "classification" else np.float32))


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
      train: a JSON Lines (also compressed) or Parquet file, recognised by the end of its name.
      test: the file of the test split.
      validation: the file of the validation split, or None.
      text_field: the field with the text.
      pair_field: the field with the second sentence of a pair; None: there are no pairs.
      label_field: the field with the label: a string, an integer or a truth value that names the class, or a number. White
        space around it is ignored, and 1 and 1.0 are one class. Rows without one are left out; see `examples_of`.
      kind: 'classification' or 'regression'.
      metrics: names in `gotd_jax.evaluation.metrics.METRICS`, the table's first; default `gotd_jax.data.tasks.METRICS`.
      classes: in the order of the logits; default: the labels of `train` but -1, sorted, whole numbers by their size.
      test_split: which published split `test` is, for the table.

    Raises:
      ValueError: a file is unreadable or empty, a row lacks a field, a label is none of the task's classes, or -1 stands
        beside the classes 0 and 1 and may be a third.
    """
    check_kind(kind)
    fields = _LabelledFields(text_field, pair=pair_field, label=label_field)
    files = {"train": train, "validation": validation, "test": test}
    rows = {split: list(_records(Path(path).expanduser(), fields)) for split, path in files.items() if path is not None}
    if classes is None:
        classes = _classes(rows["train"]) if kind == "classification" else ()
    examples = {split: examples_of(records, kind=kind, classes=classes) for split, records in rows.items()}
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
        pair = fields.pair_of(row, place)
        yield {
            "id": fields.id_of(row, place) or f"{path.name}:{number}",
            "text": fields.text_of(row, place),
            "pair": pair if fields.pair is None else pair or "",
            "label": label_of(row[fields.label], place),
            "place": place,
        }


def _no_label(name: str, available: Iterable[str], place: str) -> ValueError:
    return ValueError(f"{place} has no field {name!r}; its fields: {listed(available)}. Name the right one by label_field.")


def _classes(rows: Sequence[Mapping]) -> list[str]:
    first = next((row["place"] for row in rows if row["label"] == UNLABELLED), "")
    return classes_of({row["label"] for row in rows if row["label"] is not None}, first)


def _positions(classes: Sequence[str]) -> dict[str, int]:
    """Returns the position of each class by its name, and by the name that `label_of` gives it."""
    positions = {name: position for position, name in enumerate(classes)}
    return {label_of(name, ""): position for name, position in positions.items() if label_of(name, "")} | positions


def _label(row: Mapping, positions: Mapping[str, int]) -> int | None:
    """Returns the position of the row's class, None where it has no label."""
    written = row["label"]
    if not isinstance(written, str) or written not in positions:
        written = label_of(written, row["place"])
    if written in positions:
        return positions[written]
    if written in (None, UNLABELLED):
        return None
    raise ValueError(
        f"{row['place']} has {written!r}, a label the task does not have; its classes are {listed(positions)}. "
        "Correct the label, or name all classes."
    )


def _number(row: Mapping) -> float | None:
    label = label_of(row["label"], row["place"])
    return None if label is None else number_of(label, row["place"])


def _is_blank(row: Mapping) -> bool:
    pair = row.get("pair")
    return not row["text"].strip() or (pair is not None and not pair.strip())
