"""The marginal-value curve: how near the best k of a selection bring the pool to the target, for every k."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from gotd_jax.data.sampling import spread
from gotd_jax.evaluation.coverage import coverage, targets_served
from gotd_jax.evaluation.divergence import EPSILON, unit_vectors
from gotd_jax.tool import mixture_divergences
from gotd_jax.tool.extended_ranking import extended_ranking
from gotd_jax.tool.report_inputs import ReportInputs

POINTS = 9  # budgets up to the selection's own
SMALLEST = 256  # the first budget is the selection's own over this
BEYOND = (2, 4)  # times the selection's own
CONFIDENCE = 0.95
ENOUGH = 0.9  # share of the largest gain from which a budget is about right
# Texts of the pool's sample and of a selection in one solve: where the pool is embedded, and where each text has yet to be.
EMBEDDED, OTHERWISE = (1000, 500), (400, 100)


@dataclasses.dataclass(frozen=True)
class Point:
    """One budget.

    Attributes:
      budget: k, chunks.
      divergence: of the mixture with the best k from the target, as a share of the pool's own.
      low: the lower end of the band.
      high: the upper end.
      coverage: the share of target texts whose nearest text of the best k is nearer than their nearest of k drawn ones.
      served: the effective number of target texts that the best k serve.
    """

    budget: int
    divergence: float
    low: float
    high: float
    coverage: float
    served: float


@dataclasses.dataclass(frozen=True)
class Curve:
    """Sinkhorn divergence of (1 - lambda) pool + lambda selection from the target by budget, and a verdict on the budget.

    All is measured on unit vectors: by distance, and by the transport cost itself, short vectors and texts in the middle of
    the target are near to everything.

    Attributes:
      points: by growing budget.
      selected: the selection's own budget, chunks; larger ones go on by the method's values.
      best: the budget of the lowest divergence.
      knee: the budget farthest below the chord; None where none is certain.
      verdict: 'too large', 'about right', 'could be larger', or 'no help'.
      sentence: the verdict with its numbers.
      mass: lambda.
      epsilon: as a share of the mean cost.
      pool_texts: number of candidates in the sample that stands for the pool.
      target_texts: number of texts that are measured to.
      most_chosen: number of chunks, evenly spaced in rank, that a larger budget is measured on.
      resamples: number of resamples of the target's texts that the band is made from.
      confidence: of the band.
    """

    points: tuple[Point, ...]
    selected: int
    best: int
    knee: int | None
    verdict: str
    sentence: str
    mass: float
    epsilon: float
    pool_texts: int
    target_texts: int
    most_chosen: int
    resamples: int
    confidence: float


def divergence_curve(inputs: ReportInputs) -> Curve | None:
    """Returns the curve with a bootstrap band over target texts; None where all texts are one point, at no distance at all."""
    size, most = EMBEDDED if inputs.embedded else OTHERWISE
    pool = unit_vectors(inputs.embed_rows(inputs.sample(size)))
    most = min(most, len(pool))
    targets = mixture_divergences.Targets.of(inputs)
    if (pool == pool[0]).all() and (targets.embeddings == pool[0]).all():
        return None
    selected = len(inputs.rows)
    order = extended_ranking(inputs, max(BEYOND) * selected)
    budgets = _budgets(selected, len(order))
    selections = _unit_vectors_of([order[:budget][spread(int(budget), most)] for budget in budgets], inputs)
    shares, resampled = mixture_divergences.divergences(targets, pool, selections, inputs.seed)
    low, high = np.quantile(resampled, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2), axis=0)
    covered = [coverage(chosen, pool, targets.embeddings, targets.weights) for chosen in selections]
    served = [targets_served(chosen, targets.embeddings) for chosen in selections]
    verdict, sentence = judge(budgets, shares, resampled, selected)
    columns = zip(budgets.tolist(), shares, low, high, covered, served)
    return Curve(
        points=tuple(Point(budget, *map(float, numbers)) for budget, *numbers in columns),
        selected=selected,
        best=int(budgets[shares.argmin()]),
        knee=knee(budgets, shares, resampled),
        verdict=verdict,
        sentence=sentence,
        mass=mixture_divergences.MASS,
        epsilon=EPSILON,
        pool_texts=len(pool),
        target_texts=len(targets.weights),
        most_chosen=most,
        resamples=mixture_divergences.RESAMPLES,
        confidence=CONFIDENCE,
    )


def _unit_vectors_of(selections: Sequence[np.ndarray], inputs: ReportInputs) -> list[np.ndarray]:
    """Returns the embeddings of rows of the candidates, float32 [k, d], one array a selection; each row is embedded once."""
    every = np.unique(np.concatenate(selections))
    embeddings = unit_vectors(inputs.embed_rows(every))
    return [embeddings[np.searchsorted(every, rows)] for rows in selections]


def knee(budgets: np.ndarray, shares: np.ndarray, resampled: np.ndarray) -> int | None:
    """Returns the budget of the divergence farthest below the chord between the curve's ends, over the budget's logarithm.

    It is Kneedle's knee of a convex curve, falling or rising (Satopää et al. 2011). None where less than 97.5 % of the
    resampled curves lie below their own chords there.

    Args:
      budgets: int [k], ascending.
      shares: the divergences, float [k].
      resampled: the divergences from each resample, float [resamples, k].
    """
    if len(budgets) < 3:
        return None
    along = np.log(budgets / budgets[0]) / np.log(budgets[-1] / budgets[0])

    def depths(heights: np.ndarray) -> np.ndarray:
        return heights[..., :1] + along * (heights[..., -1:] - heights[..., :1]) - heights

    place = int(depths(shares).argmax())
    return int(budgets[place]) if _certain(depths(resampled)[:, place]) else None


def judge(budgets: np.ndarray, shares: np.ndarray, resampled: np.ndarray, selected: int) -> tuple[str, str]:
    """Returns whether the budget is too large, in a word and in a sentence with its numbers.

    Args:
      budgets: int [k], ascending; `selected` is one of them.
      shares: the divergences, float [k].
      resampled: the divergences from each resample, float [resamples, k].
      selected: the selection's own budget.
    """
    own, best = int(np.searchsorted(budgets, selected)), int(shares.argmin())
    here, there = f"{shares[own]:.1%}", f"{shares[best]:.1%}"
    if not _certain(1 - resampled[:, best]):
        return "no help", (
            f"No budget brings the pool nearer to the target beyond doubt: at best, with {budgets[best]:,} chunks, the "
            f"divergence is {there} of the pool's own. Look at the target's health, or for another pool."
        )
    enough = 1 - shares[own] >= ENOUGH * (1 - shares[best])
    if enough or not _certain(resampled[:, own] - resampled[:, best]):
        return "about right", (
            f"The budget is about right: all {selected:,} chunks bring the divergence to {here} of the pool's own. The best "
            f"budget tried, {budgets[best]:,}, brings it to {there}."
        )
    if best < own:
        return "too large", (
            f"The budget is larger than this target needs: the best {budgets[best]:,} chunks bring the divergence to {there} "
            f"of the pool's own, all {selected:,} only to {here}, since the later ones lie farther from the target."
        )
    return "could be larger", (
        f"The budget could be larger: {budgets[best]:,} chunks would bring the divergence to {there} of the pool's own, the "
        f"{selected:,} selected bring it to {here}."
    )


def _certain(differences: np.ndarray) -> bool:
    """Returns whether the resampled differences are above 0, except those in the band's lower tail."""
    return bool(np.quantile(differences, (1 - CONFIDENCE) / 2) > 0)


def _budgets(selected: int, most: int) -> np.ndarray:
    """Returns the budgets, int64, ascending: evenly spaced in their logarithm up to `selected`, then beyond, up to `most`."""
    within = np.geomspace(max(1, selected / SMALLEST), selected, POINTS).round()
    beyond = [min(times * selected, most) for times in BEYOND]
    return np.unique(np.concatenate([within, beyond])).astype(np.int64)
