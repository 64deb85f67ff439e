"""The pool's potential to itself, less which a candidate's is the gradient of the Sinkhorn divergence."""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax.ot.potentials import Potentials
from gotd_jax.ot.solve import solve


@dataclasses.dataclass(frozen=True, eq=False)
class OwnPotential:
    """The potential of every candidate toward the pool that it is from, up to one constant.

    Attributes:
      candidate: p, float32 [n].
      sample: candidates that stand for the pool.
      solves: of the two halves of the sample that stands for the pool.
      agreement: Spearman's rank correlation of the two halves' potentials, over candidates in neither; None where there are
        fewer than three.
    """

    candidate: np.ndarray
    sample: int
    solves: tuple[Potentials, Potentials]
    agreement: float | None

    def value(self, embeddings: np.ndarray) -> np.ndarray:
        """Returns the same potential of texts outside the pool, float [k, d], by its closed form, float32 [k]."""
        return np.mean([solved.value(embeddings) for solved in self.solves], axis=0, dtype=np.float64).astype(np.float32)

    def summary(self) -> dict:
        """Returns the numbers that tell how well a sample stands for the pool, JSON-like."""
        first, second = self.solves
        return {
            "sample": self.sample,
            "rank_agreement": self.agreement,
            "marginal_error": max(first.marginal_error, second.marginal_error),
            "seconds": first.seconds + second.seconds,
        }


def own_potential(candidates: np.ndarray, *, size: int, epsilon: float, seed: int = 0, **options) -> OwnPotential:
    """Returns the pool's potential to a sample of itself.

    The Sinkhorn divergence OT(mu, nu) - OT(mu, mu) / 2 - OT(nu, nu) / 2 (Feydy et al. 2019, arXiv 1810.08278) has the
    gradient f - p in mu: f is the potential toward nu, p the one toward mu itself. Entropic transport to a finite target
    prefers candidates in the middle of the pool, and squared distances short vectors, whatever the target says; p has both
    preferences as well, and takes them out.

    mu is stood for by a sample in two halves, each a certified solve. A candidate of one half is valued by the other alone,
    since it is no distance away from itself; all others by the mean of both.

    Args:
      candidates: pool embeddings, float [n, d]; may be memory-mapped.
      size: how many candidates stand for the pool, at least 2 (an odd one is left out); all of them where the pool is
        smaller. A solve costs as much as one toward half as many targets.
      epsilon: entropic regularisation, in units of the cost: that of the solve whose potential is debiased.
      seed: draws the sample, and the solvers' own.
      **options: `threshold`, `max_iterations`, `precision`, ... of `gotd_jax.ot.solve`.

    Raises:
      ValueError: the sample, or the pool, has fewer than 2 candidates; see `solve`.
      RuntimeError: a solve did not converge.
    """
    n = len(candidates)
    half = min(size, n) // 2
    if half < 1:
        raise ValueError(f"A sample of {size:,} of {n:,} candidates has no two halves. Give 2 or more, better 2,000.")
    drawn = np.random.default_rng((seed, 4)).choice(n, 2 * half, replace=False)
    halves = np.sort(drawn[:half]), np.sort(drawn[half:])
    common = {**options, "epsilon": epsilon, "absolute": True, "seed": seed}
    solves = tuple(solve(candidates, _points(candidates, rows), **common) for rows in halves)
    potentials = np.stack([_centred(solved.candidate, rows) for solved, rows in zip(solves, halves)])
    own = potentials.mean(axis=0)
    own[halves[0]], own[halves[1]] = potentials[1, halves[0]], potentials[0, halves[1]]
    return OwnPotential(own.astype(np.float32), 2 * half, solves, _agreement(np.delete(potentials, drawn, axis=1)))


def _points(candidates: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns the embeddings of a half; where they are all one point, that point once."""
    points = np.asarray(candidates[rows], np.float32)
    return points[:1] if (points == points[0]).all() else points


def _centred(potential: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns a potential less its mean over the candidates that it was not solved toward, float64 [n]."""
    potential = potential.astype(np.float64)
    return potential - np.delete(potential, rows).mean()


def _agreement(potentials: np.ndarray) -> float | None:
    from scipy.stats import spearmanr

    return float(spearmanr(*potentials).statistic) if potentials.shape[1] > 2 else None
