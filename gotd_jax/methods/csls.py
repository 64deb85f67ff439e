"""CSLS (Conneau et al. 2018): the most similar to any target text, less what either side is to its own neighbourhood."""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import lax

from gotd_jax.data.sampling import drawn
from gotd_jax.methods.method import Method
from gotd_jax.methods.neighbours import against_all, cosines, embeddings_of, over_devices
from gotd_jax.methods.problem import Problem, Selection, lowest


def select(problem: Problem, budget: int, *, seed: int, neighbours: int = 10, sample: int = 20_000) -> Selection:
    """Returns the `budget` candidates of the highest cross-domain similarity local scaling to the target text nearest by it.

    CSLS of a candidate x and a target y is 2 cos(x, y) - r(x) - r(y), where r is the mean cosine to a text's nearest
    candidates in a sample of the pool, itself apart (Conneau et al., ICLR 2018, arXiv 1710.04087, Section 2.3). The value of
    a candidate is minus the largest of its CSLS. A text in the middle of the pool is near every target and near its own
    neighbours too, so it gains nothing.

    It is the control for the debiased potential of `got_d`. As epsilon falls to 0 that is min_y (|x - y|^2 - g(y)) - p(x);
    between vectors of length one, minus CSLS is min_y (|x - y|^2 - (1 - r(y))) - (1 - r(x)). Transport solves for an offset
    g of each target such that each is served its share, and for p, about half the squared distance to the nearest of the
    pool. CSLS fixes both at half the mean squared distance to neighbours. So the best target speaks for a candidate, as in
    a potential. Were the targets to take turns, as in `rds_plus`, r(y) would cancel, and it would be the turns that serve
    all targets alike.

    Conneau et al. have words of two languages, and r(x) is toward the targets; here, where the question is what lies in the
    middle of the pool, it is toward the pool, as p is.

    Args:
      problem: pool and target; their embeddings are needed. An embedding of length zero has cosine 0 to all.
      budget: how many chunks to select.
      seed: draws the sample where the pool is larger; equal candidates stand in pool order.
      neighbours: K of r, at least 1; at most one less than the sample.
      sample: candidates whose neighbourhoods count, at most; 2 or more.

    Raises:
      ValueError: an option is out of range; embeddings that are not finite or of different dimensions.
    """
    if neighbours < 1 or sample < 2:
        raise ValueError(f"CSLS takes 1 neighbour or more, in a sample of 2 or more, not {neighbours:,} in {sample:,}.")
    candidates, targets = embeddings_of(problem)
    rows = drawn(len(candidates), sample, seed)
    pool, reach = np.asarray(candidates[rows]), min(neighbours, len(rows) - 1)
    of_targets = mean_to_nearest(targets, pool, reach, np.full(len(targets), -1), rows)
    of_candidates = mean_to_nearest(candidates, pool, reach, np.arange(len(candidates)), rows)
    values = of_candidates - _nearest_less(candidates, targets, of_targets)
    info = {"neighbours": reach, "pool_sample": len(rows), "mean_cosine_to_neighbours": float(of_candidates.mean())}
    return Selection(lowest(values, budget), values, info)


METHOD = Method(select, reads={"target", "embeddings"})


def mean_to_nearest(
    embeddings: np.ndarray, pool: np.ndarray, neighbours: int, rows: np.ndarray, pool_rows: np.ndarray
) -> np.ndarray:
    """Returns the mean cosine of each embedding to its `neighbours` most similar in the pool, float32 [n].

    Args:
      embeddings: float [n, d]; may be memory-mapped, a block at a time is read.
      pool: float [k, d].
      neighbours: how many; with 0 the means are 0.
      rows: which text each embedding is of, int [n].
      pool_rows: which text each embedding of the pool is of, int [k]: a text is no neighbour of its own.
    """
    if neighbours == 0:
        return np.zeros(len(embeddings), np.float32)
    nothing = (np.full((1, neighbours), -np.inf, np.float32),)
    texts = {"of_texts": (rows.astype(np.int32),), "of_compared": (pool_rows.astype(np.int32),)}
    blocks = against_all(embeddings, pool, nothing, _take_in(), step=f"{neighbours} neighbours in the pool", **texts)
    return np.concatenate([best.mean(axis=1) for (best,) in blocks])


def _nearest_less(candidates: np.ndarray, targets: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Returns max_y (2 cos(x, y) - offset(y)) of each candidate x, float32 [n]."""
    nothing = (np.full(1, -np.inf, np.float32),)
    blocks = against_all(candidates, targets, nothing, _take_the_best(), step="CSLS", of_compared=(offsets,))
    return np.concatenate([best for (best,) in blocks])


@functools.cache
def _take_in() -> Callable:
    """Returns the step that takes a block of the pool into the highest cosines so far."""

    def per_device(best, rows, pool, place, text, pool_text):
        is_other = (place >= 0) & (text[:, None] != pool_text)
        similar = jnp.where(is_other, cosines(rows, pool), -jnp.inf)
        return (lax.top_k(jnp.concatenate([best[0], similar], axis=1), best[0].shape[1])[0],)

    return over_devices(per_device, 1, of_texts=1, of_compared=1)


@functools.cache
def _take_the_best() -> Callable:
    """Returns the step that takes a block of targets into the highest of twice the cosine less the target's offset so far."""

    def per_device(best, rows, targets, place, offset):
        scaled = jnp.where(place >= 0, 2.0 * cosines(rows, targets) - offset, -jnp.inf)
        return (jnp.maximum(best[0], scaled.max(axis=1)),)

    return over_devices(per_device, 1, of_compared=1)
