"""GOT-D (Kang et al. 2024): the candidates with the most negative gradient of the OT cost to the target."""

from __future__ import annotations

from gotd_jax import ot
from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection, lowest


def select(problem: Problem, budget: int, *, seed: int, **options) -> Selection:
    """Returns the `budget` candidates whose added mass lowers the OT cost of pool to target the most.

    Solves one entropic OT problem between the embeddings of pool and target and ranks the candidates by their
    calibrated gradient, n/(n-1) (f_i - mean f), most negative first (Theorem 1, Eq. 4; no weights, no noise).

    Args:
      problem: pool and target; their embeddings are needed.
      budget: how many chunks to select.
      seed: draws the solver's samples of the pool.
      **options: go to `gotd_jax.ot.solve` (epsilon, momentum, threshold, ...).

    Raises:
      RuntimeError: the solver did not converge.
    """
    potentials = ot.solve(problem.candidates, problem.targets, seed=seed, **options)
    values = potentials.gradient()
    return Selection(lowest(values, budget), values, potentials.summary(), potentials)


METHOD = Method(select, reads={"target", "embeddings"}, solves=True)
