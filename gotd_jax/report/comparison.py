"""Comparison of a method with every other: its difference over the same seeds or items, tested against noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from gotd_jax.report import column_names, grouping, paired_tests

REFERENCE = "got_d"
INSIDE = "inside the noise"
EQUIVALENT = "equal within the margin"

# Returns each item's value by its id, by column, as the cell of a row left them; empty where it left none.
Items = Callable[[dict], Mapping[str, Mapping[str, float]]]


@dataclasses.dataclass(frozen=True)
class Margin:
    """The largest difference that does not matter: two lines nearer to each other are equally good.

    Attributes:
      points: of scores and accuracies, times 100.
      share: of all other measures, as a share of the other line's mean.
    """

    points: float = 1.0
    share: float = 0.02

    def __post_init__(self):
        if not (self.points > 0 and self.share > 0):
            raise ValueError(f"A margin is positive, and points is {self.points}, share {self.share}. See --config.margin.")

    def of(self, found: paired_tests.Paired, in_points: bool) -> float | None:
        """Returns the margin of a difference, in the units of its values; None without a difference."""
        if found.means is None:
            return None
        return self.points if in_points else self.share * abs(found.means[1])


MARGIN = Margin()


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two lines of a table in one column.

    Attributes:
      reference: label of the line that is compared.
      other: label of the line it is compared with.
      column: task or measure, or the average over tasks.
      found: the difference, the reference's value less the other's, and its noise.
      p: of `found`, adjusted by Holm for all tests of the table; None where there is no test.
      margin: of equivalence, in the column's units; None without a difference.
      p_equivalent: of a difference of the margin or more, adjusted by Holm in the same way; None without a test.
      settle: the fewest seeds that would settle the difference at the level at which Holm tests it; None above
        `paired_tests.MOST_SEEDS`, or where the test is not over seeds.
      verdict: on the reference, in words.
    """

    reference: str
    other: str
    column: str
    found: paired_tests.Paired
    p: float | None
    margin: float | None
    p_equivalent: float | None
    settle: int | None
    verdict: str


def compare(
    rows: Sequence[dict],
    *,
    by: Sequence[str] = ("method", "budget"),
    reference: str | None = None,
    margin: Margin = MARGIN,
    items: Items | None = None,
) -> tuple[Comparison, ...]:
    """Returns comparisons of a reference method with each other method, in each column: first the average over tasks, if any.

    Lines are compared that differ in the method alone; a field of value None is one that the method does not read and may
    differ, and so may the budget of `none`. Where there is but one method, the last line is compared with every other. An
    average is over seeds that have all tasks. Where the seeds are fewer than `paired_tests.FEWEST_TESTED`, values are paired
    over the items that both lines were measured on, each the mean over the seeds.

    Args:
      rows: as `gotd_jax.report.table.make` takes them.
      by: the fields that make a line, as that function takes them.
      reference: a method; by default `got_d` if it is there, otherwise the last.
      margin: below which a difference does not matter.
      items: the values of single items; none by default.

    Raises:
      ValueError: there are no rows of `reference`, or two rows of one line have the same task and seed.
    """
    methods = grouping.distinct(rows, "method")
    reference = reference or (REFERENCE if REFERENCE in methods else methods[-1])
    if reference not in methods:
        raise ValueError(f"There are no results of the method {reference!r} to compare with. There are: {', '.join(methods)}.")
    columns, averaged = grouping.columns_of(rows)
    fields = grouping.line_fields(rows, by)
    groups = grouping.grouped(rows, fields)
    values = {key: grouping.by_seed(group, columns, averaged) for key, group in groups.items()}
    of_items = {key: _items_by_seed(group, items) for key, group in groups.items()}
    places, differences, margins = [], [], []
    for column in ([grouping.AVERAGE] if averaged else []) + columns:
        for first, second in _pairs(list(values), fields, reference):
            places.append((grouping.label(first, fields), grouping.label(second, fields), column))
            lines = [(values[key][column], of_items[key].get(column, {})) for key in (first, second)]
            differences.append(_difference(*lines))
            in_points = any(measure.get("points") for of_line, _ in lines for measure in of_line.values())
            margins.append(margin.of(differences[-1], in_points))
    senses = [1 if "measures" not in rows[0] else column_names.sense(column) for *_, column in places]
    return tuple(
        Comparison(*place, *tested, _verdict(*tested[:2], tested[3], sense))
        for place, sense, tested in zip(places, senses, _tested(differences, margins))
    )


def _pairs(keys: list[tuple], fields: Sequence[str], reference: str) -> Iterator[tuple[tuple, tuple]]:
    """Yields the lines to compare: of `reference`, and of another method with the same other fields."""
    place = fields.index("method")
    if all(key[place] == reference for key in keys):
        yield from ((keys[-1], key) for key in keys[:-1])
        return
    for first in (key for key in keys if key[place] == reference):
        for second in (key for key in keys if key[place] != reference):
            compared = {field for field in fields if field != "method"}
            if "none" in (first[place], second[place]):
                compared -= {"budget"}
            values = [{key[fields.index(field)] for key in (first, second)} - {None} for field in compared]
            if all(len(of_field) < 2 for of_field in values):
                yield first, second


def _items_by_seed(group: Sequence[dict], items: Items | None) -> dict[str, dict[int, Mapping[str, float]]]:
    """Returns the value of every item of a line, by column, seed and id."""
    found: dict[str, dict[int, Mapping[str, float]]] = {}
    for row in group if items else ():
        for column, of_column in items(row).items():
            found.setdefault(column, {})[row["seed"]] = of_column
    return found


def _difference(first: tuple[dict, dict], second: tuple[dict, dict]) -> paired_tests.Paired:
    """Returns the difference of two lines in a column, each given as its measures and its items, by seed."""
    seeds = [seed for seed in first[0] if seed in second[0]]
    if not seeds:
        return paired_tests.Paired(0)
    if len(seeds) < paired_tests.FEWEST_TESTED:
        means = [_means(of_items, seeds) for _, of_items in (first, second)]
        common = sorted(means[0].keys() & means[1].keys())
        if len(common) > 1:
            return paired_tests.of_items(*([of_line[name] for name in common] for of_line in means), seeds=len(seeds))
    values = [[of_line[seed]["value"] for seed in seeds] for of_line, _ in (first, second)]
    if len(seeds) > 1:
        return paired_tests.of_seeds(*values)
    return paired_tests.Paired(1, (values[0][0], values[1][0]), values[0][0] - values[1][0])


def _means(of_items: Mapping[int, Mapping[str, float]], seeds: Sequence[int]) -> dict[str, float]:
    """Returns each item's mean over those of `seeds` that have it."""
    values: dict[str, list[float]] = {}
    for seed in seeds:
        for name, value in of_items.get(seed, {}).items():
            values.setdefault(name, []).append(value)
    return {name: float(np.mean(of_item)) for name, of_item in values.items()}


def _tested(differences: Sequence[paired_tests.Paired], margins: Sequence[float | None]) -> Iterator[tuple]:
    """Yields (difference, p, margin, p of equivalence, seeds to settle), each p adjusted by Holm for all of its kind."""
    for found, margin, by_holm in zip(differences, margins, paired_tests.adjusted(differences, margins)):
        p, p_equivalent, level = by_holm
        over_seeds = p is not None and found.items is None
        settle = paired_tests.seeds_to_settle(found.difference, found.spread, level) if over_seeds else None
        yield found, p, margin, p_equivalent, settle


def _verdict(found: paired_tests.Paired, p: float | None, p_equivalent: float | None, sense: int) -> str:
    if found.seeds == 0:
        return "untested: no seed in common"
    if found.spread == 0:
        return f"{INSIDE}: equal" if found.difference == 0 else "untested: the same on every seed"
    if p is None:
        return f"untested: {found.seeds} seed{'s' if found.seeds > 1 else ''}"
    above, below = ("ahead", "behind") if sense else ("higher", "lower")
    word = above if found.difference * (sense or 1) > 0 else below
    equivalent = p_equivalent < paired_tests.ALPHA
    if p < paired_tests.ALPHA:
        said = f"{word}, by less than the margin" if equivalent else word
    else:
        said = EQUIVALENT if equivalent else INSIDE
    return said if found.items is None else f"{said}, by items alone"
