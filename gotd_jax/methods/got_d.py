"""GOT-D (Kang et al. 2024): the candidates with the most negative gradient of the OT cost to the target."""

from __future__ import annotations

from gotd_jax import ot
from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection, lowest


def select(problem: Problem, budget: int, *, seed: int, debias: int = 0, **options) -> Selection:
    """Returns the `budget` candidates whose added mass lowers the OT cost of pool to target the most.

    Solves one entropic OT problem between the embeddings of pool and target and ranks the candidates by their
    calibrated gradient, n/(n-1) (f_i - mean f), most negative first (Theorem 1, Eq. 4; no weights, no noise).

    With `debias` it is the gradient of the Sinkhorn divergence, f less the pool's potential to itself
    (`gotd_jax.ot.own_potential`): so a candidate is not preferred for lying in the middle of the pool, or for a short vector.

    Args:
      problem: pool and target; their embeddings are needed.
      budget: how many chunks to select.
      seed: draws the solver's samples of the pool.
      debias: candidates that stand for the pool where its own potential is subtracted, 2,000 or more; 0 subtracts none, as
        published.
      **options: go to `gotd_jax.ot.solve` (epsilon, momentum, threshold, ...).

    Raises:
      ValueError: `debias` is 1 or below 0, or goes with the solver 'published', whose potentials are not certified.
      RuntimeError: the solver did not converge.
    """
    if debias and options.get("solver") == "published":
        raise ValueError(f"debias is {debias:,}, and the solver is 'published', the notebook's call. Name another solver.")
    potentials = ot.solve(problem.candidates, problem.targets, seed=seed, **options)
    if not debias:
        values = potentials.gradient()
        return Selection(lowest(values, budget), values, potentials.summary(), potentials)
    options |= {"epsilon": potentials.epsilon, "absolute": True}
    own = ot.own_potential(problem.candidates, size=debias, seed=seed, **options)
    values = ot.calibrated_gradient(potentials.candidate - own.candidate)
    return Selection(lowest(values, budget), values, potentials.summary() | {"debiased": own.summary()}, potentials)


METHOD = Method(select, reads={"target", "embeddings"}, solves=True)
