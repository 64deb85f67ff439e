"""The semi-dual solver: one vector of the target's length, found on growing samples of a pool that streams past.

The candidates' potentials follow from the target's in closed form, so g alone is sought: the point at which the plan's
target marginal q is b. A Sinkhorn iteration adds epsilon log(b / q); here Anderson acceleration combines such steps, and
on all but the first sample each step is first extended by the curvature measured on the previous sample (`curvature`). A
step that lowers the dual value is replaced by a plain one, which cannot lower it.
"""

from __future__ import annotations

import jax
import numpy as np

from gotd_jax.devices import has_matrix_units
from gotd_jax.ot.anderson import Anderson
from gotd_jax.ot.blocks import plan_block
from gotd_jax.ot.curvature import Curvature, rows_for
from gotd_jax.ot.passes import PoolPart
from gotd_jax.ot.pool import Pool
from gotd_jax.ot.products import parts_of
from gotd_jax.ot.transport import DualEvaluation, Transport

FIRST_SAMPLE = 4096  # candidates, or twice the targets
GROWTH = 8  # from each sample to the next
PATIENCE = 6  # passes in low precision without a smaller error, before full precision takes over


def solve(
    transport: Transport, g: np.ndarray, *, threshold: float, most: int, precision: str | None, seed: int
) -> tuple[np.ndarray, DualEvaluation]:
    """Returns target potentials, float64 [m], and the evaluation of the whole pool at them, in float32.

    Args:
      transport: the problem.
      g: where to start, [m].
      threshold: marginal error to reach; the potentials returned may miss it.
      most: passes of each sample, and of the whole pool in each precision.
      precision: of products until their rounding shows: float32, bfloat16, float16; None for the backend's fast one.
      seed: draws the samples.
    """
    m, pool = len(g), transport.pool
    order = _random_rows(pool, m, seed)
    curvature = None
    for size in sample_sizes(len(pool), m):
        sample = pool.sample(np.sort(order[:size]))
        aim = max(threshold, 0.1 * np.sqrt(m / size))  # well below the sample's own noise
        g, _ = ascend(transport, _fast_parts(transport, sample, precision), g, aim, most, curvature)
        rows = rows_for(m, size)
        curvature = Curvature(transport.coupling(g, pool.sample(np.sort(order[:rows])))) if rows else None
    parts = _fast_parts(transport, pool, precision)
    if any(part.precision != "float32" for part in parts):
        g, _ = ascend(transport, parts, g, threshold, most, curvature)
    del parts
    return ascend(transport, [PoolPart(pool, plan_block)], g, threshold, most, curvature)


def ascend(
    transport: Transport, parts: list[PoolPart], g: np.ndarray, aim: float, most: int, curvature: Curvature | None
) -> tuple[np.ndarray, DualEvaluation]:
    """Returns potentials with a marginal error of at most `aim` over `parts`, or the last good ones, and their evaluation.

    In low precision it stops where rounding shows, and returns g itself where numbers overflow.
    """
    accelerated = Anderson()
    rounding = max(rounding_error(part.precision, transport) for part in parts)
    best, since = None, 0
    for _ in range(most):
        evaluated = transport.evaluate(g, parts)
        if best is None and not np.isfinite(evaluated.error):
            return g, evaluated
        since = 0 if best is None or evaluated.error < best[1].error else since + 1
        if best is None or evaluated.error < best[1].error or evaluated.dual >= best[1].dual - 2e-6 * transport.mean_cost:
            best = g, evaluated
            step = _sinkhorn_step(transport, evaluated)
            g = accelerated.next(g, step if curvature is None else curvature.newton_step(step))
        else:
            accelerated.forget()
            curvature = None
            g = best[0] + _sinkhorn_step(transport, best[1])
        if best[1].error <= max(aim, rounding) or (rounding and since == PATIENCE):
            break
    return best


def _fast_parts(transport: Transport, pool: Pool, precision: str | None) -> list[PoolPart]:
    if precision is not None:
        return [PoolPart(pool, plan_block, precision)]
    return parts_of(pool, transport.side(np.zeros(len(transport.y))), fast_precision())


def sample_sizes(candidates: int, targets: int) -> list[int]:
    """Returns the sizes of the samples to solve on before the whole pool, smallest first."""
    sizes = [max(FIRST_SAMPLE, 2 * targets)]
    while 2 * sizes[-1] < candidates:
        sizes.append(GROWTH * sizes[-1])
    return sizes[:-1]


def fast_precision() -> str:
    """Returns the precision in which this backend multiplies fastest without changing the selection.

    float16 on a GPU (bfloat16 is as fast there and eight times as coarse), bfloat16 on a TPU or a CPU with matrix units (AMX).
    """
    if jax.default_backend() != "cpu":
        return "bfloat16" if jax.default_backend() == "tpu" else "float16"
    return "bfloat16" if has_matrix_units() else "float32"


def rounding_error(precision: str, transport: Transport) -> float:
    """Returns the approximate marginal error at which the rounding of products shows; it was found to grow as 1 / epsilon."""
    unit = {"float32": 0.0, "bfloat16": 2.0**-8, "float16": 2.0**-11}[precision]
    return 0.01 * unit * transport.mean_cost / transport.epsilon


def _sinkhorn_step(transport: Transport, evaluated: DualEvaluation) -> np.ndarray:
    """Returns epsilon log(b / q), less its mean under b: a constant in g changes nothing."""
    step = transport.epsilon * np.log(transport.b / np.maximum(evaluated.marginal, np.finfo(np.float32).tiny))
    return step - transport.b @ step


def _random_rows(pool: Pool, targets: int, seed: int) -> np.ndarray:
    """Returns the largest sample's rows in random order, so that every prefix of them is a sample itself."""
    sizes = sample_sizes(len(pool), targets)
    drawn = np.random.default_rng(seed).choice(len(pool), sizes[-1] if sizes else 0, replace=False)
    return drawn if pool.rows is None else pool.rows[drawn]
