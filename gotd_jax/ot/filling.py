"""Where a unit of mass lies cheapest, when no place holds more than its capacity."""

from __future__ import annotations

import numpy as np


def fill(values: np.ndarray, capacities: np.ndarray | float, width: float = 0.0) -> np.ndarray:
    """Returns the weights w that minimise sum_i w_i v_i + width / 2 sum_i w_i^2 / c_i, float64 [n].

    Over 0 <= w_i <= c_i with sum w = 1. Without `width` the lowest values are filled to their capacities, and one of them in
    part: sum_i w_i v_i is then the mean of the lowest share of the values. With it w_i = c_i min(1, max(0, (level - v_i) /
    width)), which moves with the values without a jump.

    Args:
      values: v, float [n].
      capacities: c, positive, their sum at least 1; one for each value or one for all.
      width: the range of values, in their unit, over which places are filled in part.
    """
    values = np.asarray(values, np.float64)
    capacities = np.broadcast_to(np.asarray(capacities, np.float64), values.shape)
    if capacities.sum() <= 1 + 1e-9:
        return capacities / capacities.sum()
    order = np.argsort(values, kind="stable")
    filled = np.cumsum(capacities[order])
    if width == 0:
        weights = np.empty(len(values))
        weights[order] = np.clip(1.0 - (filled - capacities[order]), 0.0, capacities[order])
        return weights
    last = values[order[np.searchsorted(filled, 1.0)]]
    weights = capacities * np.clip((_level(values, capacities, last, width) - values) / width, 0.0, 1.0)
    return weights / weights.sum()


def partly_filled(weights: np.ndarray, capacities: np.ndarray | float) -> np.ndarray:
    """Returns whether each place is neither empty nor full, bool [n]: the weights that move when values do."""
    return (weights > 0) & (weights < capacities * (1 - 1e-9))


def _level(values: np.ndarray, capacities: np.ndarray, last: float, width: float) -> float:
    """Returns the level that fills the places with a unit of mass; it lies between `last` and `last` + width."""
    near, full = np.abs(values - last) <= width, capacities[values < last - width].sum()
    turns = np.concatenate([values[near], values[near] + width])  # where a place begins to fill, and where it is full
    order = np.argsort(turns)
    slopes = np.cumsum(np.concatenate([capacities[near], -capacities[near]])[order] / width)
    mass = full + np.concatenate([[0.0], np.cumsum(slopes[:-1] * np.diff(turns[order]))])
    return float(np.interp(1.0, np.maximum.accumulate(mass), turns[order]))
