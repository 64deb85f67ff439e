"""Shares of the domains in the selections, in percent: of each method, and as a figure by a swept field, table and bars."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

import numpy as np

from gotd_jax.report import rendering

FIELDS = ("by",)
FILE = "shares"


@dataclasses.dataclass(frozen=True, eq=False)
class Shares:
    """Shares of the domains in each line.

    Attributes:
      domains: of the pool.
      lines: the pool, the target where its texts have domains, and the selections.
      percent: float64 [lines, domains].
      chunks: the number of chunks in each line, int64 [lines].
    """

    domains: tuple[str, ...]
    lines: tuple[str, ...]
    percent: np.ndarray
    chunks: np.ndarray


def by_method(rows: Sequence[dict], *, by_task: bool = False) -> str:
    """Returns, in aligned columns, the share of each domain in each method's selections, or in each line's, in percent.

    Args:
      rows: of `method`, or of a `line` that has a name of its own, `selected` and `pool` (domain -> chunks); all cells of a
        method or line are added up.
      by_task: whether those of each `task` are lines of their own.
    """
    pool = Counter(rows[0]["pool"])
    lines = [["selected from, %", *pool], ["(the pool)", *_percent(pool, pool)]]
    names = [row.get("line", row["method"]) for row in rows]
    if by_task:
        names = [f"{row['task']}, {name}" for row, name in zip(rows, names)]
    for name in dict.fromkeys(names):
        selected = sum((Counter(row["selected"]) for row, own in zip(rows, names) if own == name), Counter())
        if selected:
            lines.append([name, *_percent(selected, pool)])
    return "\n".join(map(str.rstrip, rendering.in_columns(lines, left=range(len(lines[0])))))


def make(rows: Sequence[dict], by: str) -> Shares:
    """Returns the shares of pool, target and selections; cells of one method and value of `by` are added up.

    Args:
      rows: of `method`, `by` (None where the method reads none), `pool`, `target_domains` and `selected` (domain -> chunks).
      by: a swept field.

    Raises:
      ValueError: there are no rows, or their pools differ.
    """
    pools = list({tuple(row["pool"].items()): row["pool"] for row in rows}.values())
    if len(pools) != 1:
        raise ValueError(f"The shares of one pool are shown, and the results are of {len(pools)}. Plot each by itself.")
    counted = {"(the pool)": Counter(pools[0])}
    if set(rows[0]["target_domains"]) & set(pools[0]):
        counted["(the target)"] = Counter(rows[0]["target_domains"])
    for row in rows:
        label = row["method"] if row[by] is None else f"{row['method']}, {by} {row[by]}"
        counted[label] = counted.get(label, Counter()) + Counter(row["selected"])
    counts = np.array([[of[domain] for domain in pools[0]] for of in counted.values()])
    totals = counts.sum(axis=1)
    return Shares(tuple(pools[0]), tuple(counted), 100 * counts / np.maximum(totals, 1)[:, None], totals)


def text(made: Shares) -> str:
    """Returns the shares in aligned columns, in percent, and each line's number of chunks."""
    return "\n".join(rendering.in_columns(_grid(made)))


def markdown(made: Shares) -> str:
    """Returns the shares as a table in GitHub's Markdown."""
    return "\n".join(rendering.markdown_lines(_grid(made))) + "\n"


def plot(made: Shares):
    """Returns a matplotlib figure: a bar a line, parted by domain, with the percentages in it."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 1.1 + 0.3 * len(made.lines)), layout="constrained")
    axes = figure.subplots()
    left, places = np.zeros(len(made.lines)), np.arange(len(made.lines))
    for number, domain in enumerate(made.domains):
        shade = number / max(len(made.domains) - 1, 1)
        widths = made.percent[:, number]
        bars = axes.barh(places, widths, left=left, color=colormaps["cividis"](shade), label=domain)
        labels = [f"{width:.0f}" if width >= 4 else "" for width in widths]
        axes.bar_label(bars, labels, label_type="center", fontsize=8, color="w" if shade < 0.5 else "k")
        left = left + widths
    axes.set_yticks(places, made.lines, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="share of the chunks, %", xlim=(0, 100))
    figure.legend(loc="outside upper center", ncols=len(made.domains), frameon=False, fontsize=8)
    return figure


def _percent(selected: Counter, pool: Counter) -> list[str]:
    total = sum(selected.values())
    return [f"{100 * selected[domain] / total:.1f}" for domain in pool]


def _grid(made: Shares) -> list[list[str]]:
    lines = zip(made.lines, made.percent, made.chunks)
    return [
        ["selected from, %", *made.domains, "chunks"],
        *([label, *(f"{share:.1f}" for share in percent), f"{chunks:,}"] for label, percent, chunks in lines),
    ]
