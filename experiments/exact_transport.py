"""How good a selection is by itself, measured with exact optimal transport: on embeddings alone, no model is trained."""

from __future__ import annotations

import numpy as np

from gotd_jax.progress import waiting
from third_party.pot_solvers import exact_cost, exact_duals, squared_distances

ROWS_PER_BLOCK = 4096


def shared(rows: np.ndarray, reference: np.ndarray) -> float:
    """Returns the share of `reference`, positions in the pool, that is among `rows`."""
    return len(np.intersect1d(rows, reference)) / len(reference)


def exact_values(x: np.ndarray, y: np.ndarray, solved_on: np.ndarray) -> np.ndarray:
    """Returns the candidates' unregularised dual potentials, float64 [n]: the limit of `got_d` as epsilon goes to 0.

    The linear programme is solved on some candidates, and all are valued by min_j |x - y_j|^2 - g_j with its target duals g:
    on those that it was solved on, these are its own duals. Where their number is a multiple of m the duals are not unique.

    Args:
      x: candidates, float32 [n, d].
      y: targets, float32 [m, d].
      solved_on: rows of the candidates to solve on; 8 bytes of memory for each and each target, and more.
    """
    with waiting("exact transport"):
        _, duals, _ = exact_duals(x[solved_on], y)
    starts = range(0, len(x), ROWS_PER_BLOCK)
    blocks = (squared_distances(x[start : start + ROWS_PER_BLOCK], y) - duals for start in starts)
    return np.concatenate([block.min(axis=1) for block in blocks])


def effective_cost(pool: np.ndarray, chosen: np.ndarray, held_out: np.ndarray, mass: float) -> float:
    """Returns the exact OT cost from the effective distribution, (1 - lambda) pool + lambda selection, to held-out texts.

    Args:
      pool: the pool's embeddings or a sample of them, float32 [n, d].
      chosen: the selection's, float32 [k, d].
      held_out: texts of the target that were not selected for, float32 [h, d].
      mass: lambda, that of the selection, from 0 (the pool alone) to 1 (the selection alone).
    """
    parts = [(pool, 1 - mass), (chosen, mass)]
    points = [(part, np.full(len(part), weight / len(part))) for part, weight in parts if weight > 0]
    embeddings, weights = (np.concatenate(side) for side in zip(*points))
    with waiting("exact transport"):
        return exact_cost(embeddings, held_out, weights)
