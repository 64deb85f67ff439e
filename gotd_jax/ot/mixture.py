"""The dual of transport from a mixture, the selection chosen along with the plan, to a part of the target.

Over selections w with 0 <= w_i <= 1/k and over kept targets c with 0 <= c_j <= b_j / (1 - trim), each of mass 1,

    min_w,c OT(share w + (1 - share) a, c) = max_g L(g, 1 - trim) + (1 - share) sum_i a_i f_i(g) + share L(f(g), k / n)

where f is the soft-min of g, and L the mean of the lowest part of a vector. The right side is concave in g, of the target's
length. L has kinks; it is smoothed over a `width` of values (`filling`).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax.ot.blocks import plan_block
from gotd_jax.ot.filling import fill
from gotd_jax.ot.passes import PassSums, PoolPart, pass_over
from gotd_jax.ot.pool import Pool
from gotd_jax.ot.transport import Transport


@dataclasses.dataclass(frozen=True, eq=False)
class MixtureEvaluation:
    """The dual at potentials g, and the primal point that belongs to it.

    Attributes:
      g: float64 [m].
      values: f of the candidates, float32 [n].
      weights: w, the selection, float64 [n].
      kept: c, the targets' weights that are to be served, float64 [m].
      marginal: q, those that the plan serves, float64 [m].
      error: L1 distance of q from c, as a share of the mass.
      smooth: the value of the smoothed dual.
      dual: that of the dual itself; no selection can have a lower cost.
      gap: of the cost of the plan (from share w + (1 - share) a to q) over `dual`, as a share of the mean cost.
      blur: how far the mean values under w and c exceed those of the lowest ones, as a share of the mean cost.
    """

    g: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    kept: np.ndarray
    marginal: np.ndarray
    error: float
    smooth: float
    dual: float
    gap: float
    blur: float

    @property
    def ascent(self) -> np.ndarray:
        """The gradient of the smoothed dual, c - q."""
        return self.kept - self.marginal


class Mixture:
    """The problem: transport from share w + (1 - share) a to the target without its costliest part.

    Args:
      transport: toward the same targets; it has their side of the plan, and the journal.
      rest: where the rest of the mass lies, with its weights a.
      candidates: among which w chooses; may be `rest` itself.
      capacity: the most that w may give a candidate, 1/k.
      share: of the mass that w places, in [0, 1].
      trim: share of the target's mass that may be left out, in [0, 1).
    """

    def __init__(self, transport: Transport, rest: Pool, candidates: Pool, *, capacity: float, share: float, trim: float):
        self.transport = transport
        self.rest = rest
        self.candidates = candidates
        self.capacity = capacity
        self.share = share
        self.target_capacities = transport.b / (1.0 - trim)

    def evaluate(self, g: np.ndarray, width: float) -> MixtureEvaluation:
        """Returns the dual at g, by a pass of all candidates and another of those with a weight."""
        transport, share = self.transport, self.share
        rest = self._pass(self.rest, g)
        values = (rest if self.candidates is self.rest else self._pass(self.candidates, g)).values()
        dual = (1 - share) * float(rest.total[-1])
        marginal = (1 - share) * rest.total[:-1].astype(np.float64)
        kept, least, smoothing = self._filled(g, self.target_capacities, width)
        excess, dual = float((kept - least) @ g), dual + float(least @ g)
        blur, weights = excess, np.zeros(len(values))
        if share:
            weights, least, selecting = self._filled(values, self.capacity, width)
            placed = np.flatnonzero(weights)
            marginal += share * self._pass(weighted(self.candidates, placed, weights[placed]), g).total[:-1]
            dual += share * float(least @ values)
            blur += float((weights - least) @ values)
            excess += share * float((weights - least) @ values)
            smoothing += share * selecting
        error = float(np.abs(marginal - kept).sum())
        gap = excess + abs(float((marginal - kept) @ (g - np.median(g))))
        transport.note(error, 1, len(self.candidates))
        return MixtureEvaluation(
            g=g,
            values=values,
            weights=weights,
            kept=kept,
            marginal=marginal,
            error=error,
            smooth=dual + excess + smoothing,
            dual=dual,
            gap=gap / transport.mean_cost,
            blur=blur / transport.mean_cost,
        )

    def _filled(self, values: np.ndarray, capacities: np.ndarray | float, width: float) -> tuple[np.ndarray, np.ndarray, float]:
        """Returns the weights that smoothing over `width` gives, those without it, and the term that smoothing adds."""
        smooth, least = fill(values, capacities, width), fill(values, capacities)
        return smooth, least, width / 2 * float(np.sum(smooth**2 / capacities))

    def _pass(self, pool: Pool, g: np.ndarray) -> PassSums:
        transport = self.transport
        step = f"finite share, pass {transport.passes + 1}"
        return pass_over([PoolPart(pool, plan_block)], transport.side(g), (len(g) + 1,), step=step)


def weighted(pool: Pool, positions: np.ndarray, weights: np.ndarray) -> Pool:
    """Returns the candidates at `positions` in `pool`, ascending, with weights in proportion to `weights`."""
    rows = positions if pool.rows is None else pool.rows[positions]
    everywhere = np.zeros(len(pool.candidates))
    everywhere[rows] = weights
    return Pool(pool.candidates, everywhere, rows)
