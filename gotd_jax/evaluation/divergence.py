"""The debiased transport cost between two distributions of texts: their Sinkhorn divergence."""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax import ot
from gotd_jax.models.scaling import unit_length
from gotd_jax.ot import Potentials

EPSILON = 0.05  # of the mean cost from pool to target, for all terms alike
TO_MULTIPLES = 256
THRESHOLD = 5e-3  # of the marginal error e: the cost is off by about epsilon e^2 / 2, a millionth of the mean cost


@dataclasses.dataclass(frozen=True, eq=False)
class Halves:
    """A distribution of texts, as two weighted samples of it.

    Attributes:
      points: embeddings, float32 [k, d] and [l, d].
      weights: of the texts, float64 [k] and [l]; each sums to 1.
    """

    points: tuple[np.ndarray, np.ndarray]
    weights: tuple[np.ndarray, np.ndarray]

    @classmethod
    def twice(cls, embeddings: np.ndarray, weights: np.ndarray | None = None) -> Halves:
        """Returns the distribution that is these texts and no others: both samples are all of them, float [n, d]."""
        points = np.asarray(embeddings, np.float32)
        weights = np.full(len(points), 1 / len(points)) if weights is None else weights
        return cls((points, points), (weights, weights))

    @classmethod
    def parted(cls, embeddings: np.ndarray, half: np.ndarray) -> Halves:
        """Returns the distribution that these texts, equally weighted, are a sample of: `half`, 0 or 1 [n], parts them.

        Where all are of one half, there is no second sample, and it is `twice` the texts.
        """
        parts = [np.asarray(embeddings[half == number], np.float32) for number in (0, 1)]
        if not all(map(len, parts)):
            return cls.twice(embeddings)
        return cls(tuple(parts), tuple(np.full(len(part), 1 / len(part)) for part in parts))

    @property
    def is_one(self) -> bool:
        """Whether both samples are the same."""
        return self.points[0] is self.points[1]

    def mixed(self, other: Halves, mass: float) -> Halves:
        """Returns (1 - mass) of this distribution and `mass` of the other."""
        mixtures = [self._mixed(other, mass, half) for half in ((0,) if self.is_one and other.is_one else (0, 1))]
        points, weights = zip(*(mixtures if len(mixtures) == 2 else 2 * mixtures))
        return Halves(points, weights)

    def _mixed(self, other: Halves, mass: float, half: int) -> tuple[np.ndarray, np.ndarray]:
        points = np.concatenate([self.points[half], other.points[half]])
        return points, np.concatenate([(1 - mass) * self.weights[half], mass * other.weights[half]])


@dataclasses.dataclass(frozen=True, eq=False)
class Divergence:
    """How far a distribution lies from a target.

    Attributes:
      value: of the Sinkhorn divergence, in units of the cost.
      potential: of the texts of the target's first sample toward the distribution, less that toward the target itself: the
        derivative of `value` by their weights, up to a constant, float64 [m].
    """

    value: float
    potential: np.ndarray


class DivergenceFrom:
    """Measures the Sinkhorn divergence of distributions from a target, OT(mu, nu) - OT(mu, mu) / 2 - OT(nu, nu) / 2.

    The entropic cost OT(mu, nu) alone (Feydy et al. 2019, arXiv 1810.08278) is lowest for texts in the middle of the target,
    which are not far from any of its texts: it cannot judge a rule that follows its gradient. The other two terms have that
    preference too, and take it out.

    How far depends on what the texts stand for. Of `Halves.twice`, a text is no distance away from itself in OT(mu, mu), so
    that each adds nothing but its weight: a few texts with much weight each lie far from any target, and of many this judges
    how they cover it. Of two samples that share no text (`Halves.parted`; mu / mu', nu / nu', and the mean of mu / nu' and
    mu' / nu) this is the divergence of what both are drawn from: small samples add to all terms alike, and two samples of one
    distribution have 0 on average. This judges the kind of text, and hardly how much of it there is.

    Args:
      target: nu.
      pool: from whose mean cost to the target epsilon follows.
      seed: of the solvers' samples.

    Attributes:
      epsilon: of all terms, in units of the cost.
      mean_cost: from the pool to the target.

    Raises:
      ValueError: all texts of pool and target are one point.
      RuntimeError: a solve did not converge.
    """

    def __init__(self, target: Halves, pool: Halves, *, seed: int = 0):
        self._target, self._seed = target, seed
        points, weights = _padded(target.points[0], target.weights[0])
        weighted = {"candidate_weights": pool.weights[0], "target_weights": weights}
        solved = ot.solve(pool.points[0], points, epsilon=EPSILON, solver="semidual", seed=seed, **weighted)
        self.epsilon, self.mean_cost = solved.epsilon, solved.mean_cost
        self._own = self._solve(target, 1, target, 0)

    def of(self, measured: Halves) -> Divergence:
        """Returns the divergence of a distribution from the target."""
        forth = self._solve(measured, 1, self._target, 0)
        back = forth if measured.is_one and self._target.is_one else self._solve(measured, 0, self._target, 1)
        itself = self._solve(measured, 1, measured, 0)
        value = (forth.cost + back.cost - itself.cost - self._own.cost) / 2
        return Divergence(value, forth.target - self._own.target)

    def _solve(self, first: Halves, half: int, second: Halves, other: int) -> Potentials:
        """Returns the certified potentials between a half of one distribution and a half of another, one for each text."""
        points, weights = _padded(second.points[other], second.weights[other])
        solved = ot.solve(
            first.points[half],
            points,
            epsilon=self.epsilon,
            absolute=True,
            solver="semidual",
            threshold=THRESHOLD,
            candidate_weights=first.weights[half],
            target_weights=weights,
            seed=self._seed,
        )
        return dataclasses.replace(solved, target=_first(solved.target, len(second.weights[other])))


def unit_vectors(embeddings: np.ndarray) -> np.ndarray:
    """Returns embeddings of length one, float32 [n, d]; those of length zero stay as they are."""
    return unit_length(np.asarray(embeddings, np.float32))


def _padded(points: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns points and weights up to a multiple of `TO_MULTIPLES` points: copies of the first ones share their weight.

    So solves of like size are of one shape, and run the same compiled program. If all points are one, it is given once.
    """
    if (points == points[0]).all():
        return points[:1], weights.sum(keepdims=True)
    place = np.arange(-(-len(points) // TO_MULTIPLES) * TO_MULTIPLES) % len(points)
    return points[place], (weights / np.bincount(place))[place]


def _first(potential: np.ndarray, count: int) -> np.ndarray:
    """Returns the potentials of `count` points that were padded, or are one, float64 [count]."""
    return np.resize(potential.astype(np.float64), count)
