"""A table written down: Markdown, comma-separated values, LaTeX, and plain text for a terminal."""

from __future__ import annotations

import csv as csv_module
import io
import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gotd_jax.report.table import Cell, Table

HEADER = ("source", "line", "method", "budget", "task", "mean", "spread", "seeds", "seeds_expected", "error", "items")
LATEX_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def markdown(table: Table) -> str:
    """Returns the table in GitHub's Markdown, the notes as a list beneath."""
    notes = [f"- {_escaped_markdown(note)}" for note in table.notes]
    return "\n".join([*markdown_lines(_grid(table)), "", *notes]) + "\n"


def csv(table: Table) -> str:
    """Returns one line a cell, to six decimals; `task` is the column, and error and items are a single seed's."""
    file = io.StringIO()
    writer = csv_module.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    for line in table.lines:
        for column, cell in zip(table.columns, line.cells):
            mean, spread, error = ("" if number is None else f"{number:.6f}" for number in (cell.mean, cell.spread, cell.error))
            told_by = (line.source, line.label, line.method, line.budget)
            writer.writerow([*told_by, column, mean, spread, cell.seeds, cell.expected, error, cell.count])
    return file.getvalue()


def latex(table: Table) -> str:
    """Returns a `tabular` (needs booktabs), spreads as subscripts, the notes as comments."""
    head, *_ = _grid(table)
    rows = [[latex_text(line.label), *map(_latex_cell, line.cells)] for line in table.lines]
    body = [" & ".join(cells) + r" \\" for cells in ([latex_text(name) for name in head], *rows)]
    begin = rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}"
    notes = [f"% {note}" for note in table.notes]
    rules = [begin, r"\toprule", body[0], r"\midrule", *body[1:], r"\bottomrule", r"\end{tabular}"]
    return "\n".join([*notes, *rules]) + "\n"


def text(table: Table) -> str:
    """Returns the table in aligned columns, the notes beneath."""
    return "\n".join([*aligned(_grid(table)), "", *table.notes])


def aligned(grid: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """Returns the lines of `grid` as `in_columns` has them, the first with a rule beneath."""
    head, *lines = in_columns(grid, left)
    return [head, "-" * len(head), *lines]


def in_columns(grid: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """Returns the lines of `grid`; the columns `left` start at the left, others end right."""
    widths = [max(map(len, column)) for column in zip(*grid)]
    return [
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width) for place, (cell, width) in enumerate(zip(cells, widths))
        )
        for cells in grid
    ]


def markdown_lines(grid: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of `grid` as a table in GitHub's Markdown, the first its head; columns but the first end right."""
    head, *rows = [[_escaped_markdown(cell) for cell in line] for line in grid]
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return ["| " + " | ".join(cells) + " |" for cells in (head, rule, *rows)]


def latex_text(words: str) -> str:
    """Returns `words` with all that LaTeX would take for a command written out."""
    return "".join(LATEX_ESCAPES.get(character, character) for character in words)


def _grid(table: Table) -> list[list[str]]:
    return [["method", *table.columns], *([line.label, *map(str, line.cells)] for line in table.lines)]


def _latex_cell(cell: Cell) -> str:
    return re.sub(r"^(\S+)_(\S+)", r"$\1_{\2}$", str(cell))


def _escaped_markdown(words: str) -> str:
    return words.replace("|", r"\|")
