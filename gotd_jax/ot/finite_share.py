"""The selection that is best for a finite share of the mass, and for a part of the target: the public door to `mixture`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import numpy as np

from gotd_jax.ot.curvature import MOST_TARGETS
from gotd_jax.ot.filling import fill
from gotd_jax.ot.mixture import Mixture, MixtureEvaluation
from gotd_jax.ot.newton import ascend
from gotd_jax.ot.pool import Pool
from gotd_jax.ot.potentials import Potentials
from gotd_jax.ot.rounding import in_turns
from gotd_jax.ot.semidual import sample_sizes
from gotd_jax.ot.solve import sampled, solve
from gotd_jax.ot.transport import Transport

MOST_GAP = 1e-4  # of the certificate, as a share of the mean cost
BETTER = 1e-5  # the least difference of two costs, of sums in float32, as a share of the mean cost
WHOLE = 1 - 1e-3  # of 1/k: a weight that is as good as a whole candidate's
NEAR = 0.05  # marginal error from which a narrower smoothing is worth its passes
WIDEST, NARROWEST = 4.0, 2.0**-14  # smoothing, in units of epsilon
CHOSEN_IN_SAMPLE = 32  # the fewest candidates that a sample would choose; fewer say little about the whole pool


@dataclasses.dataclass(frozen=True, eq=False)
class MixtureSolution:
    """The best selection for a mixture, with its certificate.

    Attributes:
      potentials: f of every candidate and g of the targets; `cost` is the value of the dual, which no selection is below.
      weights: w, the selection with parts of candidates, float64 [n]: 1/k or 0 but for those whose f is near the k-th lowest.
      kept: the share of each target's allowance 1 / (1 - trim) that is to be served, float64 [m]; 1 throughout without trim.
      rows: the selection with whole candidates, int64 [k], the lowest f first: the k lowest f, or rows that serve the targets
        as w does (`rounding`) where their cost is lower. Empty where there is no share.
      share: of the mass that the selection has.
      trim: share of the target's mass that is left out.
      gap: of the cost that w reaches over the dual, as a share of the mean cost.
      rounding: of the cost that `rows` reach over the dual, as a share of the mean cost; None where there is no share.
    """

    potentials: Potentials
    weights: np.ndarray
    kept: np.ndarray
    rows: np.ndarray
    share: float
    trim: float
    gap: float
    rounding: float | None

    def summary(self) -> dict:
        """Returns the numbers that say how good the selection is, and which targets it need not serve, JSON-like."""
        dropped = np.flatnonzero(self.kept < 0.5)
        told = {"share": self.share, "trim": self.trim, "gap": self.gap}
        if self.share:
            told["rounding"] = self.rounding
        if self.trim:
            told["trimmed_targets"] = dropped.tolist()
            told["kept_of_target"] = [round(float(kept), 4) for kept in self.kept]
        return told


def solve_mixture(
    candidates: np.ndarray,
    targets: np.ndarray,
    *,
    count: int,
    share: float = 0.0,
    trim: float = 0.0,
    reference: np.ndarray | None = None,
    threshold: float = 1e-3,
    max_iterations: int = 2000,
    sample: int | None = None,
    seed: int = 0,
    **options,
) -> MixtureSolution:
    """Returns the selection w that minimises OT(share w + (1 - share) a, c) over 0 <= w_i <= 1/count and sum w = 1.

    GOT-D's Theorem 1 follows the cost to the first order in the share (Kang et al. 2024, Eq. 7), where all its candidates may
    serve the same few targets. This is the cost at the share itself, which counts that they have served them. By minimax
    it is one concave problem in the target's potential g:

        max_g <b, g> + (1 - share) sum_i a_i f_i(g) + share * mean of the `count` lowest f_i(g),

    f the soft-min of g, and the candidates to select are those of the lowest f. With `share` near 0 they are GOT-D's; with 1
    they match the target as a distribution, each at most once. With `trim` the target is c, 0 <= c_j <= b_j / (1 - trim), the
    part of it that is cheapest to serve (partial transport), and <b, g> becomes the mean of the lowest 1 - trim of g.

    From the potentials of `solve`, Newton's method climbs the dual, first on samples of a large pool, its kinks smoothed less
    and less, until the gap between the cost of w and the dual certifies both. As there, only blocks of the pool are in memory.

    Args:
      candidates: pool embeddings, float [n, d]; may be memory-mapped.
      targets: target embeddings, float [m, d].
      count: how many candidates are to be selected, k.
      share: of the mass that the selection has beside the rest, in [0, 1].
      trim: share of the target's mass that need not be served, in [0, 1).
      reference: embeddings that stand for the rest of the mass, float [l, d]; None for the candidates themselves.
      threshold: largest marginal error to accept, L1, as a share of the mass.
      max_iterations: of `solve`, and evaluations of the dual at each width of the smoothing.
      sample: candidates to solve on, where the pool is larger; all are valued.
      seed: draws samples.
      **options: of `solve`; `candidate_weights` are those of the rest.

    Raises:
      ValueError: an argument out of range, the solver 'published', more than 16,384 targets; see `solve`.
      RuntimeError: the marginal error or the gap stayed above its threshold, 1e-4 of the mean cost for the gap.
    """
    _check(count, share, trim, len(candidates), len(targets), options.get("solver"))
    began = time.perf_counter()
    common = {"threshold": threshold, "max_iterations": max_iterations, "seed": seed}
    start = solve(candidates if reference is None else reference, targets, sample=sample, **common, **options)
    stages = _Stages(candidates, targets, start, count, share, trim, reference, sample, seed, options)
    g, width = start.target.astype(np.float64), WIDEST * start.epsilon
    for mixture, is_whole in stages:
        at, width = _climbed(mixture, g, width, threshold if is_whole else NEAR, max_iterations, stages.draws)
        g = at.g
    if not (at.error <= threshold and max(at.gap, at.blur) <= MOST_GAP and np.all(np.isfinite(at.values))):
        raise RuntimeError(
            f"The selection for a share of {share} is certified to {max(at.gap, at.blur):.2e} of the mean cost, with "
            f"{at.error:.2%} of the mass misplaced, after {stages.transport.passes} passes (thresholds {MOST_GAP:.0e} and "
            f"{threshold:.2%}, max_iterations {max_iterations}, epsilon {start.epsilon:.3g}). Raise epsilon or max_iterations."
        )
    potentials = dataclasses.replace(
        start,
        candidate=at.values,
        target=at.g.astype(np.float32),
        cost=at.dual,
        marginal_error=at.error,
        journal=(*start.journal, *stages.transport.journal),
    )
    weights = at.weights
    if len(at.values) < len(candidates):
        potentials = dataclasses.replace(potentials, candidate=potentials.value(candidates))
        weights = fill(potentials.candidate, 1 / count, width) if share else np.zeros(len(candidates))
    rows, rounding = np.zeros(0, np.int64), None
    if share:
        rows, cost = stages.whole(potentials, weights, at.g, width, threshold, max_iterations)
        rounding = (cost - at.dual) / start.mean_cost
    potentials = dataclasses.replace(potentials, seconds=time.perf_counter() - began)
    kept = at.kept / mixture.target_capacities
    return MixtureSolution(potentials, weights, kept, rows, share, trim, at.gap, rounding)


class _Stages:
    """The problem on growing samples of a large pool, then on the whole: pairs of a `Mixture` and whether it is the last."""

    def __init__(self, candidates, targets, start, count, share, trim, reference, sample, seed, options):
        weights = {side: options.get(side) for side in ("candidate_weights", "target_weights")}
        rest = candidates if reference is None else reference
        rows = sampled(len(rest), sample, seed)
        self.transport = Transport(rest, targets, epsilon=start.epsilon, absolute=True, rows=rows, **weights)
        self.transport.passes, self.transport.began = start.passes, self.transport.began - start.seconds
        self.draws = np.random.default_rng((seed, 6))
        self._pool = self.transport.pool
        if reference is not None:
            self._pool = Pool(candidates, None, sampled(len(candidates), sample, seed))
        self._given = {"share": share, "trim": trim}
        self._budget, self._count = count, count * len(self._pool) / len(candidates)

    def __iter__(self) -> Iterator[tuple[Mixture, bool]]:
        pool, rest = self._pool, self.transport.pool
        for size in sample_sizes(len(pool), len(self.transport.y)):
            chosen = self._count * size / len(pool)
            if rest is pool and chosen >= CHOSEN_IN_SAMPLE:
                rows = np.sort(self.draws.choice(len(pool), size, replace=False))
                part = pool.sample(rows if pool.rows is None else pool.rows[rows])
                yield Mixture(self.transport, part, part, capacity=1 / chosen, **self._given), False
        yield Mixture(self.transport, rest, pool, capacity=1 / self._count, **self._given), True

    def whole(
        self, potentials: Potentials, weights: np.ndarray, g: np.ndarray, width: float, threshold: float, most: int
    ) -> tuple[np.ndarray, float]:
        """Returns the better of two selections of whole candidates near `weights`, the lowest potentials first; its cost."""
        values, count = potentials.candidate, self._budget
        lowest = np.argsort(values, kind="stable")[:count].astype(np.int64)
        whole = np.flatnonzero(weights >= WHOLE / count)
        parts = np.flatnonzero((weights > 0) & (weights < WHOLE / count))
        taken = lowest
        if len(parts) > count - len(whole) > 0:
            embeddings = np.asarray(self._pool.candidates[parts], np.float32) - potentials.shift
            served = potentials.targets, potentials.target
            taken = np.union1d(whole, parts[in_turns(weights[parts] * count, count - len(whole), embeddings, *served)])
        costs = []
        for rows in (lowest, taken) if len(taken) == count else (lowest,):
            chosen = self._pool.sample(np.sort(rows))
            mixture = Mixture(self.transport, self.transport.pool, chosen, capacity=1 / count, **self._given)
            costs.append(_climbed(mixture, g, width, threshold, most, self.draws)[0].dual)
        if costs[-1] < costs[0] - BETTER * self.transport.mean_cost:
            return taken[np.argsort(values[taken], kind="stable")], costs[-1]
        return lowest, costs[0]


def _climbed(
    mixture: Mixture, g: np.ndarray, width: float, threshold: float, most: int, draws: np.random.Generator
) -> tuple[MixtureEvaluation, float]:
    """Returns the dual where error and gap are small enough, or as near as it came, and the width it was smoothed over."""
    climb = {"most": most, "draws": draws}
    while True:
        at = ascend(mixture, mixture.evaluate(g, width), width=width, aim=max(threshold, NEAR), **climb)
        aim = threshold
        while at.blur <= MOST_GAP and at.error <= max(threshold, NEAR):
            at = ascend(mixture, at, width=width, aim=aim, **climb)
            if at.gap <= MOST_GAP or at.error > aim:
                break
            aim = at.error / 4
        if max(at.gap, at.blur) <= MOST_GAP or width <= NARROWEST * mixture.transport.epsilon:
            return at, width
        g, width = at.g, width / 4


def _check(count: int, share: float, trim: float, candidates: int, targets: int, solver: str | None) -> None:
    if solver == "published":
        raise ValueError(
            f"share is {share} and trim {trim}, and the solver is 'published', the notebook's call. Name another solver."
        )
    if not 1 <= count <= candidates:
        raise ValueError(f"count is {count:,} of {candidates:,} candidates. It must be at least 1 and no more than there are.")
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}. It is the share of the mass that the selection has, in [0, 1].")
    if not 0 <= trim < 1:
        raise ValueError(f"trim is {trim}. It is the share of the target that need not be served, in [0, 1).")
    if targets > MOST_TARGETS:
        raise ValueError(f"There are {targets:,} targets, and share and trim take up to {MOST_TARGETS:,}. Give fewer.")
