"""The share of the gap that each line closes at every value of swept fields: a budget, a learning rate."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from gotd_jax.report import gap_closed, rendering
from gotd_jax.report.gap_closed import Contrast, GapClosed

FILE = "gap_by_value"
BEST = "best of each"


@dataclasses.dataclass(frozen=True, eq=False)
class GapByValue:
    """The shares of the gap by value; each value has a floor and a ceiling of its own.

    Attributes:
      fields: that are swept.
      values: of the fields, as they are printed; last `BEST` where it is asked for.
      gaps: one for each value.
      contrasts: of all values, adjusted by Holm together.
    """

    fields: tuple[str, ...]
    values: tuple[str, ...]
    gaps: tuple[GapClosed, ...]
    contrasts: tuple[Contrast, ...]


def make(
    rows: Sequence[dict], fields: Sequence[str], *, best: bool = False, contrasts: Sequence[tuple[str, str]] = (), **options
) -> GapByValue | None:
    """Returns the shares of the gap by the values of `fields`; None where no value has two whole replicates.

    Args:
      rows: of these fields, `line`, `task`, `seed` and `measures`.
      fields: swept ones. A line that does not read one has one row, which counts at every value.
      best: whether a last value has each line at its best, as `best_of_each` chooses it.
      contrasts: lines to compare at every value, written before the run.
      **options: of `gotd_jax.report.gap_closed.make`.
    """
    grouped = by_value(rows, fields)
    if best:
        grouped[BEST] = best_of_each(grouped)
    made = {value: gap_closed.make(found, **options) for value, found in grouped.items()}
    made = {value: found for value, found in made.items() if found is not None}
    if not made:
        return None
    shares, pairs = {}, []
    for value, each in made.items():
        shares |= {f"{line} at {value}": each.shares[place].mean(axis=0) for place, line in enumerate(each.lines)}
        pairs += [
            (f"{first} at {value}", f"{second} at {value}") for first, second in contrasts if {first, second} <= set(each.lines)
        ]
    margin = next(iter(made.values())).margin
    return GapByValue(tuple(fields), tuple(made), tuple(made.values()), gap_closed.contrasted(shares, pairs, margin))


def by_value(rows: Sequence[dict], fields: Sequence[str]) -> dict[str, list[dict]]:
    """Returns the rows at each value of `fields` as it is printed, ascending; a row that lacks a field is at all its values."""
    values = sorted({tuple(row[field] for field in fields) for row in rows if all(row[field] for field in fields)})
    return {
        ", ".join(f"{each:,}" for each in value): [
            row for row in rows if all(row[field] in (each, 0, None) for field, each in zip(fields, value))
        ]
        for value in values
    }


def best_of_each(grouped: dict[str, list[dict]]) -> list[dict]:
    """Returns a row of each line, target and replicate: of the value whose loss is lowest in the mean of the other replicates.

    So no row is chosen by its own loss. A line, target and replicate that a value or all other replicates lack has none.
    """
    losses = {value: gap_closed.losses_by_line(rows) for value, rows in grouped.items()}
    found = {value: {(row["line"], row["task"], row["seed"]): row for row in rows} for value, rows in grouped.items()}
    common = set.intersection(*(set(each) for each in losses.values()))
    best = []
    for line, task, seed in sorted(common):
        others = [other for of_line, of_task, other in common if (of_line, of_task) == (line, task) and other != seed]
        if others:
            means = {value: np.mean([each[line, task, other] for other in others]) for value, each in losses.items()}
            best.append(found[min(means, key=means.get)][line, task, seed])
    order = list(dict.fromkeys(row["line"] for rows in grouped.values() for row in rows))
    return sorted(best, key=lambda row: order.index(row["line"]))


def text(made: GapByValue) -> str:
    """Returns the means over targets by value, the contrasts, and each value's own table, for a terminal."""
    return _written(made, rendering.aligned, gap_closed.text)


def markdown(made: GapByValue) -> str:
    """Returns the same as Markdown."""
    return _written(made, rendering.markdown_lines, gap_closed.markdown).rstrip() + "\n"


def plot(made: GapByValue):
    """Returns a matplotlib figure: the mean share of the gap over the values, a curve with its intervals a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(made.values))
    for line in dict.fromkeys(line for gap in made.gaps for line in gap.lines):
        at = [place for place, gap in enumerate(made.gaps) if line in gap.lines]
        found = [made.gaps[place].interval(made.gaps[place].lines.index(line), None) for place in at]
        means = np.array([each.difference for each in found])
        ends = np.array([each.interval or 2 * (each.difference,) for each in found]).T
        axes.errorbar(places[at], means, yerr=np.abs(ends - means), marker="o", linewidth=1, capsize=2, label=line)
    axes.set(xticks=places, xticklabels=made.values, xlabel=", ".join(made.fields), ylabel="gap closed, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _written(made: GapByValue, lines_of: Callable, of_each: Callable[[GapClosed], str]) -> str:
    means = [["line", *made.values]]
    for line in dict.fromkeys(line for gap in made.gaps for line in gap.lines):
        shown = (gap_closed.shown(gap.interval(gap.lines.index(line), None)) if line in gap.lines else "" for gap in made.gaps)
        means.append([line, *shown])
    by = ", ".join(made.fields)
    parts = [
        f"Share of the gap between random and oracle that is closed, mean over targets, %, by {by}; 95 % intervals.",
        "\n".join(lines_of(means)),
    ]
    if made.contrasts:
        parts.append("\n".join(lines_of(gap_closed.contrast_grid(made.contrasts))))
    for value, gap in zip(made.values, made.gaps):
        parts.append(f"{by} {value}. {of_each(gap).rstrip()}")
    return "\n\n".join(parts)
