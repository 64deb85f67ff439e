"""Rows of results by line of a table, by column and by seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

AVERAGE = "average"
NAMES = ("task", "method", "line")  # fields whose values need no name of the field


def columns_of(rows: Sequence[dict]) -> tuple[list[str], bool]:
    """Returns the columns of `rows` in the order in which they appear, and whether they have an average over tasks."""
    columns = list(dict.fromkeys(name for row in rows for name in measures(row)))
    return columns, len(columns) > 1 and not any("measures" in row for row in rows)


def line_fields(rows: Sequence[dict], by: Sequence[str]) -> list[str]:
    """Returns the fields of `by` that distinguish lines: the method, and those of several values."""
    return [field for field in by if field == "method" or len(distinct(rows, field)) > 1]


def grouped(rows: Sequence[dict], fields: Sequence[str]) -> dict[tuple, list[dict]]:
    """Returns the rows of each line, by the values of `fields`.

    Raises:
      ValueError: two rows of one line have the same task and seed.
    """
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        key = tuple(row[field] for field in fields)
        group = groups.setdefault(key, [])
        if any((row["task"], row["seed"]) == (other["task"], other["seed"]) for other in group):
            raise ValueError(
                f"Two results are both {label(key, fields)} on {row['task']} with seed {row['seed']}. Name the field that "
                "tells them apart in `by`, or leave one out."
            )
        group.append(row)
    return groups


def by_seed(group: Sequence[dict], columns: Sequence[str], averaged: bool) -> dict[str, dict[int, dict]]:
    """Returns the measures of a line's rows by column and seed; the average of those seeds that have every column."""
    found: dict[str, dict[int, dict]] = {column: {} for column in columns}
    for row in group:
        for column, measure in measures(row).items():
            found[column][row["seed"]] = measure
    if averaged:
        whole = [seed for seed in distinct(group, "seed") if all(seed in of_column for of_column in found.values())]
        found[AVERAGE] = {
            seed: {"value": float(np.mean([found[column][seed]["value"] for column in columns])), "points": True}
            for seed in whole
        }
    return found


def tasks_of(rows: Sequence[dict]) -> dict[str, set[str]]:
    """Returns the tasks that have each column, the columns in the order in which they appear."""
    tasks: dict[str, set[str]] = {}
    for row in rows:
        for column in measures(row):
            tasks.setdefault(column, set()).add(row["task"])
    return tasks


def share_columns(rows: Sequence[dict]) -> bool:
    """Returns whether several tasks have a column in common, so that the task is a field that tells lines apart."""
    return any(len(of_column) > 1 for of_column in tasks_of(rows).values())


def measures(row: dict) -> dict[str, dict]:
    """Returns the measures of a row by column: its `measures`, or its score times 100 under its task."""
    return row["measures"] if "measures" in row else {row["task"]: {"value": 100 * row["score"], "points": True}}


def label(key: tuple, fields: Sequence[str]) -> str:
    """Returns the printed label of a line."""
    shown = {field: value for field, value in zip(fields, key) if value is not None}  # None: the method does not read it
    if shown.get("method") == "none":
        shown.pop("budget", None)  # it selects nothing
    if "line" in shown:
        shown.pop("method", None)  # its name says it
    return ", ".join(value if field in NAMES else f"{field} {_number(value)}" for field, value in shown.items())


def distinct(rows: Iterable[dict], field: str) -> list:
    """Returns the values of `field` in the order in which they appear."""
    return list(dict.fromkeys(row[field] for row in rows))


def _number(value) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
