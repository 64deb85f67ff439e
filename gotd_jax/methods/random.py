"""Random selection: what any method has to beat."""

from __future__ import annotations

import numpy as np

from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection


def select(problem: Problem, budget: int, *, seed: int) -> Selection:
    """Returns `budget` candidates drawn uniformly from the pool without replacement, in the order drawn.

    A smaller budget of the same seed is not a prefix of a larger one.
    """
    rows = np.random.default_rng(seed).choice(len(problem.pool), budget, replace=False)
    return Selection(rows.astype(np.int64))


METHOD = Method(select, valued="none")
