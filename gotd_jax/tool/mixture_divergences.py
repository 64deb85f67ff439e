"""The divergence of mixtures of pool and selection from the targets, and from bootstrap resamples of the targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from gotd_jax.evaluation.divergence import DivergenceFrom, Halves, unit_vectors
from gotd_jax.evaluation.selection_judges import MASS
from gotd_jax.tool.report_inputs import ReportInputs

RESAMPLES = 1000
MOST_TARGETS = 500


@dataclasses.dataclass(frozen=True, eq=False)
class Targets:
    """A sample of the texts of all targets.

    Attributes:
      embeddings: unit vectors, float32 [m, d].
      weights: float64 [m], sum 1; the texts of a target sum to its share of the budget.
      numbers: the number of each text's target, int64 [m].
    """

    embeddings: np.ndarray
    weights: np.ndarray
    numbers: np.ndarray

    @classmethod
    def of(cls, inputs: ReportInputs) -> Targets:
        """Returns up to `MOST_TARGETS` texts, equally many of each target where it has them."""
        most = max(1, MOST_TARGETS // len(inputs.targets))
        embeddings, weights, numbers = [], [], []
        for number, (target, share) in enumerate(zip(inputs.targets, inputs.shares())):
            size = min(len(target.embeddings), most)
            rng = np.random.default_rng((inputs.seed, 2, number))
            rows = np.sort(rng.choice(len(target.embeddings), size, replace=False))
            embeddings.append(unit_vectors(target.embeddings[rows]))
            weights.append(np.full(size, share / size))
            numbers.append(np.full(size, number))
        return cls(np.concatenate(embeddings), np.concatenate(weights), np.concatenate(numbers))

    def weight_changes(self, seed: int) -> np.ndarray:
        """Returns the weights' change in each bootstrap resample, drawn within each target, float64 [resamples, m]."""
        rng = np.random.default_rng((seed, 3))
        drawn = np.empty((RESAMPLES, len(self.weights)))
        for number in np.unique(self.numbers):
            rows = np.flatnonzero(self.numbers == number)
            drawn[:, rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), RESAMPLES)
        return self.weights * (drawn - 1)


def divergences(
    targets: Targets, pool: np.ndarray, selections: Sequence[np.ndarray], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the Sinkhorn divergence of each mixture from the targets, and from each resample, as a share of the pool's own.

    Each is of the very texts of (1 - lambda) pool + lambda selection (`Halves.twice`), in certified solves of its own. A
    resample is not solved again: the derivative of the divergence by the targets' weights is their potential toward the
    mixture less that toward the targets themselves, so weights b' make it (b' - b) times that more, to first order, and so
    the pool's own. That term alone makes up the limit of a transport cost's fluctuations (Mena and Niles-Weed 2019, del
    Barrio et al. 2023).

    Args:
      targets: the sample that is measured to.
      pool: unit vectors that stand for the pool, float32 [p, d].
      selections: unit vectors of chosen texts, float32 [k, d], one array a mixture.
      seed: of resamples and solvers.

    Returns:
      float64 [mixtures]; float64 [resamples, mixtures].
    """
    alone = Halves.twice(pool)
    judge = DivergenceFrom(Halves.twice(targets.embeddings, targets.weights), alone, seed=seed)
    found = [judge.of(alone), *(judge.of(alone.mixed(Halves.twice(chosen), MASS)) for chosen in selections)]
    values = np.array([each.value for each in found])
    resampled = values + targets.weight_changes(seed) @ np.stack([each.potential for each in found], axis=1)
    return values[1:] / values[0], resampled[:, 1:] / resampled[:, :1]
