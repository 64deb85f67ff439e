"""GOT-D (Kang et al. 2024): the candidates with the most negative gradient of the OT cost to the target."""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax import ot
from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection, lowest


def select(
    problem: Problem, budget: int, *, seed: int, debias: int = 0, share: float = 0.0, trim: float = 0.0, **options
) -> Selection:
    """Returns the `budget` candidates whose added mass lowers the OT cost of pool to target the most.

    Solves one entropic OT problem between the embeddings of pool and target and ranks the candidates by their
    calibrated gradient, n/(n-1) (f_i - mean f), most negative first (Theorem 1, Eq. 4; no weights, no noise).

    With `debias` it is the gradient of the Sinkhorn divergence, f less the pool's potential to itself
    (`gotd_jax.ot.own_potential`): so a candidate is not preferred for lying in the middle of the pool, or for a short vector.

    With `share` the selection is the best for training that moves the model's distribution to it by that share, the lambda of
    the paper's Lemma 1, which its rule takes to zero: so candidates do not all serve the targets that the pool serves worst
    (`gotd_jax.ot.solve_mixture`). The values are the gradient of the cost there, and depend on the budget. Its best selection
    may hold parts of candidates of nearly equal values; which whole ones stand for them is decided by the cost.

    With `trim` that share of the target need not be served, the part that is furthest from all candidates: so a few stray texts
    in it do not take the selection over. It is the part that costs the most; `debias` then corrects the values alone.

    Where the problem has a reference, texts of the kind that the model was pre-trained on, it stands for the model's
    distribution, D_P of Theorem 1, in place of the pool: the problem is solved on it, and the candidates are valued by the
    closed form. So the pool need not be like the pre-training data, which the theorem's proof assumes.

    Args:
      problem: pool, target and, where it has one, reference; their embeddings are needed.
      budget: how many chunks to select.
      seed: draws the solver's samples of the pool.
      debias: candidates that stand for the pool where its own potential is subtracted, 2,000 or more; 0 subtracts none, as
        published.
      share: by which training moves the model's distribution to the selection, in [0, 1]: 0 is the published rule, 1 matches
        the target whatever the pool has.
      trim: share of the target's mass that may be left out, in [0, 1); 0 serves every target, as published.
      **options: go to `gotd_jax.ot.solve` (epsilon, momentum, threshold, ...).

    Raises:
      ValueError: `debias` is 1 or below 0, or goes with `share`; a share or trim is out of range; one of them, or a
        reference, goes with the solver 'published', whose potentials are not certified.
      RuntimeError: the solver did not converge.
    """
    if debias and options.get("solver") == "published":
        raise ValueError(f"debias is {debias:,}, and the solver is 'published', the notebook's call. Name another solver.")
    if debias and share:
        raise ValueError(
            f"debias is {debias:,} and share {share}. The divergence of a mixture is another problem, not "
            "solved here. Leave one of them out."
        )
    reference = problem.references if "reference" in problem.given else None
    if reference is not None and options.get("solver") == "published":
        raise ValueError("The solver is 'published', the notebook's call, which has no reference. Name another solver.")
    potentials, rows, info = _solved(problem, budget, reference, share, trim, seed=seed, **options)
    if not debias:
        values = potentials.gradient()
        return Selection(rows if share else lowest(values, budget), values, info, potentials)
    options |= {"epsilon": potentials.epsilon, "absolute": True}
    own = ot.own_potential(problem.candidates if reference is None else reference, size=debias, seed=seed, **options)
    subtracted = own.candidate if reference is None else own.value(problem.candidates)
    values = ot.calibrated_gradient(potentials.candidate - subtracted)
    return Selection(lowest(values, budget), values, info | {"debiased": own.summary()}, potentials)


METHOD = Method(select, reads={"target", "embeddings"}, may_read={"reference"}, solves=True)


def _solved(
    problem: Problem, budget: int, reference: np.ndarray | None, share: float, trim: float, **options
) -> tuple[ot.Potentials, np.ndarray, dict]:
    """Returns the potentials of all candidates, the rows of the best selection for a share, and the report of the solve."""
    options["target_weights"] = problem.target_weights
    if share or trim:
        given = {"count": budget, "share": share, "trim": trim, "reference": reference}
        found = ot.solve_mixture(problem.candidates, problem.targets, **given, **options)
        return found.potentials, found.rows, found.potentials.summary() | {"mixture": found.summary()}
    if reference is None:
        potentials = ot.solve(problem.candidates, problem.targets, **options)
    else:
        potentials = ot.solve(reference, problem.targets, **options)
        potentials = dataclasses.replace(potentials, candidate=potentials.value(problem.candidates))
    return potentials, np.zeros(0, np.int64), potentials.summary()
