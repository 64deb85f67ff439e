"""Tables: methods down, tasks across, the mean and spread over seeds, and the paper's numbers beneath ours."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from gotd_jax.artifacts import whole_file
from gotd_jax.report import formats
from gotd_jax.report import paper as published

AVERAGE = "average"


@dataclasses.dataclass(frozen=True)
class Cell:
    """A mean over seeds, times 100.

    Attributes:
      mean: None where no seed has been run.
      spread: sample standard deviation over seeds (n - 1 in the denominator); None where there is but one.
      seeds: how many there are.
      expected: how many there are in the whole table.
    """

    mean: float | None
    spread: float | None
    seeds: int
    expected: int

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
      source: 'ours' or 'paper'.
      cells: one for each column.
    """

    label: str
    method: str
    budget: int
    source: str
    cells: tuple[Cell, ...]


@dataclasses.dataclass(frozen=True)
class Table:
    """Columns are tasks, and their average where there are several; notes go beneath."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]


def make(rows: Sequence[dict], *, paper: str = "", by: Sequence[str] = ("method", "budget")) -> Table:
    """Returns the table of `rows`, with tasks and methods in the order in which they first appear.

    The average of a line is the mean of its tasks' means. Its spread is over seeds, of each seed's mean over the tasks.
    A seed that lacks a task is left out of both.

    Args:
      rows: of `task`, `method`, `budget`, `seed`, `metric`, `score` (a fraction) and `evaluated_on`.
      paper: which published table to set beside them, a name in `gotd_jax.report.paper.TABLES`; none by default.
      by: the fields that make a line; those of one value in all rows are left out of its label.

    Raises:
      ValueError: there are no rows, two rows of one line have the same task and seed, or there is no such published table.
    """
    if not rows:
        raise ValueError("There are no results to make a table of. Run at least one cell.")
    tasks, seeds = _distinct(rows, "task"), _distinct(rows, "seed")
    told_by = [field for field in by if field == "method" or len(_distinct(rows, field)) > 1]
    groups = _grouped(rows, told_by)
    lines = []
    for method in _distinct(rows, "method"):
        own = {key: group for key, group in groups.items() if group[0]["method"] == method}
        lines += [_line(_label(key, told_by), group, tasks, seeds) for key, group in own.items()]
        lines += _paper_lines(paper, method, tasks)
    columns = (*tasks, AVERAGE) if len(tasks) > 1 else tuple(tasks)
    return Table(columns, tuple(lines), _notes(rows, tasks, seeds, paper))


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
    return (
        f"{row['task']} {row['method']} {row['budget']:,} seed {row['seed']}: "
        f"{row['metric']} {100 * row['score']:.2f} on {row['evaluated_on']} ({seconds:,.0f} s)"
    )


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
    named = (value if field == "method" else f"{field} {_number(value)}" for field, value in zip(told_by, key))
    return ", ".join(named)


def _number(value) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _line(label: str, group: list[dict], tasks: list[str], seeds: list[int]) -> Line:
    scores = {(row["task"], row["seed"]): 100 * row["score"] for row in group}
    by_seed = [[scores.get((task, seed)) for task in tasks] for seed in seeds]
    columns = [[score for score in column if score is not None] for column in zip(*by_seed)]
    if len(tasks) > 1:
        columns.append([float(np.mean(of_seed)) for of_seed in by_seed if None not in of_seed])
    cells = tuple(_cell(column, len(seeds)) for column in columns)
    return Line(label, group[0]["method"], group[0]["budget"], "ours", cells)


def _cell(scores: list[float], expected: int) -> Cell:
    mean = float(np.mean(scores)) if scores else None
    spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
    return Cell(mean, spread, len(scores), expected)


def _paper_lines(name: str, method: str, tasks: list[str]) -> list[Line]:
    """Returns the paper's line of `method`, if it has that method and any of the tasks; cells it lacks stay empty."""
    if not name:
        return []
    table = published.find(name)
    scores = table.scores.get(method, {})
    if not any(task in scores for task in tasks):
        return []
    means = [scores.get(task, (None, None)) for task in tasks]
    if len(tasks) > 1:
        means.append((table.average(method, tasks) if all(task in scores for task in tasks) else None, None))
    cells = tuple(Cell(mean, spread, *([0, 0] if mean is None else [table.seeds] * 2)) for mean, spread in means)
    return [Line(f"{published.LABELS[method]} (paper)", method, table.budget, "paper", cells)]


def _notes(rows: Sequence[dict], tasks: list[str], seeds: list[int], name: str) -> tuple[str, ...]:
    metrics = {row["task"]: f"{row['metric']} on {row['evaluated_on']}" for row in rows}
    measured = "; ".join(f"{task}: {metrics[task]}" for task in tasks)
    over = f"mean_standard deviation (n - 1) over {len(seeds)} seeds" if len(seeds) > 1 else "1 seed, so without a spread"
    ours = f"Scores times 100, {over}. {measured}."
    if not name:
        return (ours,)
    table = published.find(name)
    return (ours, f"Paper: {table.title}, {table.budget:,} chunks selected, {table.seeds} seeds.", *table.notes)


def _distinct(rows: Iterable[dict], field: str) -> list:
    return list(dict.fromkeys(row[field] for row in rows))
