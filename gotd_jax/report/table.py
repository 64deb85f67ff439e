"""Tables: methods down, tasks or measures across, the mean and spread over seeds, and the paper's numbers beneath ours."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gotd_jax.files import whole_file
from gotd_jax.report import comparison, comparison_table, grouping, rendering, table_notes
from gotd_jax.report import paper as published
from gotd_jax.report.paper_table import PaperTable
from gotd_jax.report.rendering import Cell, Line, Table


def make(rows: Sequence[dict], *, paper: str = "", by: Sequence[str] = ("method", "budget")) -> Table:
    """Returns the table of `rows`, with columns and methods in the order in which they first appear.

    A row without `measures` is one score of its task, printed times 100 in the task's column. The average of a line is then
    the mean of its tasks' means; its spread is over seeds, of each seed's mean over the tasks, and a seed that lacks a task
    is left out of both. Rows with measures have a column for each, as they are, and no average.

    Args:
      rows: of `task`, `method`, `budget`, `seed`, and either `metric`, `score` (a fraction) and `evaluated_on`, or
        `measures`: by column `value`, `error` (standard error over items, or None), `count` and `unit` (of items), and
        `what` (the quantity in words); and, where there are some, `baselines`: by line and column, a value that no model makes,
        and `protocol`: sentences that stand beneath the table, each once, on where the run departs from the paper.
      paper: which published tables to set beside them, names in `gotd_jax.report.paper.TABLES`; none by default.
      by: the fields that make a line; those of one value in all rows are left out of its label, the budget of `none` too.

    Raises:
      ValueError: there are no rows, two rows of one line have the same column and seed, or a published table does not exist.
    """
    if not rows:
        raise ValueError("There are no results to make a table of. Run at least one cell.")
    columns, averaged = grouping.columns_of(rows)
    fields, seeds = grouping.line_fields(rows, by), len(grouping.distinct(rows, "seed"))
    groups, tables = grouping.grouped(rows, fields), published.find(paper)
    tasks_of = grouping.tasks_of(rows)
    lines = _baselines(rows, columns)
    for method in grouping.distinct(rows, "method"):
        own = {key: group for key, group in groups.items() if group[0]["method"] == method}
        lines += [_line(grouping.label(key, fields), group, tasks_of, seeds, averaged) for key, group in own.items()]
        lines += _paper_lines(tables, method, columns, averaged)
    shown = (*columns, grouping.AVERAGE) if averaged else tuple(columns)
    return Table(shown, tuple(lines), (*table_notes.of_rows(rows, columns, lines), *table_notes.of_paper(tables)))


def write(
    rows: Sequence[dict],
    folder: str | os.PathLike,
    *,
    paper: str = "",
    by: Sequence[str] = ("method", "budget"),
    margin: comparison.Margin = comparison.MARGIN,
    items: comparison.Items | None = None,
) -> str:
    """Writes the table of `rows` to table.md, table.csv and table.tex in `folder`, and how its lines compare.

    The comparisons (`gotd_jax.report.comparison`) stand beneath the table in table.md, and all of them in statistics.csv.
    See `make` and `gotd_jax.report.comparison.compare` for the arguments and errors.

    Returns:
      the table and the comparisons as text for a terminal.
    """
    table, comparisons = make(rows, paper=paper, by=by), comparison.compare(rows, by=by, margin=margin, items=items)
    compared = comparison_table.text(comparisons)
    beneath = f"\n```text\n{compared}\n```\n" if compared else ""
    files = {
        "table.md": rendering.markdown(table) + beneath,
        "table.csv": rendering.csv(table),
        "table.tex": rendering.latex(table),
        "statistics.csv": comparison_table.csv(comparisons),
    }
    for name, content in files.items():
        with whole_file(Path(folder) / name) as partial:
            partial.write_text(content, encoding="utf-8")
    return "\n\n".join(filter(None, (rendering.text(table), compared)))


def describe(row: dict) -> str:
    """Returns a cell's row as one line of text."""
    seconds = sum(row["seconds"].values())
    said = f"{row['metric']} {100 * row['score']:.2f} on {row['evaluated_on']}" if "score" in row else _first(row["measures"])
    return f"{row['task']} {row['method']} {row['budget']:,} seed {row['seed']}: {said} ({seconds:,.0f} s)"


def _first(measures: dict) -> str:
    return ", ".join(f"{column} {measure['value']:.2f}" for column, measure in list(measures.items())[:4])


def _line(label: str, group: list[dict], tasks_of: Mapping[str, set[str]], seeds: int, averaged: bool) -> Line:
    """Returns a line of ours; a column that its rows lack on the tasks where other lines have it is not expected of it."""
    run = {row["task"] for row in group}
    cells = []
    for column, of_column in grouping.by_seed(group, list(tasks_of), averaged).items():
        lacking = not of_column and bool(tasks_of.get(column, set()) & run)
        cells.append(_cell(list(of_column.values()), 0 if lacking else seeds))
    return Line(label, group[0]["method"], group[0]["budget"], "ours", tuple(cells))


def _cell(measures: list[dict], expected: int) -> Cell:
    values = [measure["value"] for measure in measures]
    mean = float(np.mean(values)) if values else None
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    single = measures[0] if len(measures) == 1 else {}
    return Cell(mean, spread, len(values), expected, single.get("error"), single.get("count"))


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


def _paper_lines(tables: Sequence[PaperTable], method: str, columns: list[str], averaged: bool) -> list[Line]:
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
            line = Line(f"{table.names[method]} ({where})", method, table.budget, "paper", cells)
            # Tables of several budgets repeat the line of no selection.
            lines.setdefault(cells if method == "none" else (table.title,), line)
    return list(lines.values())
