"""A table of cells, written down: Markdown, comma-separated values, LaTeX, and plain text for a terminal."""

from __future__ import annotations

import csv as csv_module
import dataclasses
import io
import re
from collections.abc import Collection, Sequence

HEADER = ("source", "line", "method", "budget", "task", "mean", "spread", "seeds", "seeds_expected", "error", "items")
LATEX_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


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
        """Returns `mean_spread`, and how many seeds it is of where some are missing; '' where none was expected."""
        if self.expected == 0:
            return ""
        missing = f"{self.seeds} of {self.expected} seeds"
        if self.mean is None:
            return missing
        text = f"{self.mean:.2f}" if self.spread is None else f"{self.mean:.2f}_{self.spread:.2f}"
        return text if self.seeds == self.expected else f"{text} ({missing})"


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a table: a method's, the paper's or a baseline's, with a cell for each column.

    Attributes:
      label: as it is printed.
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
    """Lines and columns, tasks and their average where there are several, or measures; notes go beneath."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]


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
            identity = (line.source, line.label, line.method, line.budget)
            writer.writerow([*identity, column, mean, spread, cell.seeds, cell.expected, error, cell.count])
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
    """Returns the lines of `grid`; the columns `left` are aligned left, all other ones right."""
    widths = [max(map(len, column)) for column in zip(*grid)]
    return [
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width) for place, (cell, width) in enumerate(zip(cells, widths))
        )
        for cells in grid
    ]


def markdown_lines(grid: Sequence[Sequence[str]]) -> list[str]:
    """Returns `grid` as a table in GitHub's Markdown, the first its head; all columns but the first are right-aligned."""
    head, *rows = [[_escaped_markdown(cell) for cell in line] for line in grid]
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return ["| " + " | ".join(cells) + " |" for cells in (head, rule, *rows)]


def latex_text(words: str) -> str:
    """Returns `words` with every character escaped that LaTeX would take for a command."""
    return "".join(LATEX_ESCAPES.get(character, character) for character in words)


def _grid(table: Table) -> list[list[str]]:
    return [["method", *table.columns], *([line.label, *map(str, line.cells)] for line in table.lines)]


def _latex_cell(cell: Cell) -> str:
    return re.sub(r"^(\S+)_(\S+)", r"$\1_{\2}$", str(cell))


def _escaped_markdown(words: str) -> str:
    return words.replace("|", r"\|")
