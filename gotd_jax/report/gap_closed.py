"""The share of the gap between a random selection and the oracle's that each line closes, and the contrasts between lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from gotd_jax.report import column_names, paired_tests, rendering

FILE = "gap_closed"
MEAN = "mean"  # over targets


@dataclasses.dataclass(frozen=True)
class Contrast:
    """Two lines, compared over replicates by the share of the gap that they close, each a mean over targets.

    Attributes:
      first: a line.
      second: the line it is compared with.
      found: the first's share less the second's, percent.
      p: adjusted by Holm for all contrasts; None where there is no test.
      p_equivalent: of a difference of the margin or more, adjusted in the same way.
      verdict: in words.
    """

    first: str
    second: str
    found: paired_tests.Paired
    p: float | None
    p_equivalent: float | None
    verdict: str


@dataclasses.dataclass(frozen=True, eq=False)
class GapClosed:
    """The shares of the gap, percent.

    Attributes:
      lines: in the order of the sweep.
      targets: those that have a gap, in that order too.
      replicates: seeds that every line and target has.
      shares: of each line, target and replicate, float64 [lines, targets, replicates].
      losses: bits per byte, of the same.
      contrasts: between lines.
      margin: of equivalence, percent of the gap.
    """

    lines: tuple[str, ...]
    targets: tuple[str, ...]
    replicates: tuple[int, ...]
    shares: np.ndarray
    losses: np.ndarray
    contrasts: tuple[Contrast, ...]
    margin: float

    def interval(self, line: int, target: int | None) -> paired_tests.Paired:
        """Returns the mean share of a line over replicates with its interval; of a target, or of the mean over targets."""
        values = self.shares[line].mean(axis=0) if target is None else self.shares[line, target]
        return paired_tests.of_seeds(values, np.zeros_like(values))


def make(
    rows: Sequence[dict],
    *,
    floor: str,
    ceiling: str,
    contrasts: Sequence[tuple[str, str]] = (),
    margin: float = 10.0,
    control: Collection[str] = (),
) -> GapClosed | None:
    """Returns the shares of the gap of all lines; None where no replicate is whole, or there is but one.

    The share of a line is (floor - line) / (floor - ceiling), losses on held-out text of the target: of each replicate's
    line its own difference, over the mean gap of all replicates, so that a replicate of a small gap does not count more.

    Args:
      rows: of `line`, `task`, `seed` and `measures`.
      floor: the line whose loss closes none of the gap.
      ceiling: the line whose loss closes all of it.
      contrasts: lines to compare, written before the run.
      margin: below which a difference does not matter, percent of the gap.
      control: targets that have no gap.

    Raises:
      ValueError: a contrast names a line that there is none of.
    """
    losses = {key: value for key, value in losses_by_line(rows).items() if key[1] not in control}
    lines = tuple(dict.fromkeys(line for line, _, _ in losses))
    if unknown := {name for pair in contrasts for name in pair} - set(lines):
        raise ValueError(f"A contrast names the line {', '.join(sorted(unknown))}. There are: {', '.join(lines)}.")
    targets = tuple(dict.fromkeys(task for _, task, _ in losses))
    seeds = {seed for _, _, seed in losses}
    whole = tuple(sorted(s for s in seeds if all((line, task, s) in losses for line in lines for task in targets)))
    if len(whole) < 2 or not {floor, ceiling} <= set(lines):
        return None
    grid = np.array([[[losses[line, task, seed] for seed in whole] for task in targets] for line in lines])
    at_floor = grid[lines.index(floor)]
    gaps = (at_floor - grid[lines.index(ceiling)]).mean(axis=1)
    shares = 100 * (at_floor - grid) / gaps[:, None]
    values = {line: shares[place].mean(axis=0) for place, line in enumerate(lines)}
    return GapClosed(lines, targets, whole, shares, grid, contrasted(values, contrasts, margin), margin)


def losses_by_line(rows: Sequence[dict]) -> dict[tuple[str, str, int], float]:
    """Returns the loss on held-out text of the target, bits per byte, by line, target and replicate."""
    found = {}
    for row in rows:
        measure = row["measures"].get(column_names.loss(row["task"]))
        if measure:
            found[row["line"], row["task"], row["seed"]] = measure["value"]
    return found


def contrasted(values: Mapping[str, np.ndarray], contrasts: Sequence[tuple[str, str]], margin: float) -> tuple[Contrast, ...]:
    """Returns contrasts between `values`, shares by line and replicate, adjusted by Holm for as many as there are."""
    found = [paired_tests.of_seeds(values[first], values[second]) for first, second in contrasts]
    tested = paired_tests.adjusted(found, len(found) * [margin])
    return tuple(
        Contrast(*lines, each, p, p_equivalent, _verdict(each, p, p_equivalent))
        for lines, each, (p, p_equivalent, _) in zip(contrasts, found, tested)
    )


def _verdict(found: paired_tests.Paired, p: float | None, p_equivalent: float | None) -> str:
    if p is None:
        return f"untested: {found.seeds} replicates"
    word = "more" if found.difference > 0 else "less"
    if p < paired_tests.ALPHA:
        return f"{word}, by less than the margin" if p_equivalent < paired_tests.ALPHA else word
    return "equal within the margin" if p_equivalent < paired_tests.ALPHA else "not told apart"


def text(made: GapClosed) -> str:
    """Returns the table and the contrasts for a terminal."""
    tables = "\n\n".join("\n".join(rendering.aligned(grid)) for grid in _grids(made) if len(grid) > 1)
    return f"{_caption(made)}\n\n{tables}"


def markdown(made: GapClosed) -> str:
    """Returns the table and the contrasts as Markdown."""
    tables = "\n\n".join("\n".join(rendering.markdown_lines(grid)) for grid in _grids(made) if len(grid) > 1)
    return f"{_caption(made)}\n\n{tables}\n"


def plot(made: GapClosed):
    """Returns a matplotlib figure: a panel a target and one for their mean, a dot with its interval a line."""
    from matplotlib.figure import Figure

    panels = [*enumerate(made.targets), (None, MEAN)]
    figure = Figure(figsize=(2.2 * len(panels) + 1.5, 0.3 * len(made.lines) + 1.2), layout="constrained")
    for axes, (number, name) in zip(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels):
        found = [made.interval(line, number) for line in range(len(made.lines))]
        means = [each.difference for each in found]
        ends = [each.interval or (each.difference, each.difference) for each in found]
        places = np.arange(len(found))[::-1]
        spans = np.abs(np.transpose(ends) - means)
        axes.errorbar(means, places, xerr=spans, fmt="o", color="#1f4e79", ecolor="#9bb8d3", elinewidth=2, markersize=4)
        for end in (0, 100):
            axes.axvline(end, color="#888888", linewidth=0.8, linestyle=":")
        axes.set(title=name, yticks=places, yticklabels=made.lines)
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
    figure.supxlabel("gap between random and oracle closed, %")
    return figure


def _caption(made: GapClosed) -> str:
    return (
        f"Share of the gap between random and oracle that is closed, in the loss on held-out text of the target, %; "
        f"{len(made.replicates)} replicates, 95 % intervals."
    )


def _grids(made: GapClosed) -> tuple[list[list[str]], list[list[str]]]:
    columns = [*range(len(made.targets)), None]
    shares = [["line", *made.targets, MEAN]]
    for place, line in enumerate(made.lines):
        shares.append([line, *(shown(made.interval(place, column)) for column in columns)])
    return shares, contrast_grid(made.contrasts)


def contrast_grid(contrasts: Sequence[Contrast]) -> list[list[str]]:
    """Returns the table of contrasts, a heading first."""
    grid = [["contrast", "difference, % of the gap", "p (Holm)", "p of equivalence", "verdict"]]
    for each in contrasts:
        tests = ["" if p is None else f"{p:.2g}" for p in (each.p, each.p_equivalent)]
        grid.append([f"{each.first} - {each.second}", shown(each.found), *tests, each.verdict])
    return grid


def shown(found: paired_tests.Paired) -> str:
    """Returns a difference and its interval: `7.4 [5.9, 9.9]`."""
    if found.interval is None:
        return f"{found.difference:.1f}"
    low, high = found.interval
    return f"{found.difference:.1f} [{low:.1f}, {high:.1f}]"
