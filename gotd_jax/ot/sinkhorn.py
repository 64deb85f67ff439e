"""The paper's solver, ott-jax's jitted Sinkhorn over candidates that are split over all devices, and its notebook's call."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from gotd_jax.ot.pool import Chunk
from gotd_jax.ot.transport import DualEvaluation, Transport
from gotd_jax.progress import waiting

# The published notebook's call: PointCloud(targets, candidates, epsilon=1e-1), Sinkhorn(Momentum(1.3), threshold=1e-1,
# inner_iterations=1, max_iterations=2000).
PUBLISHED = {
    "solver": "published",
    "epsilon": 0.1,
    "absolute": True,
    "momentum": 1.3,
    "threshold": 0.1,
    "max_iterations": 2000,
    "check_every": 1,
}


def solve(
    transport: Transport, g: np.ndarray, *, threshold: float, most: int, momentum: float, check_every: int
) -> tuple[np.ndarray, DualEvaluation]:
    """Returns target potentials, float64 [m], and their evaluation.

    Runs Sinkhorn with over-relaxation and, if the marginal error is then still above `threshold`, plain Sinkhorn.

    Args:
      transport: the problem; its whole pool is laid on the devices in float32.
      g: where to start, [m].
      threshold: marginal error to reach; the potentials returned may miss it.
      most: iterations of each of the two phases.
      momentum: over-relaxation; 1 is plain Sinkhorn.
      check_every: iterations between two checks of the error.
    """
    chunk = transport.pool.at_once()
    x = _shifted()(chunk.x, transport.shift)
    for relaxation in dict.fromkeys((momentum, 1.0)):
        run = solver(relaxation, threshold, most, check_every)
        side = transport.side(g)
        with waiting(f"transport by Sinkhorn, at most {most:,} iterations"):
            h, errors = run(x, chunk.a, transport.y, transport.b.astype(np.float32), side.epsilon, side.biases)
            errors = np.asarray(errors)
        for error in errors[errors >= 0]:
            transport.note(float(error), 2 * check_every + 1, len(transport.pool))
        g = np.asarray(h, np.float64) - transport.epsilon * np.log(transport.b)
        evaluated = transport.evaluate(g)
        if evaluated.error <= threshold:
            break
    return g, evaluated


@dataclasses.dataclass(frozen=True)
class PublishedResult:
    """The result of the notebook's call as ott-jax returns it, in place of a `DualEvaluation`.

    Attributes:
      error: L1 distance of the plan's *candidate* marginal from a, as a share of the mass; the targets' is not exact either.
      dual: `reg_ot_cost`, the dual value.
      candidate: the candidates' potentials, epsilon log-weight included, float32 [n].
    """

    error: float
    dual: float
    candidate: np.ndarray

    def potentials(self) -> np.ndarray:
        """Returns `candidate`."""
        return self.candidate


def published(
    transport: Transport, *, threshold: float, most: int, momentum: float, check_every: int
) -> tuple[np.ndarray, PublishedResult]:
    """Returns the results of the notebook's call: target potentials, float64 [m], and the candidates' as the solver left them.

    The targets are its first side, so that over-relaxed iterations from zeros end when the candidates' marginal is within
    `threshold`; there is no second phase, and neither potential is made the exact soft-min of the other.

    Args:
      transport: the problem; its whole pool is laid on the devices in float32.
      threshold: marginal error to reach; the potentials returned may miss it.
      most: iterations.
      momentum: over-relaxation.
      check_every: iterations between two checks of the error.
    """
    chunk = transport.pool.at_once()
    x, b = _shifted()(chunk.x, transport.shift), transport.b.astype(np.float32)
    run = targets_first_solver(momentum, threshold, most, check_every)
    with waiting(f"transport by the notebook's call, at most {most:,} iterations"):
        f, g, cost, errors = run(transport.y, b, x, chunk.a, np.float32(transport.epsilon))
        errors = np.asarray(errors)
    for error in errors[errors >= 0]:
        transport.note(float(error), 2 * check_every + 1, len(transport.pool))
    last = transport.journal[-1].marginal_error if transport.journal else np.inf
    candidate = Chunk(g, chunk.a, chunk.layout).unpadded()
    return np.asarray(f, np.float64) - transport.epsilon * np.log(transport.b), PublishedResult(last, float(cost), candidate)


@functools.lru_cache(maxsize=16)
def targets_first_solver(relaxation: float, threshold: float, most: int, check_every: int):
    """Returns ott-jax's Sinkhorn as a jitted function of (y, b, x, a, epsilon) that returns (f, g, reg_ot_cost, errors)."""
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import acceleration, sinkhorn

    from gotd_jax.ot.geometry import TargetsFirst

    iterate = sinkhorn.Sinkhorn(
        threshold=threshold,
        momentum=acceleration.Momentum(value=relaxation),
        inner_iterations=check_every,
        max_iterations=most,
    )

    @jax.jit
    def run(y, b, x, a, epsilon):
        output = iterate(linear_problem.LinearProblem(TargetsFirst(y, x, epsilon=epsilon), b, a))
        return output.f, output.g, output.reg_ot_cost, output.errors

    return run


@functools.lru_cache(maxsize=16)
def solver(relaxation: float, threshold: float, most: int, check_every: int):
    """Returns ott-jax's Sinkhorn as a jitted function of (x, a, y, b, epsilon, h) that returns (h, errors).

    Its potentials carry epsilon log-weights: its g is our h.
    """
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import acceleration, sinkhorn

    from gotd_jax.ot.geometry import StreamingPointCloud

    iterate = sinkhorn.Sinkhorn(
        threshold=threshold,
        momentum=acceleration.Momentum(value=relaxation),
        inner_iterations=check_every,
        max_iterations=-(-most // check_every) * check_every,
        use_danskin=True,
    )

    @jax.jit
    def run(x, a, y, b, epsilon, h):
        geometry = StreamingPointCloud(x, y, epsilon=epsilon)
        log_sums, _ = geometry.apply_lse_kernel(jnp.zeros_like(a), h, epsilon, axis=1)
        output = iterate(linear_problem.LinearProblem(geometry, a, b), init=(epsilon * jnp.log(a) - log_sums, h))
        return output.g, output.errors

    return run


@functools.cache
def _shifted():
    return jax.jit(lambda x, shift: x.astype(jnp.float32) - shift)
