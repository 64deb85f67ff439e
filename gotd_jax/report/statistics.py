"""Which method is ahead of which, and whether by more than noise: every pair compared over the same seeds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from gotd_jax.report import columns as columns_module
from gotd_jax.report import grouping, paired

REFERENCE = "got_d"
INSIDE = "inside the noise"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two lines of a table in one column.

    Attributes:
      reference: label of the line that is compared.
      other: label of the line it is compared with.
      column: task or measure, or the average over tasks.
      found: the difference, the reference's value less the other's, and its noise.
      p: of `found`, adjusted by Holm for all tests of the table; None where there is no test.
      verdict: on the reference, in words.
    """

    reference: str
    other: str
    column: str
    found: paired.Paired
    p: float | None
    verdict: str


def compare(
    rows: Sequence[dict], *, by: Sequence[str] = ("method", "budget"), reference: str | None = None
) -> tuple[Comparison, ...]:
    """Returns a reference method against each other method, in each column: the average over tasks first, if there is one.

    Lines are compared that differ in the method alone; a field of value None is one that the method does not read and may
    differ, and so may the budget of `none`. Where there is but one method, the last line is compared with each other. An
    average is over seeds that have all tasks.

    Args:
      rows: as `gotd_jax.report.table.make` takes them.
      by: the fields that make a line, as there.
      reference: a method; by default `got_d` if it is there, otherwise the last.

    Raises:
      ValueError: there are no rows of `reference`, or two rows of one line have the same task and seed.
    """
    methods = grouping.distinct(rows, "method")
    reference = reference or (REFERENCE if REFERENCE in methods else methods[-1])
    if reference not in methods:
        raise ValueError(f"There are no results of the method {reference!r} to compare with. There are: {', '.join(methods)}.")
    columns, averaged = grouping.columns_of(rows)
    told_by = grouping.fields_told(rows, by)
    values = {key: grouping.by_seed(group, columns, averaged) for key, group in grouping.grouped(rows, told_by).items()}
    places, differences = [], []
    for column in ([grouping.AVERAGE] if averaged else []) + columns:
        for first, second in _pairs(list(values), told_by, reference):
            places.append((grouping.label(first, told_by), grouping.label(second, told_by), column))
            differences.append(_difference(values[first][column], values[second][column]))
    senses = [1 if "measures" not in rows[0] else columns_module.sense(column) for *_, column in places]
    adjusted = _adjusted(differences)
    reach = _reach(differences)
    return tuple(
        Comparison(*place, found, p, _verdict(found, p, sense, reach))
        for place, found, p, sense in zip(places, differences, adjusted, senses)
    )


def _pairs(keys: list[tuple], told_by: Sequence[str], reference: str) -> Iterator[tuple[tuple, tuple]]:
    """Yields the lines to compare: of `reference`, and of another method with the same other fields."""
    place = told_by.index("method")
    if all(key[place] == reference for key in keys):
        yield from ((keys[-1], key) for key in keys[:-1])
        return
    for first in (key for key in keys if key[place] == reference):
        for second in (key for key in keys if key[place] != reference):
            told = {field for field in told_by if field != "method"}
            if "none" in (first[place], second[place]):
                told -= {"budget"}
            values = [{key[told_by.index(field)] for key in (first, second)} - {None} for field in told]
            if all(len(of_field) < 2 for of_field in values):
                yield first, second


def _difference(first: dict[int, dict], second: dict[int, dict]) -> paired.Paired:
    seeds = [seed for seed in first if seed in second]
    values = [[of_line[seed]["value"] for seed in seeds] for of_line in (first, second)]
    if len(seeds) > 1:
        return paired.of_seeds(*values)
    if not seeds:
        return paired.Paired(0)
    errors = tuple(of_line[seeds[0]].get("error") for of_line in (first, second))
    return paired.of_items(values[0][0], values[1][0], errors)


def _adjusted(differences: list[paired.Paired]) -> list[float | None]:
    adjusted = iter(paired.holm([found.p for found in differences if found.p is not None]))
    return [None if found.p is None else next(adjusted) for found in differences]


def _reach(differences: list[paired.Paired]) -> float:
    """Returns how many errors over items a difference may have by chance: a normal's, Bonferroni for all of the table's."""
    from scipy import stats

    of_items = sum(found.noise is not None for found in differences)
    return float(stats.norm.isf(paired.ALPHA / 2 / max(of_items, 1)))


def _verdict(found: paired.Paired, p: float | None, sense: int, reach: float) -> str:
    if found.seeds == 0:
        return "untested: no seed in common"
    above, below = ("ahead", "behind") if sense else ("higher", "lower")
    word = above if found.difference * (sense or 1) > 0 else below
    if p is not None:
        return word if p < paired.ALPHA else INSIDE
    if found.noise is not None:
        return f"{word}, by items alone" if abs(found.difference) > reach * found.noise else f"{INSIDE}, by items alone"
    if found.spread is None:
        return "untested: 1 seed"
    return f"{INSIDE}: equal" if found.difference == 0 else "untested: the seeds change nothing"
