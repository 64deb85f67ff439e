"""How a selection covers a target: by the chosen texts nearest to each text of it, against a random selection."""

from __future__ import annotations

import numpy as np

TIE = 1e-6  # in cosine: two products of the same vectors may differ in their rounding


def coverage(chosen: np.ndarray, pool: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Returns the share of a target's texts whose nearest chosen text is nearer than their nearest of a random selection.

    The random selection is as large, and all of them are meant: of n texts of the pool of which c are nearer to a target text
    than its nearest chosen one, none is among k drawn ones with the hypergeometric probability C(n - c, k) / C(n, k). Ties
    count half, so that a random selection has one half on average.

    Args:
      chosen: unit vectors of k texts, float32 [k, d]. Nearness is by cosine: by distance short vectors are near to everything.
      pool: unit vectors that stand for the pool, float32 [n, d], n at least k.
      target: unit vectors of texts of the target, better those that were not selected for, float32 [m, d].
      weights: of the target's texts, float64 [m], sum 1; equal ones by default.

    Raises:
      ValueError: more texts are chosen than stand for the pool.
    """
    from scipy.stats import hypergeom

    if len(chosen) > len(pool):
        raise ValueError(
            f"{len(chosen):,} chosen texts cannot be held against {len(pool):,} of the pool. Give more of the pool."
        )
    nearest = (target @ chosen.T).max(axis=1, keepdims=True)
    similar = target @ pool.T
    level = np.isclose(similar, nearest, rtol=0, atol=TIE)
    nearer = ((similar > nearest) & ~level).sum(axis=1)
    at_most, below = (hypergeom.pmf(0, len(pool), count, len(chosen)) for count in (nearer, nearer + level.sum(axis=1)))
    return float(np.average((at_most + below) / 2, weights=weights))


def targets_served(chosen: np.ndarray, target: np.ndarray) -> float:
    """Returns the effective number of target texts that a selection serves, from 1 to the lesser of k and m.

    Each chosen text serves the target text that it is most similar to; the number is the exponential of the entropy of the
    shares in which they are served (Hill's of order 1). A random selection serves many texts, none of them well: read it
    beside `coverage`.

    Args:
      chosen: unit vectors, float32 [k, d].
      target: unit vectors, float32 [m, d].
    """
    shares = np.bincount((chosen @ target.T).argmax(axis=1)) / len(chosen)
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))
