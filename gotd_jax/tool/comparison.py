"""`gotd diff`: two selections side by side."""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax.data.corpus import content_hash
from gotd_jax.tool.chosen import Chosen

SHOWN = 5  # texts that only one of the selections has


@dataclasses.dataclass(frozen=True)
class Difference:
    """The overlap of two selections, and their differences.

    Attributes:
      chunks: of each selection.
      shared: texts that are in both.
      requests: fields of the request in which they differ, with both values.
      domains: chunks of each selection, by the domain's name.
      correlation: Spearman's rank correlation of the values of the chunks that both have values for; None where a method gives
        none, or the pools have fewer than two chunks in common.
      alone: the best texts that only the first selection has, and those that only the second has.
    """

    chunks: tuple[int, int]
    shared: int
    requests: dict[str, tuple]
    domains: dict[str, tuple[int, int]]
    correlation: float | None
    alone: tuple[list[str], list[str]]


def diff(one: Chosen, other: Chosen) -> Difference:
    """Returns the overlap and the differences of two selections; chunks are the same where their texts are."""
    requests = [chosen.manifest["request"] for chosen in (one, other)]
    domains = [chosen.manifest["selected"]["domains"] for chosen in (one, other)]
    hashes = [[content_hash(text) for text in chosen.table["text"].to_pylist()] for chosen in (one, other)]
    sets = [set(found) for found in hashes]
    return Difference(
        chunks=(len(one), len(other)),
        shared=len(sets[0] & sets[1]),
        requests={
            name: (requests[0].get(name), requests[1].get(name))
            for name in dict.fromkeys([*requests[0], *requests[1]])
            if requests[0].get(name) != requests[1].get(name)
        },
        domains={
            name: (domains[0].get(name, 0), domains[1].get(name, 0)) for name in dict.fromkeys([*domains[0], *domains[1]])
        },
        correlation=_correlation(one, other),
        alone=tuple(
            [text for text, hash in zip(chosen.table["text"].to_pylist(), own) if hash not in rest][:SHOWN]
            for chosen, own, rest in zip((one, other), hashes, reversed(sets))
        ),
    )


def _correlation(one: Chosen, other: Chosen) -> float | None:
    from scipy.stats import spearmanr

    values = [chosen.values() for chosen in (one, other)]
    if any(value is None or value.ndim > 1 for value in values):
        return None
    hashes = [np.array(chosen.pool["hash"].to_pylist(), "V16") for chosen in (one, other)]
    valued = [np.flatnonzero(np.isfinite(value)) for value in values]
    _, first, second = np.intersect1d(hashes[0][valued[0]], hashes[1][valued[1]], return_indices=True)
    if len(first) < 2:
        return None
    return float(spearmanr(values[0][valued[0]][first], values[1][valued[1]][second]).statistic)
