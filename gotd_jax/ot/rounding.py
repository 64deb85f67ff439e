"""From a selection with parts of candidates to one of whole candidates."""

from __future__ import annotations

import numpy as np


def in_turns(parts: np.ndarray, count: int, embeddings: np.ndarray, targets: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Returns which `count` whole candidates serve about the same targets as `parts` of them, int64, ascending.

    The candidates stand in line, those that serve the same target together and near targets side by side, and each takes up
    its part of the line. Those at the middles of `count` equal lengths of it are taken (systematic sampling, without the
    draw): of the candidates of a target as many as their parts add up to, or one more or less.

    Args:
      parts: of each candidate, float64 [rows], in (0, 1), their sum near `count`.
      count: how many to take.
      embeddings: of the candidates, less the targets' shift, float32 [rows, d].
      targets: less the same shift, float32 [m, d].
      g: their potentials, float [m].
    """
    served = np.argmax(2.0 * embeddings @ targets.T + (g - np.sum(targets * targets, axis=1)), axis=1)
    line = np.lexsort((-parts, _side_by_side(targets)[served]))
    ends = np.cumsum(parts[line])
    taken = np.searchsorted(ends, (np.arange(count) + 0.5) * ends[-1] / max(count, 1))
    return np.sort(line[taken]).astype(np.int64)


def _side_by_side(targets: np.ndarray) -> np.ndarray:
    """Returns each target's place in a chain in which the next is the nearest that is left, int [m]."""
    places, left, last = np.empty(len(targets), np.int64), np.arange(len(targets)), 0
    for place in range(len(targets)):
        nearest = int(np.argmin(np.sum((targets[left] - targets[last]) ** 2, axis=1)))
        last, left = left[nearest], np.delete(left, nearest)
        places[last] = place
    return places
