"""The table of comparisons between methods: those that a reader needs as text, all as comma-separated values."""

from __future__ import annotations

import csv as csv_module
import io
from collections.abc import Sequence

from gotd_jax.report import grouping, rendering
from gotd_jax.report.comparison import EQUIVALENT, INSIDE, Comparison
from gotd_jax.report.paired_tests import ALPHA, FEWEST_BOOTSTRAPPED, FEWEST_TESTED, MOST_SEEDS, POWER

LINES = 30  # of the text, at most
HEADER = ("reference", "other", "column", "reference_mean", "other_mean", "difference", "spread", "low", "high", "interval",
          "p", "p_holm", "margin", "p_equivalent_holm", "seeds", "items", "verdict", "seeds_to_settle")  # fmt: skip
SAID = {
    "bootstrap": "by bootstrap over seeds",
    "t": f"(t) by Student's t, where seeds are fewer than {FEWEST_BOOTSTRAPPED}",
    "items": "(items) by bootstrap over the items that both were measured on, which says nothing of other seeds",
}


def text(comparisons: Sequence[Comparison]) -> str:
    """Returns the comparisons that a reader needs, in aligned columns, and notes on them; empty for none.

    That is the average over tasks, or as many leading columns as `LINES` has room for, and then, of the rest, those
    outside the noise. Where no pair can be tested it is one sentence.
    """
    if not comparisons:
        return ""
    if all(comparison.found.interval is None for comparison in comparisons):
        reasons = dict.fromkeys(comparison.verdict for comparison in comparisons)
        said = f"Differences between the lines cannot be told from noise ({'; '.join(reasons)}): statistics.csv."
        few = any(comparison.found.seeds < FEWEST_TESTED for comparison in comparisons)
        return f"{said} Run {FEWEST_TESTED} seeds or more." if few else said
    shown = _shown(comparisons)
    head = ["difference of", "column", "difference", "95 % interval", "p (Holm)", "seeds", "verdict", "seeds to settle"]
    grid = [head, *map(_cells, shown)]
    return "\n".join([*rendering.aligned(grid, left=(0, 1, 6)), "", *_notes(comparisons, shown)])


def csv(comparisons: Sequence[Comparison]) -> str:
    """Returns one line a comparison, numbers to six significant digits; unknown numbers are left empty."""
    file = io.StringIO()
    writer = csv_module.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    for comparison in comparisons:
        found = comparison.found
        means, interval = found.means or (None, None), found.interval or (None, None)
        numbers = [*means, found.difference, found.spread, *interval]
        tested = [*map(_digits, (found.p, comparison.p, comparison.margin, comparison.p_equivalent)), found.seeds]
        tested += ["" if found.items is None else found.items, comparison.verdict, _settled(comparison)]
        places = (comparison.reference, comparison.other, comparison.column)
        writer.writerow([*places, *map(_digits, numbers), found.kind, *tested])
    return file.getvalue()


def _shown(comparisons: Sequence[Comparison]) -> list[Comparison]:
    columns = list(dict.fromkeys(comparison.column for comparison in comparisons))
    room = 1 if columns[0] == grouping.AVERAGE else max(1, LINES * len(columns) // len(comparisons))
    leading = [comparison for comparison in comparisons if comparison.column in columns[:room]]
    rest = [comparison for comparison in comparisons if comparison.column in columns[room:]]
    return [*leading, *filter(_stands_out, rest)][:LINES]


def _stands_out(comparison: Comparison) -> bool:
    return comparison.found.interval is not None and not comparison.verdict.startswith((INSIDE, EQUIVALENT))


def _cells(comparison: Comparison) -> list[str]:
    found = comparison.found
    # Shares and toxicities of 0 to 1 need a digit more than scores of 0 to 100.
    digits = 3 if found.means and max(map(abs, found.means)) < 2 else 2
    interval = "" if found.interval is None else "[{:+.{d}f}, {:+.{d}f}]".format(*found.interval, d=digits)
    mark = f" ({found.kind})" if found.kind in ("t", "items") else ""
    p = "" if comparison.p is None else "<0.001" if comparison.p < 0.001 else f"{comparison.p:.3f}"
    difference = "" if found.difference is None else f"{found.difference:+.{digits}f}"
    pair = f"{comparison.reference} - {comparison.other}"
    return [pair, comparison.column, difference, interval + mark, p, str(found.seeds), comparison.verdict, _settled(comparison)]


def _settled(comparison: Comparison) -> str:
    if comparison.found.p is None or comparison.found.items is not None:
        return ""
    return f"more than {MOST_SEEDS:,}" if comparison.settle is None else str(comparison.settle)


def _notes(comparisons: Sequence[Comparison], shown: Sequence[Comparison]) -> list[str]:
    kinds = [SAID[kind] for kind in SAID if any(comparison.found.kind == kind for comparison in shown)]
    notes = [f"95 % interval: {'; '.join(kinds)}."]
    tests = [comparison for comparison in comparisons if comparison.p is not None]
    if any(comparison.found.items is None for comparison in tests):
        notes.append(
            f"p: paired t-test over the seeds in common, adjusted by Holm for the {len(tests)} tests of the table. Seeds to "
            f"settle: what the test needs, at its level under Holm, to find a difference of the size seen with power {POWER}."
        )
    if any(comparison.found.items is not None for comparison in tests):
        notes.append(
            "p over items: McNemar's exact test where they are right or wrong, otherwise a paired t-test, adjusted by Holm "
            f"for the {len(tests)} tests of the table."
        )
    if tests:
        margins = list(dict.fromkeys(_digits(comparison.margin) for comparison in tests))
        margin = margins[0] if len(margins) == 1 else "the column's margin in statistics.csv"
        notes.append(
            f"Equal within the margin: two one-sided tests at {ALPHA}, adjusted by Holm, show a difference below {margin}. "
            "Inside the noise: neither a difference nor its absence is shown."
        )
    left = [comparison for comparison in comparisons if comparison not in shown]
    if left:
        outside = sum(map(_stands_out, left)) or "none"
        notes.append(
            f"Not shown: {len(left)} of {len(comparisons)} comparisons, {outside} outside the noise; see statistics.csv."
        )
    return notes


def _digits(number: float | None) -> str:
    return "" if number is None else f"{number:.6g}"
