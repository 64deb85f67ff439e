"""How much of a difference between two methods is noise: paired over seeds, or from the errors over items of one seed."""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Sequence

import numpy as np

ALPHA = 0.05
POWER = 0.8
MOST_SEEDS = 1_000  # that are looked for
FEWEST_BOOTSTRAPPED = 5  # below, resamples of seeds are too few: of 3, an interval can be no wider than their range
RESAMPLES = 50_000
ROUNDING = 1e-12  # of the values: differences nearer to each other are the same


@dataclasses.dataclass(frozen=True)
class Paired:
    """A difference, the first's value less the second's, and its noise.

    Attributes:
      seeds: in common.
      means: of the two over these seeds; None without any, as is the difference.
      difference: mean over seeds.
      spread: sample standard deviation of the differences over seeds (n - 1); None below 2 seeds.
      noise: standard error over items of a single seed's difference; None where the seeds are several, or errors unknown.
      interval: 95 %, of the difference; None where nothing is known of the noise.
      kind: of interval: bootstrap, t, items, or empty.
      p: of a two-sided paired t-test; None below 2 seeds, or where the difference is the same on every seed.
      settle: the fewest seeds that would settle it; None above `MOST_SEEDS`, or without p.
    """

    seeds: int
    means: tuple[float, float] | None = None
    difference: float | None = None
    spread: float | None = None
    noise: float | None = None
    interval: tuple[float, float] | None = None
    kind: str = ""
    p: float | None = None
    settle: int | None = None


def of_seeds(first: Sequence[float], second: Sequence[float]) -> Paired:
    """Returns the difference of two methods over the same seeds, 2 or more.

    Args:
      first: its value for each seed.
      second: the other's, seed by seed.
    """
    from scipy import stats

    first, second = np.asarray(first, float), np.asarray(second, float)
    differences = first - second
    difference, spread = float(differences.mean()), float(differences.std(ddof=1))
    found = Paired(len(differences), (float(first.mean()), float(second.mean())), difference, spread)
    tolerance = ROUNDING * max(np.abs(first).max(), np.abs(second).max())
    if np.ptp(differences) <= tolerance:
        return dataclasses.replace(found, difference=difference if abs(difference) > tolerance else 0.0, spread=0.0)
    test = stats.ttest_rel(first, second)
    if found.seeds >= FEWEST_BOOTSTRAPPED:
        kind, interval = "bootstrap", bootstrap_interval(differences)
    else:
        kind, interval = "t", tuple(map(float, test.confidence_interval(1 - ALPHA)))
    settle = seeds_to_settle(difference, spread)
    return dataclasses.replace(found, interval=interval, kind=kind, p=float(test.pvalue), settle=settle)


def of_items(first: float, second: float, errors: tuple[float | None, float | None]) -> Paired:
    """Returns the difference of two methods on one seed.

    Its noise is sqrt(e1^2 + e2^2) of the standard errors over items: as if their items were not the same, since of each
    method only its own error is kept. It says nothing of other seeds.

    Args:
      first: its value.
      second: the other's.
      errors: of both over items; None where it is not known.
    """
    found = Paired(1, (first, second), first - second)
    if None in errors or not any(errors):
        return found
    from scipy import stats

    noise = math.hypot(*errors)
    reach = float(stats.norm.isf(ALPHA / 2)) * noise
    return dataclasses.replace(found, noise=noise, interval=(found.difference - reach, found.difference + reach), kind="items")


def bootstrap_interval(differences: np.ndarray) -> tuple[float, float]:
    """Returns the 95 % interval of the mean by the expanded percentile bootstrap over seeds; the same at every call.

    Plain percentiles, and BCa's, are too narrow for few seeds: of normal differences they held the truth in 83 % at 5 seeds
    and 90 % at 10 (4,000 draws). Percentiles taken further out, at Phi(-sqrt(n / (n - 1)) t) with t Student's (Hesterberg
    2015, The American Statistician 69), held it in 92 % and 95 %.

    Args:
      differences: float [n], one a seed; n is at least `FEWEST_BOOTSTRAPPED`.
    """
    from scipy import stats

    n = len(differences)
    outside = stats.norm.sf(math.sqrt(n / (n - 1)) * stats.t.isf(ALPHA / 2, n - 1))
    found = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=1 - 2 * outside,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return tuple(map(float, found.confidence_interval))


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p-values adjusted for their number by Holm's step-down method (1979), in the order given."""
    p_values = np.asarray(p_values, float)
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1))
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted.tolist()


def power(seeds: int, effect: float) -> float:
    """Returns how often a two-sided paired t-test finds a true difference.

    The noncentral t distribution beyond the critical value on the difference's own side; findings of the wrong sign do not
    count, and are under one in 10,000 wherever the power is 0.8.

    Args:
      seeds: 2 or more.
      effect: the difference over the standard deviation of the differences, positive.
    """
    from scipy import stats

    freedom = seeds - 1
    return float(stats.nct.sf(stats.t.isf(ALPHA / 2, freedom), freedom, effect * math.sqrt(seeds)))


def seeds_to_settle(difference: float, spread: float) -> int | None:
    """Returns the fewest seeds at which a paired t-test at 0.05 has the power 0.8 to find a true difference of this size.

    Args:
      difference: its mean; its sign does not matter.
      spread: standard deviation of the differences over seeds, positive.

    Returns:
      2 or more, or None for more than `MOST_SEEDS`.
    """
    effect = min(abs(difference) / spread, 100.0)  # for which 2 are enough; far above, SciPy has no number
    candidates = range(2, MOST_SEEDS + 1)
    place = bisect.bisect_left(candidates, POWER, key=lambda seeds: power(seeds, effect))
    return candidates[place] if place < len(candidates) else None
