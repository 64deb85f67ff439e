"""Samples of rows: evenly spaced, or drawn at random."""

from __future__ import annotations

import numpy as np


def spread(count: int, most: int) -> np.ndarray:
    """Returns at most `most` of the rows below `count`, evenly spaced from the first to the last, int64, ascending."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def drawn(count: int, most: int, seed: int) -> np.ndarray:
    """Returns at most `most` of the rows below `count`, drawn by `seed` without repetition, int64, ascending."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
