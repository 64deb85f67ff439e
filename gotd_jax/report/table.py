"""Tables: methods down, tasks or measures across, the mean and spread over seeds, and the paper's numbers beneath ours."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from gotd_jax.artifacts import whole_file
from gotd_jax.report import formats, notes
from gotd_jax.report import paper as published
from gotd_jax.report.published import Published

AVERAGE = "average"


@dataclasses.dataclass(frozen=True)
class Cell:
    """A mean over seeds, on the scale on which its column is printed.

    Attributes:
      mean: None where no seed has been run.
      spread: sample standard deviation over seeds (n - 1 in the denominator); None where there is but one.
      seeds: how many there are.
      expected: how many there are in the whole table.
      error: standard error over the items (prompts, questions) of a single seed; None where it is not known.
      count: how many items; None where it is not known.
    """

    mean: float | None
    spread: float | None
    seeds: int
    expected: int
    error: float | None = None
    count: int | None = None

    def __str__(self) -> str:
        """Returns `mean_spread`, and the seeds it is of where some are missing; nothing where none was expected."""
        if self.expected == 0:
            return ""
        missing = f"{self.seeds} of {self.expected} seeds"
        if self.mean is None:
            return missing
        text = f"{self.mean:.2f}" if self.spread is None else f"{self.mean:.2f}_{self.spread:.2f}"
        return text if self.seeds == self.expected else f"{text} ({missing})"


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a table: what it is of, and a cell for each column.

    Attributes:
      label: what a person reads.
      method: name in METHODS.
      budget: chunks selected.
      source: 'ours', 'paper', or 'baseline' for a line that no model makes.
      cells: one for each column.
    """

    label: str
    method: str
    budget: int
    source: str
    cells: tuple[Cell, ...]


@dataclasses.dataclass(frozen=True)
class Table:
    """Columns are tasks, and their average where there are several, or measures; notes go beneath."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]


def make(rows: Sequence[dict], *, paper: str = "", by: Sequence[str] = ("method", "budget")) -> Table:
    """Returns the table of `rows`, with columns and methods in the order in which they first appear.

    A row without `measures` is one score of its task, printed times 100 in the task's column. The average of a line is then
    the mean of its tasks' means; its spread is over seeds, of each seed's mean over the tasks, and a seed that lacks a task
    is left out of both. Rows with measures have a column for each, as they are, and no average.

    Args:
      rows: of `task`, `method`, `budget`, `seed`, and either `metric`, `score` (a fraction) and `evaluated_on`, or
        `measures`: by column `value`, `error` (standard error over items, or None), `count` and `unit` (of items), and
        `what` (is measured); and, where there are some, `baselines`: by line, by column, a value that no model makes.
      paper: which published tables to set beside them, names in `gotd_jax.report.paper.TABLES`; none by default.
      by: the fields that make a line; those of one value in all rows are left out of its label, the budget of `none` too.

    Raises:
      ValueError: there are no rows, two rows of one line have the same column and seed, or there is no such published table.
    """
    if not rows:
        raise ValueError("There are no results to make a table of. Run at least one cell.")
    columns, seeds = list(dict.fromkeys(name for row in rows for name in _measures(row))), _distinct(rows, "seed")
    averaged = len(columns) > 1 and not any("measures" in row for row in rows)
    told_by = [field for field in by if field == "method" or len(_distinct(rows, field)) > 1]
    groups, tables = _grouped(rows, told_by), published.find(paper)
    lines = _baselines(rows, columns)
    for method in _distinct(rows, "method"):
        own = {key: group for key, group in groups.items() if group[0]["method"] == method}
        lines += [_line(_label(key, told_by), group, columns, seeds, averaged) for key, group in own.items()]
        lines += _paper_lines(tables, method, columns, averaged)
    shown = (*columns, AVERAGE) if averaged else tuple(columns)
    return Table(shown, tuple(lines), (*notes.of_rows(rows, columns, lines), *notes.of_paper(tables)))


def write(rows: Sequence[dict], folder: str | os.PathLike, *, paper: str = "", by: Sequence[str] = ("method", "budget")) -> str:
    """Writes the table of `rows` to table.md, table.csv and table.tex in `folder`; returns it as text for a terminal.

    See `make` for the arguments and errors.
    """
    table = make(rows, paper=paper, by=by)
    for suffix, form in (("md", formats.markdown), ("csv", formats.csv), ("tex", formats.latex)):
        with whole_file(Path(folder) / f"table.{suffix}") as partial:
            partial.write_text(form(table), encoding="utf-8")
    return formats.text(table)


def describe(row: dict) -> str:
    """Returns what a cell's row says, as one line."""
    seconds = sum(row["seconds"].values())
    said = f"{row['metric']} {100 * row['score']:.2f} on {row['evaluated_on']}" if "score" in row else _first(row["measures"])
    return f"{row['task']} {row['method']} {row['budget']:,} seed {row['seed']}: {said} ({seconds:,.0f} s)"


def _first(measures: dict) -> str:
    return ", ".join(f"{column} {measure['value']:.2f}" for column, measure in list(measures.items())[:4])


def _measures(row: dict) -> dict[str, dict]:
    return row["measures"] if "measures" in row else {row["task"]: {"value": 100 * row["score"]}}


def _grouped(rows: Sequence[dict], told_by: Sequence[str]) -> dict[tuple, list[dict]]:
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        key = tuple(row[field] for field in told_by)
        group = groups.setdefault(key, [])
        if any((row["task"], row["seed"]) == (other["task"], other["seed"]) for other in group):
            raise ValueError(
                f"Two results are both {_label(key, told_by)} on {row['task']} with seed {row['seed']}. Name the field that "
                "tells them apart in `by`, or leave one out."
            )
        group.append(row)
    return groups


def _label(key: tuple, told_by: Sequence[str]) -> str:
    told = dict(zip(told_by, key))
    if told.get("method") == "none":
        told.pop("budget", None)  # it selects nothing
    return ", ".join(value if field == "method" else f"{field} {_number(value)}" for field, value in told.items())


def _number(value) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _line(label: str, group: list[dict], columns: list[str], seeds: list[int], averaged: bool) -> Line:
    found = {(column, row["seed"]): measure for row in group for column, measure in _measures(row).items()}
    by_column = [[found[column, seed] for seed in seeds if (column, seed) in found] for column in columns]
    cells = [_cell([measure["value"] for measure in measures], len(seeds)) for measures in by_column]
    cells = [_with_error(cell, measures) for cell, measures in zip(cells, by_column)]
    if averaged:
        whole = [seed for seed in seeds if all((column, seed) in found for column in columns)]
        means = [float(np.mean([found[column, seed]["value"] for column in columns])) for seed in whole]
        cells.append(_cell(means, len(seeds)))
    return Line(label, group[0]["method"], group[0]["budget"], "ours", tuple(cells))


def _cell(scores: list[float], expected: int) -> Cell:
    mean = float(np.mean(scores)) if scores else None
    spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
    return Cell(mean, spread, len(scores), expected)


def _with_error(cell: Cell, measures: list[dict]) -> Cell:
    if len(measures) != 1:
        return cell
    return dataclasses.replace(cell, error=measures[0].get("error"), count=measures[0].get("count"))


def _baselines(rows: Sequence[dict], columns: list[str]) -> list[Line]:
    """Returns the lines that no model makes, each column's number as the first row that has it gives it."""
    values: dict[str, dict[str, float]] = {}
    for row in reversed(rows):
        for name, of_row in row.get("baselines", {}).items():
            values.setdefault(name, {}).update(of_row)
    empty = Cell(None, None, 0, 0)
    return [
        Line(name, "", 0, "baseline", tuple(Cell(of[column], None, 1, 1) if column in of else empty for column in columns))
        for name, of in values.items()
    ]


def _paper_lines(tables: Sequence[Published], method: str, columns: list[str], averaged: bool) -> list[Line]:
    """Returns the paper's lines of `method` from tables that have it and any of the columns; cells they lack stay empty."""
    lines: dict[tuple, Line] = {}
    for table in tables:
        scores = table.scores.get(method, {})
        means = [scores.get(column, (None, None)) for column in columns]
        if averaged:
            means.append((table.average(method, columns) if all(column in scores for column in columns) else None, None))
        cells = tuple(Cell(mean, spread, *([0, 0] if mean is None else [table.seeds] * 2)) for mean, spread in means)
        if any(column in scores for column in columns):
            where = f"paper, {table.title}" if len(tables) > 1 else "paper"
            line = Line(f"{table.label(method)} ({where})", method, table.budget, "paper", cells)
            # Tables of several budgets repeat the line of no selection.
            lines.setdefault(cells if method == "none" else (table.title,), line)
    return list(lines.values())


def _distinct(rows: Iterable[dict], field: str) -> list:
    return list(dict.fromkeys(row[field] for row in rows))
