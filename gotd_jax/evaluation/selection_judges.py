"""Judges of a selection beside the rule that made it: its kind of text, and how it covers the target."""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax.evaluation.coverage import coverage, targets_served
from gotd_jax.evaluation.divergence import DivergenceFrom, Halves, unit_vectors

MASS = 0.2  # lambda: that of the selection in its mixture with the pool, as in the ablations of this project


@dataclasses.dataclass(frozen=True)
class Judged:
    """A selection against texts of its target, all measured on unit vectors.

    Attributes:
      divergence: the Sinkhorn divergence of (1 - lambda) pool + lambda selection from the target, as a share of the mean cost
        from pool to target; of samples that share no text, so that it is 0 on average where both are of one distribution.
      of_pool: that of the pool alone, and on average that of a random selection.
      coverage: the share of target texts whose nearest chosen text is nearer than their nearest of a random selection.
      served: the effective number of target texts that the chosen ones are nearest to.
      texts: of the target.
    """

    divergence: float
    of_pool: float
    coverage: float
    served: float
    texts: int


def judge(
    pool: np.ndarray,
    pool_rows: np.ndarray,
    chosen: np.ndarray,
    chosen_rows: np.ndarray,
    target: np.ndarray,
    *,
    mass: float = MASS,
    seed: int = 0,
) -> Judged:
    """Returns how a selection stands by all judges.

    Args:
      pool: embeddings that stand for the pool, float [n, d], n at least k.
      pool_rows: their rows, int [n].
      chosen: embeddings of the chosen texts or of a sample of them, float [k, d].
      chosen_rows: their rows, int [k].
      target: embeddings of texts of the target, better those that were not selected for, float [m, d].
      mass: lambda, above 0 and at most 1.
      seed: parts the texts into halves.

    Raises:
      ValueError: more texts are chosen than stand for the pool, or all texts are one point.
      RuntimeError: a solve did not converge.
    """
    pool, chosen, target = map(unit_vectors, (pool, chosen, target))
    of_pool, of_chosen = halves(pool_rows, chosen_rows, seed)
    alone, selection = Halves.parted(pool, of_pool), Halves.parted(chosen, of_chosen)
    measured = DivergenceFrom(Halves.parted(target, _alternating(len(target), seed)), alone, seed=seed)
    own, mixture = measured.of(alone), measured.of(alone.mixed(selection, mass) if mass < 1 else selection)
    return Judged(
        divergence=mixture.value / measured.mean_cost,
        of_pool=own.value / measured.mean_cost,
        coverage=coverage(chosen, pool, target),
        served=targets_served(chosen, target),
        texts=len(target),
    )


def halves(pool_rows: np.ndarray, chosen_rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the half of each text of the pool and of the selection, 0 or 1: equally many, and no text in both.

    Args:
      pool_rows: different ones, int [n].
      chosen_rows: different ones, int [k], some of which may be the pool's.
      seed: draws the halves.
    """
    of_pool = _alternating(len(pool_rows), seed)
    order = np.argsort(pool_rows)
    place = order[np.minimum(np.searchsorted(pool_rows, chosen_rows, sorter=order), len(order) - 1)]
    known = pool_rows[place] == chosen_rows
    of_chosen = np.where(known, of_pool[place], -1)
    free = np.flatnonzero(~known)
    first = min(max(len(chosen_rows) // 2 - int((of_chosen == 0).sum()), 0), len(free))
    of_chosen[free] = 1
    of_chosen[np.random.default_rng((seed, 6)).permutation(free)[:first]] = 0
    return of_pool, of_chosen


def _alternating(count: int, seed: int) -> np.ndarray:
    """Returns 0 for half of `count` texts and 1 for the others, at random, int64 [count]."""
    return np.random.default_rng((seed, 5)).permutation(count) % 2
