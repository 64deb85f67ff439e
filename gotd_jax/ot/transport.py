"""One entropic OT problem, its arguments checked, and how well a vector of target potentials solves it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import numpy as np

from gotd_jax.ot.blocks import TargetSide, coupling_block, moments_block, plan_block
from gotd_jax.ot.checks import check_distinct, check_finite, check_shapes, weights_of
from gotd_jax.ot.passes import PassSums, PoolPart, pass_over
from gotd_jax.ot.pool import Pool


@dataclasses.dataclass(frozen=True)
class ConvergenceCheck:
    """A line of a solve's journal: the marginal error after a number of passes.

    Attributes:
      passes: made so far over candidates and targets; an iteration of ott-jax makes two, an evaluation of the error one.
      rows: candidates in the latest of these passes.
      precision: of the products of embeddings in them.
      marginal_error: as a share of the mass.
      seconds: since the solve began.
    """

    passes: int
    rows: int
    precision: str
    marginal_error: float
    seconds: float


class DualEvaluation:
    """The dual problem evaluated at target potentials g, by a pass of the plan.

    Attributes:
      marginal: q, the target marginal of the plan, float64 [m]; the candidates' marginal is exact.
      error: L1 distance of q from b, as a share of the mass.
      dual: sum_i a_i f_i + sum_j b_j g_j, which the solution maximises.
    """

    def __init__(self, sums: PassSums, g: np.ndarray, b: np.ndarray):
        self.marginal = sums.total[:-1].astype(np.float64)
        self.error = float(np.abs(self.marginal - b).sum())
        self.dual = float(sums.total[-1]) + float(b @ g)
        self._sums = sums

    def potentials(self) -> np.ndarray:
        """Returns the candidates' potentials f, the exact soft-min of g, float32 [n]."""
        return self._sums.values()


class Transport:
    """The problem min_P sum_ij P_ij |x_i - y_j|^2 + epsilon KL(P | a b^T) over plans P with marginals a and b.

    Args:
      candidates: float [n, d]; may be memory-mapped.
      targets: float [m, d].
      epsilon: in units of the cost if `absolute`, of the mean cost otherwise.
      absolute: see `epsilon`.
      candidate_weights: a, float [n], positive, sum 1; None for uniform ones.
      target_weights: b, float [m], positive, sum 1; None for uniform ones.
      rows: of the candidates, int [k], ascending; None for all of them.

    Attributes:
      pool: the candidates with their weights.
      y: the targets less `shift`, float32 [m, d].
      b: float64 [m].
      shift: the mean target, float32 [d].
      mean_cost: mean of the cost under a and b.
      epsilon: absolute.
      journal: a `ConvergenceCheck` for every evaluation of the error.

    Raises:
      ValueError: empty, ill-shaped or non-finite embeddings, invalid weights, epsilon not positive.
    """

    def __init__(self, candidates, targets, *, epsilon, absolute, candidate_weights=None, target_weights=None, rows=None):
        self.began = time.perf_counter()
        check_shapes(candidates, targets)
        check_finite(targets, "targets")
        check_distinct(targets)
        if not epsilon > 0:
            raise ValueError(f"epsilon is {epsilon}. It must be positive; 0.01 of the mean cost is near the exact duals.")
        a = None if candidate_weights is None else weights_of(candidate_weights, len(candidates), "candidate")
        self.b = weights_of(target_weights, len(targets), "target")
        self.pool = Pool(candidates, a, rows)
        self.shift = np.mean(targets, axis=0, dtype=np.float64).astype(np.float32)
        self.y = np.asarray(targets, np.float32) - self.shift
        self.mean_cost = self._mean_cost()
        self.epsilon = float(epsilon if absolute else epsilon * self.mean_cost)
        if not self.epsilon > 0:
            raise ValueError(
                "All candidates and targets lie on one point, so that a relative epsilon is zero. Look at the embeddings."
            )
        self.passes = 0
        self.journal: list[ConvergenceCheck] = []

    def side(self, g: np.ndarray) -> TargetSide:
        """Returns the targets' side of the plan at potentials g, [m]."""
        return side(self.y, g, self.b, self.epsilon, self.shift)

    def evaluate(self, g: np.ndarray, parts: Sequence[PoolPart] | None = None) -> DualEvaluation:
        """Returns the dual at g, evaluated by one pass of `parts` (all candidates in float32 by default), and journals it."""
        parts = [PoolPart(self.pool, plan_block)] if parts is None else parts
        last = f", error {self.journal[-1].marginal_error:.1e}" if self.journal else ""
        step = f"transport, pass {self.passes + 1}{last}"
        sums = pass_over(parts, self.side(g), (len(g) + 1,), step=step)
        evaluated = DualEvaluation(sums, g, self.b)
        precision = "+".join(dict.fromkeys(part.precision for part in parts))
        self.note(evaluated.error, 1, sum(len(part.pool) for part in parts), precision)
        return evaluated

    def note(self, error: float, passes: int, rows: int, precision: str = "float32") -> None:
        """Adds a line to the journal: the marginal error that `passes` more passes over `rows` candidates found."""
        self.passes += passes
        seconds = round(time.perf_counter() - self.began, 3)
        self.journal.append(ConvergenceCheck(self.passes, rows, precision, error, seconds))

    def coupling(self, g: np.ndarray, pool: Pool) -> np.ndarray:
        """Returns sum_i P_ij P_ik / a_i over `pool`, float32 [m, m]: the mass of target k that shares candidates with j."""
        self.passes += 1
        return pass_over([PoolPart(pool, coupling_block)], self.side(g), (len(g), len(g)), step="curvature").total

    def _mean_cost(self) -> float:
        """Returns sum_ij a_i b_j |x_i - y_j|^2 from first and second moments, in a pass that reads every number of the pool."""
        y, b = self.y.astype(np.float64), self.b
        anywhere = side(self.y, np.zeros(len(y)), b, 1.0, self.shift)
        sums = pass_over([PoolPart(self.pool, moments_block)], anywhere, (y.shape[1] + 1,), step="mean cost")
        moments = sums.total.astype(np.float64)
        if not np.isfinite(moments).all():
            check_finite(self.pool.candidates, "candidates")
            raise ValueError("Squared lengths of the candidates exceed float32. Scale all embeddings down; the ranking stays.")
        return float(moments[-1] + b @ np.einsum("md,md->m", y, y) - 2.0 * moments[:-1] @ (b @ y))


def side(y: np.ndarray, g: np.ndarray, b: np.ndarray, epsilon: float, shift: np.ndarray) -> TargetSide:
    """Returns the targets' side of a plan: h = g + epsilon log b, in which a target without weight is -inf."""
    with np.errstate(divide="ignore"):
        biases = (g + epsilon * np.log(b)).astype(np.float32)
    unit = np.sqrt(np.mean(np.sum(y.astype(np.float64) ** 2, axis=1))) or 1.0
    return TargetSide(y, biases, np.float32(epsilon), shift, np.float32(unit))
