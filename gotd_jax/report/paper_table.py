"""`PaperTable`: one setting of a table of the paper, parsed from its printed lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class PaperTable:
    """One setting of a published table.

    Attributes:
      title: table and setting.
      names: of its methods, as it prints them.
      budget: chunks selected.
      labels: the most labelled examples of a task; None for all, or where there are none.
      seeds: over which the mean and spread are.
      scores: (mean, standard deviation or None) by method and column, on the scale on which the column is printed.
      printed_averages: the table's last column by method, which need not be the mean of the row; empty where it has none.
      printed_spreads: of these averages, if it prints them.
      notes: faults of these numbers that a comparison has to know of.
    """

    title: str
    names: Mapping[str, str]
    budget: int
    labels: int | None
    seeds: int
    scores: Mapping[str, Mapping[str, tuple[float, float | None]]]
    printed_averages: Mapping[str, float]
    notes: tuple[str, ...]
    printed_spreads: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def average(self, method: str, columns: Sequence[str] | None = None) -> float:
        """Returns the mean over `columns` (all by default) of the printed means of `method`."""
        columns = columns or list(self.scores[method])
        return sum(self.scores[method][column][0] for column in columns) / len(columns)


def read(columns: Sequence[str], printed: str, *, averaged: bool = False) -> dict[str, dict]:
    """Returns the `scores`, `printed_averages` and `printed_spreads` of a table.

    Args:
      columns: in the order of the cells.
      printed: lines of `method mean ...` or `method mean_spread ...`.
      averaged: whether the last number of each line is the average.
    """
    scores, averages, spreads = {}, {}, {}
    for line in printed.strip().splitlines():
        method, *cells = line.split()
        if averaged:
            averages[method], spread = _number(cells.pop())
            spreads |= {} if spread is None else {method: spread}
        scores[method] = dict(zip(columns, map(_number, cells), strict=True))
    return {"scores": scores, "printed_averages": averages, "printed_spreads": spreads}


def _number(cell: str) -> tuple[float, float | None]:
    mean, _, spread = cell.partition("_")
    return float(mean), float(spread) if spread else None
