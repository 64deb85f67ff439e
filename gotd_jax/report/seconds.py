"""How long selecting took: a line a method and a value of a swept field, a column a step."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from gotd_jax.report import rendering

FIELDS = ("by",)
FILE = "seconds"
STEPS = {"embed": "embed, s", "losses": "losses, s", "select": "select, s"}


@dataclasses.dataclass(frozen=True, eq=False)
class Seconds:
    """Seconds by step.

    Attributes:
      methods: of each line.
      candidates: in the pool, int64 [lines].
      seconds: float64 [lines, steps], means over cells.
    """

    methods: tuple[str, ...]
    candidates: np.ndarray
    seconds: np.ndarray


def make(rows: Sequence[dict], by: str) -> Seconds:
    """Returns the seconds of the steps up to the selection; of cells of one method and value of `by`, the mean.

    Args:
      rows: of `method`, `by`, `pool` (domain -> chunks) and `seconds` (step -> seconds).
      by: a swept field.

    Raises:
      ValueError: there are no rows.
    """
    if not rows:
        raise ValueError("There are no results to time. Run at least one cell.")
    lines: dict[tuple, list[dict]] = {}
    for row in rows:
        if row["method"] != "none":
            lines.setdefault((row["method"], row[by]), []).append(row)
    steps = [[[row["seconds"][step] for step in STEPS] for row in group] for group in lines.values()]
    sizes = [sum(group[0]["pool"].values()) for group in lines.values()]
    return Seconds(tuple(method for method, _ in lines), np.array(sizes), np.array([np.mean(of, axis=0) for of in steps]))


def text(made: Seconds) -> str:
    """Returns the seconds in aligned columns."""
    return "\n".join(rendering.in_columns(_grid(made)))


def markdown(made: Seconds) -> str:
    """Returns the seconds as a table in GitHub's Markdown."""
    return "\n".join(rendering.markdown_lines(_grid(made))) + "\n"


def plot(made: Seconds):
    """Returns a matplotlib figure: all steps' seconds against the number of candidates, both logarithmic, a line a method."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    methods = list(dict.fromkeys(made.methods))
    for number, method in enumerate(methods):
        own = np.array([name == method for name in made.methods])
        colour = colormaps["cividis"](number / max(len(methods) - 1, 1))
        axes.loglog(made.candidates[own], made.seconds[own].sum(axis=1), marker="o", color=colour, label=method)
        axes.annotate(method, (made.candidates[own][-1], made.seconds[own][-1].sum()), fontsize=8)
    axes.set(xlabel="candidates", ylabel="seconds up to the selection")
    figure.legend(loc="outside right center", frameon=False, fontsize=8)
    return figure


def _grid(made: Seconds) -> list[list[str]]:
    lines = zip(made.methods, made.candidates, made.seconds)
    return [
        ["method", "candidates", *STEPS.values(), "candidates a second"],
        *(
            [method, f"{size:,}", *(f"{of:,.1f}" for of in steps), f"{size / max(steps.sum(), 1e-3):,.0f}"]
            for method, size, steps in lines
        ),
    ]
