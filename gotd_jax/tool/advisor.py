"""Which options of got_d matter for a pool and a target: each tried on a sample, and what it changes there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from gotd_jax import ot
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.sampling import drawn, spread
from gotd_jax.evaluation.divergence import DivergenceFrom, Halves, unit_vectors
from gotd_jax.evaluation.selection_judges import MASS, halves
from gotd_jax.methods.problem import lowest
from gotd_jax.ot import Potentials
from gotd_jax.tool.curve import Curve
from gotd_jax.tool.report_inputs import ReportInputs

CANDIDATES, TARGETS = 1500, 300  # of a report; at most
PLANNED_CANDIDATES, PLANNED_TARGETS = 400, 100  # of a plan, where each text has yet to be embedded
FEWEST = 20  # candidates of a sample that are chosen, whatever the budget's share; and target texts of a half
EPSILON, SHARP = 0.05, 0.01  # of the mean cost: the one that all else is tried at, and the smaller one
EXPLAINED = 50  # of the chosen texts, whose rows of the plan are looked at
TRIM = 0.05  # of the target, those farthest from every candidate
SAME = 0.8  # the least overlap at which an option hardly matters
BETTER = 0.02  # of the pool's divergence: a difference that is worth a word


@dataclasses.dataclass(frozen=True)
class Advice:
    """What an option of got_d changes.

    Attributes:
      option: trimming, epsilon, unit vectors, debiasing, or budget.
      overlap: the share of the sample's chosen texts that are chosen with the option too; None where it was not tried.
      agreement: Spearman's rank correlation of all candidates' values with and without it; None as above.
      divergence: of the selection without it and with it from target texts that it was not made for, as shares of the mean
        cost; None as above.
      matters: whether it changes the selection.
      sentence: the advice with its numbers.
    """

    option: str
    overlap: float | None
    agreement: float | None
    divergence: tuple[float, float] | None
    matters: bool
    sentence: str


def for_plan(
    pool: Corpus, target: Corpus, embed: Callable[[Corpus], np.ndarray], share: float, *, seed: int = 0
) -> tuple[str, ...]:
    """Returns the sentences of advice for a selection that has yet to be made.

    Args:
      pool: chunks of the pool, of which up to 400 are embedded.
      target: chunks of the target, of which up to 100 are.
      embed: returns the embeddings of a corpus, float [n, d].
      share: the budget, as a share of the pool.
      seed: draws the samples.
    """
    rows, texts = drawn(len(pool), PLANNED_CANDIDATES, seed), drawn(len(target), PLANNED_TARGETS, seed)
    return tuple(each.sentence for each in advise(embed(pool.take(rows)), embed(target.take(texts)), share, seed=seed))


def advise(candidates: np.ndarray, targets: np.ndarray, share: float, *, seed: int = 0) -> tuple[Advice, ...]:
    """Returns what trimming, epsilon, unit vectors and debiasing change on a sample, each against the same plain rule.

    The plain rule is the published gradient at an epsilon of 5 % of the mean cost, on the embeddings as they are, whatever was
    asked for. One half of the target's texts is selected for, the other half judges (see `gotd_jax.evaluation.divergence`).

    Args:
      candidates: embeddings of a sample of the pool, float [n, d], up to a few thousand.
      targets: of the target's texts, float [m, d].
      share: the budget, as a share of the pool; at least `FEWEST` of the sample are chosen.
      seed: parts the target.

    Returns:
      One for each option; none where there are too few candidates or target texts, or all are one point.

    Raises:
      RuntimeError: a solve did not converge.
    """
    x, count = np.asarray(candidates, np.float32), max(FEWEST, round(share * len(candidates)))
    shuffled = np.asarray(targets, np.float32)[np.random.default_rng((seed, 7)).permutation(len(targets))]
    y, judging = shuffled[0::2], shuffled[1::2]
    if len(x) < 2 * count or len(judging) < FEWEST // 2 or (y == y[0]).all():
        return ()
    tried = _Tried(x, y, judging, count, seed)
    return tried.trimming(), tried.epsilon(), tried.unit_vectors(), tried.debiasing()


class _Tried:
    """The plain rule on a sample, and each option beside it."""

    def __init__(self, x: np.ndarray, y: np.ndarray, judging: np.ndarray, count: int, seed: int):
        self.x, self.y, self.count, self.seed = x, y, count, seed
        self.plain = self._solved(x, y)
        of_pool, _ = halves(np.arange(len(x)), np.arange(len(x)), seed)
        self._half, self._units = of_pool, unit_vectors(x)
        self._pool = Halves.parted(self._units, of_pool)
        self._judge = DivergenceFrom(Halves.parted(unit_vectors(judging), np.arange(len(judging)) % 2), self._pool, seed=seed)
        self.of_pool = self._judge.of(self._pool).value / self._judge.mean_cost
        self.before = self._divergence(self.plain.candidate)

    def trimming(self) -> Advice:
        """Returns the advice on leaving out the target texts that are farthest from every candidate."""
        from scipy.spatial.distance import cdist

        distances = cdist(self.y, self.x, "sqeuclidean").min(axis=1)
        most = max(1, round(TRIM * len(self.y)))
        far = np.argsort(-distances, kind="stable")[:most]
        chosen = lowest(self.plain.candidate, self.count)
        chosen = chosen[spread(self.count, EXPLAINED)]
        taken = float(np.mean([self.plain.explain(self.x[row])[far].sum() for row in chosen]))
        kept = self._solved(self.x, np.delete(self.y, far, axis=0))
        tried = (
            f"The target texts that are farthest from every candidate, {most:,} of {len(self.y):,}, take {taken:.0%} of "
            "the mass of the chosen ones; without them"
        )
        return self._advice("trimming", kept.candidate, tried, "Look at the target's health, and leave stray texts out.")

    def epsilon(self) -> Advice:
        """Returns the advice on a smaller epsilon."""
        sharp = ot.solve(self.x, self.y, epsilon=SHARP, solver="semidual", seed=self.seed)
        tried = f"At an epsilon of {SHARP:.0%} of the mean cost instead of {EPSILON:.0%}"
        return self._advice("epsilon", sharp.candidate, tried, f"Take --epsilon {SHARP}.", f"Take --epsilon {EPSILON}.")

    def unit_vectors(self) -> Advice:
        """Returns the advice on bringing all vectors to one length."""
        lengths = np.linalg.norm(self.x, axis=1)
        if np.ptp(lengths) <= 0.01 * lengths.max():
            return Advice("unit vectors", None, None, None, False, "All vectors are of one length already.")
        units = self._solved(self._units, unit_vectors(self.y))
        better, worse = "Take --normalise unit.", "Take --normalise none."
        return self._advice("unit vectors", units.candidate, "On unit vectors", better, worse)

    def debiasing(self) -> Advice:
        """Returns the advice on subtracting the pool's own potential."""
        own = ot.own_potential(self.x, size=len(self.x), epsilon=self.plain.epsilon, seed=self.seed, solver="semidual")
        values = self.plain.candidate - own.candidate
        tried = "Less the pool's own potential, as by default"
        return self._advice("debiasing", values, tried, "Keep it.", "Take --options debias=0.")

    def _solved(self, x: np.ndarray, y: np.ndarray) -> Potentials:
        return ot.solve(x, y, epsilon=EPSILON, solver="semidual", seed=self.seed)

    def _divergence(self, values: np.ndarray) -> float:
        rows = lowest(values, self.count)
        chosen = Halves.parted(self._units[rows], self._half[rows])
        return self._judge.of(self._pool.mixed(chosen, MASS)).value / self._judge.mean_cost

    def _advice(self, option: str, values: np.ndarray, tried: str, better: str, worse: str = "Leave it out.") -> Advice:
        from scipy.stats import spearmanr

        overlap = len(np.intersect1d(lowest(values, self.count), lowest(self.plain.candidate, self.count))) / self.count
        agreement = float(spearmanr(values, self.plain.candidate).statistic)
        after = self._divergence(values)
        gain = self.before - after
        matters = overlap < SAME or abs(gain) > BETTER * abs(self.of_pool)
        then = "It hardly matters here."
        if matters:
            told = better if gain > BETTER * abs(self.of_pool) else worse if gain < -BETTER * abs(self.of_pool) else None
            then = told or "It changes the selection, and no judge here says which is better."
        sentence = (
            f"{tried}, {overlap:.0%} of the {self.count:,} chosen of {len(self.x):,} candidates stay (rank agreement "
            f"{agreement:.2f}), and the divergence from other target texts goes from {100 * self.before:.3g} to "
            f"{100 * after:.3g} (pool {100 * self.of_pool:.3g}). {then}"
        )
        return Advice(option, overlap, agreement, (self.before, after), matters, sentence)


def of_targets(inputs: ReportInputs, found: Curve | None) -> tuple[Advice, ...]:
    """Returns the advice on the options, for the target with the largest share of the budget, and on the budget itself.

    Args:
      inputs: the selection.
      found: the curve of all targets; None where there is none.
    """
    rows = inputs.sample(CANDIDATES if inputs.embedded else PLANNED_CANDIDATES)
    target = inputs.targets[int(inputs.shares().argmax())]
    texts = np.asarray(target.embeddings[drawn(len(target.embeddings), TARGETS, inputs.seed)], np.float32)
    share = len(inputs.rows) / len(inputs.candidates)
    advice = advise(np.asarray(inputs.embed_rows(rows), np.float32), texts, share, seed=inputs.seed)
    return advice if found is None else (*advice, _on_the_budget(found))


def _on_the_budget(found: Curve) -> Advice:
    bend = f"The curve bends at {found.knee:,}." if found.knee else "The curve has no certain bend."
    return Advice("budget", None, None, None, found.verdict != "about right", f"{bend} {found.sentence}")
