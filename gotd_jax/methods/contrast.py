"""GOT-D_contrast (Kang et al. 2024): the candidates whose added mass moves the pool furthest from texts to avoid."""

from __future__ import annotations

import math

import numpy as np

from gotd_jax import ot
from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection, lowest


def select(problem: Problem, budget: int, *, seed: int, toward: float = 0.0, **options) -> Selection:
    """Returns the `budget` candidates whose added mass raises the OT cost of pool to `problem.away` the most.

    `got_d` with the sign reversed and toxic texts for a target (Section 3.1; the paper implies the sign and its code lacks
    this variant): the largest calibrated gradients are selected. The value of a candidate is minus its gradient, so that
    lower is better. The problem's target is not read.

    With `toward` it is: both pulls are one problem, toward * OT(pool, target) - OT(pool, away) at one epsilon, and a candidate
    is valued by its gradient. (The paper has either and no sum; of two rankings nobody knows what a place in one is worth in
    the other.)

    Args:
      problem: pool and away; their embeddings are needed.
      budget: how many chunks to select.
      seed: draws the solver's samples of the pool.
      toward: weight of the cost to the target beside that to the texts to avoid, at least 0.
      **options: go to `gotd_jax.ot.solve` (epsilon, momentum, threshold, ...).

    Raises:
      ValueError: `toward` is below 0.
      RuntimeError: the solver did not converge.
    """
    if not 0 <= toward < math.inf:
        raise ValueError(f"toward is {toward}. It is a weight: 0 or more.")
    away = ot.solve(problem.candidates, problem.negatives, seed=seed, **options)
    values, info = -away.gradient(), away.summary()
    if toward:
        options |= {"epsilon": away.epsilon, "absolute": True}
        target = ot.solve(problem.candidates, problem.targets, target_weights=problem.target_weights, seed=seed, **options)
        values, info = values + np.float32(toward) * target.gradient(), info | {"target": target.summary()}
    return Selection(lowest(values, budget), values, info)


METHOD = Method(select, reads={"embeddings", "away"}, solves=True)
