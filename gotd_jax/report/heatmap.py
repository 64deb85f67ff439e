"""Heat maps: two swept fields against each other, a map a measure, as a picture and as text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from gotd_jax.report import grouping, rendering

FIELDS = ("down", "across")
FILE = "heatmaps"
AXES = {"epsilon": "epsilon, share of the mean cost", "budget": "budget, chunks", "labels": "labelled examples"}
BETTER = {"↑": "higher is better", "↓": "lower is better"}
PANELS_ACROSS = 3


@dataclasses.dataclass(frozen=True, eq=False)
class Map:
    """The means of one measure at every combination of two fields.

    Attributes:
      title: the task, and the measure in words.
      column: its name in the table; ends in an arrow up or down where higher or lower is better.
      axes: names of the fields of lines and columns, with units.
      lines: the label of each line, downwards.
      columns: the label of each column.
      means: over seeds, float64 [lines, columns]; NaN where nothing was run.
      seeds: the most seeds that any of them is a mean of.
    """

    title: str
    column: str
    axes: tuple[str, str]
    lines: tuple[str, ...]
    columns: tuple[str, ...]
    means: np.ndarray
    seeds: int

    @property
    def better(self) -> str:
        """Whether high or low is better, in words; empty where neither is."""
        return BETTER.get(self.column[-1], "")

    def cell(self, line: int, column: int) -> str:
        """Returns a mean as it is printed: to a thousandth of the map's range, whole numbers as they are."""
        mean, known = self.means[line, column], self.means[~np.isnan(self.means)]
        spread = float(known.max() - known.min())
        decimals = min(max(math.ceil(-math.log10(spread)) + 2, 0), 4) if spread > 0 else 2
        whole = np.all(known == np.round(known))
        return "" if np.isnan(mean) else f"{mean:,.{0 if whole else decimals}f}"

    @property
    def heading(self) -> str:
        """The line above the map: its title, which values are better, and over how many seeds they are means."""
        over = f"mean over {self.seeds} seeds" if self.seeds > 1 else ""
        said = "; ".join(part for part in (self.better, over) if part)
        return f"{self.title} ({said})" if said else self.title


def make(rows: Sequence[dict], down: str, across: str) -> list[Map]:
    """Returns a map for each task and measure of `rows`, or for each measure where the task is one of the fields.

    Lines are told apart by method as well: one whose `down` is None, as it reads none, is a line by its own name, and comes
    last. Where the budget is shown, the method `none` is every other method's at a budget of 0. Values of a field that are
    numbers come in their order, words as they first appear, after them.

    Args:
      rows: of `task`, `method`, `seed`, the two fields, and `measures` or `score`; see `gotd_jax.report.table.make`.
      down: the field whose values are the lines.
      across: the field whose values are the columns.

    Raises:
      ValueError: there are no rows, or two of one place and seed.
    """
    if not rows:
        raise ValueError("There are no results to plot. Run at least one cell.")
    rows = _with_nothing_selected(rows, down, across)
    lines = sorted({(row[down] is None, row["method"], row[down]): row for row in rows}, key=_order_of(rows, down))
    columns = sorted({row[across]: row for row in rows}, key=lambda value: _place(value, rows, across))
    several = len({row["method"] for row in rows if row[down] is not None}) > 1 or any(unread for unread, *_ in lines)
    labels = tuple(_label(method, value, several and down not in grouping.NAMES) for _, method, value in lines)
    found: dict[tuple, dict] = {}
    for row in rows:
        place = lines.index((row[down] is None, row["method"], row[down])), columns.index(row[across])
        for name, measure in _measures(row).items():
            task = "" if "task" in (down, across) else row["task"]
            seeds = found.setdefault((task, name), {"what": measure["what"]}).setdefault(place, {})
            if row["seed"] in seeds:
                raise ValueError(
                    f"Two results are both {labels[place[0]]} with {across} {row[across]} and seed {row['seed']}, {name}. Plot "
                    "another field, or sweep fewer."
                )
            seeds[row["seed"]] = measure["value"]
    axes = AXES.get(down, down), AXES.get(across, across)
    shape = labels, tuple(_number(value) for value in columns)
    return [
        _map(places, f"{task}: " * bool(task) + places.pop("what"), name, axes, *shape)
        for (task, name), places in found.items()
    ]


def _with_nothing_selected(rows: Sequence[dict], down: str, across: str) -> list[dict]:
    """Returns `rows` with those of `none` as rows of each other method's lines, if the budget is shown and there is another."""
    selecting = [row for row in rows if row["method"] != "none"]
    if "budget" not in (down, across) or not selecting:
        return list(rows)
    field = across if down == "budget" else down
    lines = dict.fromkeys((row["method"], row[field]) for row in selecting)
    nothing = [
        row | {"method": method, field: value}
        for row in rows
        if row["method"] == "none"
        for method, value in lines
        if field == "method" or row[field] in (None, value)
    ]
    return nothing + selecting


def text(maps: Sequence[Map]) -> str:
    """Returns the maps as aligned blocks for a terminal, one a measure."""
    blocks = []
    for made in maps:
        blocks.append("\n".join([made.heading, *map(str.rstrip, rendering.in_columns(_grid(made)))]))
    return "\n\n".join(blocks)


def markdown(maps: Sequence[Map]) -> str:
    """Returns the maps as tables in GitHub's Markdown, one a measure."""
    blocks = []
    for made in maps:
        blocks.append("\n".join([f"**{made.heading}**", "", *rendering.markdown_lines(_grid(made))]))
    return "\n\n".join(blocks) + "\n"


def plot(maps: Sequence[Map]):
    """Returns a matplotlib figure of the maps, side by side: brighter is better, numbers in the cells.

    The colours are cividis', whose lightness rises steadily: they keep their order for the colour blind and in grey print.
    """
    from matplotlib.figure import Figure

    across = min(len(maps), PANELS_ACROSS)
    down = -(-len(maps) // across)
    width = max(3.6, 1.9 + 0.75 * len(maps[0].columns))
    height = max(2.4, 1.5 + 0.32 * len(maps[0].lines))
    figure = Figure(figsize=(across * width, down * height), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel, made in zip(panels, maps):
        _panel(panel, made)
    for panel in panels[len(maps) :]:
        panel.set_axis_off()
    return figure


def _panel(panel, made: Map) -> None:
    import textwrap

    image = panel.imshow(made.means, aspect="auto", cmap="cividis_r" if made.better == BETTER["↓"] else "cividis")
    panel.set_title("\n".join(textwrap.wrap(made.heading, 44)), fontsize=9)
    panel.set_xticks(range(len(made.columns)), made.columns, fontsize=8)
    panel.set_yticks(range(len(made.lines)), made.lines, fontsize=8)
    panel.set_ylabel(made.axes[0], fontsize=8)
    panel.set_xlabel(made.axes[1], fontsize=8)
    for line, column in np.argwhere(~np.isnan(made.means)):
        red, green, blue, _ = image.cmap(image.norm(made.means[line, column]))
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        panel.text(column, line, made.cell(line, column), ha="center", va="center", fontsize=8, color="w" if dark else "k")


def _measures(row: dict) -> dict[str, dict]:
    if "measures" in row:
        return row["measures"]
    what = f"{row['metric']} on {row['evaluated_on']}, times 100"
    return {f"{row['metric']} ↑": {"value": 100 * row["score"], "what": what}}


def _order_of(rows: Sequence[dict], down: str):
    methods = list(dict.fromkeys(row["method"] for row in rows))
    return lambda line: (line[0], methods.index(line[1]), _place(line[2], rows, down))


def _place(value, rows: Sequence[dict], field: str) -> tuple:
    """Returns the sorting key of a field's value: numbers by size, then words as they first appear."""
    if isinstance(value, int | float):
        return 0, value
    return 1, next(place for place, row in enumerate(rows) if row[field] == value)


def _label(method: str, value, with_method: bool) -> str:
    if value is None:
        return method
    return f"{method} {_number(value)}" if with_method else _number(value)


def _number(value) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _map(places: dict, title: str, column: str, axes: tuple[str, str], lines: tuple, columns: tuple) -> Map:
    means = np.full((len(lines), len(columns)), np.nan)
    for place, seeds in places.items():
        means[place] = np.mean(list(seeds.values()))
    return Map(title, column, axes, lines, columns, means, max(map(len, places.values())))


def _grid(made: Map) -> list[list[str]]:
    head = [f"{made.axes[0].split(',')[0]} \\ {made.axes[1].split(',')[0]}", *made.columns]
    lines = [
        [label, *(made.cell(line, column) for column in range(len(made.columns)))] for line, label in enumerate(made.lines)
    ]
    return [head, *lines]
