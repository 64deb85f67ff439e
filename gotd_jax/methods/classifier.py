"""A linear classifier of embeddings, target against pool: the density ratio, as a sceptic would estimate it."""

from __future__ import annotations

import numpy as np

from gotd_jax.data.sampling import drawn
from gotd_jax.methods.log_odds import fitted
from gotd_jax.methods.method import Method
from gotd_jax.methods.neighbours import embeddings_of
from gotd_jax.methods.problem import Problem, Selection, lowest

ROWS_PER_BLOCK = 1 << 16


def select(problem: Problem, budget: int, *, seed: int, sample: int = 20_000, penalty: float = 1.0) -> Selection:
    """Returns the `budget` candidates that logistic regression holds most likely to be of the target.

    It is fitted to the target's embeddings against those of a sample of the pool, both sides of equal weight in all, so that
    its log-odds estimate log(target density / pool density) up to a constant. Embeddings are standardised by the sample. The
    value of a candidate is minus its log-odds.

    Args:
      problem: pool and target; their embeddings are needed.
      budget: how many chunks to select.
      seed: draws the sample.
      sample: candidates that stand for the pool, at most.
      penalty: of the squared weights, above 0: scikit-learn's 1/C.

    Raises:
      ValueError: embeddings that are not finite or of different dimensions, a sample below 1, or no penalty.
      RuntimeError: the regression did not converge.
    """
    if sample < 1 or not penalty > 0:
        raise ValueError(f"sample is {sample:,} and penalty {penalty}. The first is at least 1, the second above 0.")
    candidates, targets = embeddings_of(problem)
    rows = drawn(len(candidates), sample, seed)
    pool = np.asarray(candidates[rows], np.float64)
    mean, spread = pool.mean(axis=0), pool.std(axis=0)
    spread[spread == 0] = 1.0
    weights, constant = fitted((pool - mean) / spread, (np.asarray(targets, np.float64) - mean) / spread, penalty)
    weights = weights / spread
    values = np.empty(len(candidates), np.float32)
    for start in range(0, len(candidates), ROWS_PER_BLOCK):
        block = np.asarray(candidates[start : start + ROWS_PER_BLOCK], np.float32)
        values[start : start + len(block)] = -(block @ weights.astype(np.float32) + np.float32(constant - mean @ weights))
    return Selection(lowest(values, budget), values, {"pool_sample": len(rows)})


METHOD = Method(select, reads={"target", "embeddings"})
