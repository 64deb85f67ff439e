"""Newton's method on the dual of a mixture: its curvature in m x m numbers, its line search by the slope alone.

The dual's value is a sum over the pool in float32, whose rounding is larger than the last steps gain, so that the slope
along a direction decides with it: of a concave function it falls, and a step that still has some has gained.
"""

from __future__ import annotations

import numpy as np

from gotd_jax.ot.curvature import rows_for
from gotd_jax.ot.filling import partly_filled
from gotd_jax.ot.mixture import Mixture, MixtureEvaluation, weighted
from gotd_jax.ot.pool import Pool

LEAST_DAMPING, MOST_DAMPING = 1e-5, 1e3
ROUNDING = 2e-6  # of the dual's value, summed in float32, as a share of the mean cost
SHORTEST = 1e-2  # of a step; a shorter one means that the curvature is of no use


def ascend(
    mixture: Mixture, start: MixtureEvaluation, *, width: float, aim: float, most: int, draws: np.random.Generator
) -> MixtureEvaluation:
    """Returns the dual smoothed over `width`, evaluated where its marginal error is at most `aim`, or as near as it came.

    Args:
      mixture: the problem.
      start: an evaluation of it, at this width.
      width: of the smoothing.
      aim: marginal error to reach.
      most: evaluations to make.
      draws: draws the rows that the curvature is measured on.
    """
    at, damping, made = start, LEAST_DAMPING, 0
    unit = mixture.transport.b / mixture.transport.epsilon  # the curvature of the dual without the candidates' sharing
    while at.error > aim and made < most:
        curvature = _curvature(mixture, at, width, draws)
        reached = None
        while reached is None and made < most and damping <= MOST_DAMPING:
            direction = _step(curvature, at.ascent, damping * unit)
            if direction is not None:
                reached, tries = _along(mixture, at, direction, width, most - made)
                made += tries
            damping *= 10.0
        if reached is None:
            return at
        at = reached
        damping = max(LEAST_DAMPING, damping / (100.0 if tries == 1 else 10.0))
    return at


def _along(
    mixture: Mixture, at: MixtureEvaluation, direction: np.ndarray, width: float, most: int
) -> tuple[MixtureEvaluation | None, int]:
    """Returns the dual at a point along `direction` where it has gained, None if there is none near, and the tries made."""
    slope, length, tries = at.ascent @ direction, 1.0, 0
    while tries < most and length > SHORTEST:
        reached = mixture.evaluate(at.g + length * direction, width)
        tries += 1
        new = reached.ascent @ direction
        if new >= -0.5 * slope and reached.smooth >= at.smooth - ROUNDING * mixture.transport.mean_cost:
            return reached, tries
        length *= float(np.clip(slope / (slope - new), 0.1, 0.5)) if new < slope else 0.1
    return None, tries


def _curvature(mixture: Mixture, at: MixtureEvaluation, width: float, draws: np.random.Generator) -> np.ndarray:
    """Returns minus the second derivative of the smoothed dual at g, float64 [m, m], from samples of the rows it sums over."""
    share, epsilon = mixture.share, mixture.transport.epsilon
    curvature = np.zeros((len(at.g), len(at.g)))
    if share < 1:
        everyone = np.arange(len(mixture.rest))
        curvature += (1 - share) / epsilon * _spread(_coupling(mixture, at, mixture.rest, everyone, None, draws))
    if share:
        placed = np.flatnonzero(at.weights)
        coupling = _coupling(mixture, at, mixture.candidates, placed, at.weights[placed], draws)
        curvature += share / epsilon * _spread(coupling)
        moving = np.flatnonzero(partly_filled(at.weights, mixture.capacity))
        if len(moving) > 1:
            coupling = _coupling(mixture, at, mixture.candidates, moving, np.ones(len(moving)), draws)
            mean = coupling.sum(axis=1)
            curvature += share * mixture.capacity * len(moving) / width * (coupling - np.outer(mean, mean))
    moving = np.where(partly_filled(at.kept, mixture.target_capacities), mixture.target_capacities, 0.0)
    if np.count_nonzero(moving) > 1:
        curvature += (np.diag(moving) - np.outer(moving, moving) / moving.sum()) / width
    return curvature


def _coupling(
    mixture: Mixture,
    at: MixtureEvaluation,
    pool: Pool,
    positions: np.ndarray,
    weights: np.ndarray | None,
    draws: np.random.Generator,
) -> np.ndarray:
    """Returns sum_i w_i p_ij p_ik over a sample of `positions`, p the rows of the plan made to sum to 1, w their weights."""
    enough = rows_for(len(at.g), len(positions)) or len(positions)
    if enough < len(positions):
        kept = np.sort(draws.choice(len(positions), enough, replace=False))
        positions, weights = positions[kept], None if weights is None else weights[kept]
    if weights is None:
        sample = pool.sample(positions if pool.rows is None else pool.rows[positions])
    else:
        sample = weighted(pool, positions, weights)
    return mixture.transport.coupling(at.g, sample).astype(np.float64)


def _spread(coupling: np.ndarray) -> np.ndarray:
    return np.diag(coupling.sum(axis=1)) - coupling


def _step(curvature: np.ndarray, ascent: np.ndarray, damping: np.ndarray) -> np.ndarray | None:
    """Returns the step of a damped Newton iteration, float64 [m]; None where the damped curvature is not positive definite.

    The step has mean zero, since a constant in g changes nothing.
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    matrix = curvature + np.diag(damping) + damping.mean() + curvature.diagonal().mean() / len(ascent)
    try:
        step = cho_solve(cho_factor(matrix), ascent)
    except LinAlgError:  # by the rounding of sums in float32
        return None
    return step - step.mean()
