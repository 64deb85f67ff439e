"""GOT-D_contrast (Kang et al. 2024): the candidates whose added mass moves the pool furthest from texts to avoid."""

from __future__ import annotations

from gotd_jax import ot
from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection, lowest


def select(problem: Problem, budget: int, *, seed: int, **options) -> Selection:
    """Returns the `budget` candidates whose added mass raises the OT cost of pool to `problem.away` the most.

    `got_d` with the sign reversed and toxic texts for a target (Section 3.1; the paper implies the sign and its code lacks
    this variant): the largest calibrated gradients are selected. The value of a candidate is minus its gradient, so that
    lower is better. The problem's target is not read.

    Args:
      problem: pool and away; their embeddings are needed.
      budget: how many chunks to select.
      seed: draws the solver's samples of the pool.
      **options: go to `gotd_jax.ot.solve` (epsilon, momentum, threshold, ...).

    Raises:
      RuntimeError: the solver did not converge.
    """
    potentials = ot.solve(problem.candidates, problem.negatives, seed=seed, **options)
    values = -potentials.gradient()
    return Selection(lowest(values, budget), values, potentials.summary())


METHOD = Method(select, reads={"embeddings", "away"}, solves=True)
