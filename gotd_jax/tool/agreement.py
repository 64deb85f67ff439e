"""The overlap of a selection with the selections that other methods make at the same budget."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from gotd_jax.methods import Problem, dsir
from gotd_jax.methods.problem import lowest
from gotd_jax.methods.top_cosine import mean_cosines
from gotd_jax.tool.report_inputs import ReportInputs, TargetSelection

MOST_READ = 20_000  # candidates whose texts DSIR reads, some 3,000 a second
MOST_EMBEDDED = 400  # candidates that are embedded for this, where the pool is not
FEWEST = 10  # chosen texts that a sample must hold
ROWS_AT_ONCE = 65_536
SAME, RELATED = 0.8, 0.3  # the least overlaps of two selections that are called the same, or related
CHANCE = 1.5  # an overlap of less than this times chance is called little more than chance
LIKENESS = {
    "same": "Nearly the same texts: taking those most similar to the target would have done.",
    "related": "Part of the selection is among the most similar to the target; the rest was chosen for another reason.",
    "other": "Most of the selection is not among the texts most similar to the target.",
    "chance": "Little or no more than chance: the texts most similar to the target were mostly passed over.",
}
WORDS = {
    "same": "Nearly the same texts: counting words would have done.",
    "related": "Part of the selection would be chosen by the target's words; the rest was chosen for another reason.",
    "other": "Most of the selection would not be chosen by the target's words.",
    "chance": "Little or no more than chance: the target's words played next to no part.",
}


@dataclasses.dataclass(frozen=True)
class Agreement:
    """The overlap with another method's selection.

    Attributes:
      method: its name.
      rule: by which it selects, in words.
      overlap: the share of the selection that it chooses too; None where it cannot be measured.
      chance: the share that a random selection has on average.
      candidates: how many both chose from: all of them, or a sample.
      chosen: how many of these are in the selection.
      sentence: the meaning of the overlap.
    """

    method: str
    rule: str
    overlap: float | None
    chance: float
    candidates: int
    chosen: int
    sentence: str


def with_other_methods(inputs: ReportInputs) -> tuple[Agreement, ...]:
    """Returns the agreement with a random selection, with nearest neighbours, and with DSIR."""
    count, chosen = len(inputs.candidates), len(inputs.rows)
    sentence = "A random selection shares this much with this one on average. Compare the overlaps below with it."
    by_chance = Agreement("random", "at random", chosen / count, chosen / count, count, chosen, sentence)
    embedded = np.arange(len(inputs.candidates)) if inputs.embedded else inputs.sample(MOST_EMBEDDED)
    read = inputs.sample(max(1, MOST_READ // len(inputs.targets)))
    return (
        by_chance,
        _agreement(inputs, "top_cosine", "nearest to the target's mean direction", embedded, _nearest, LIKENESS),
        _agreement(inputs, "dsir", "by the target's words and word pairs", read, _by_words, WORDS),
    )


def _agreement(
    inputs: ReportInputs, method: str, rule: str, rows: np.ndarray, choose: Callable, sentences: dict[str, str]
) -> Agreement:
    """Returns the agreement with the selection of `choose` among `rows` of the pool, as large for each target as ours."""
    own = [np.flatnonzero(np.isin(rows, inputs.rows[inputs.served == number])) for number in range(len(inputs.targets))]
    chosen = sum(map(len, own))
    chance = len(inputs.rows) / len(inputs.candidates)
    made = functools.partial(Agreement, method, rule, chance=chance, candidates=len(rows), chosen=chosen)
    if chosen < min(FEWEST, len(inputs.rows)):
        return made(
            None, sentence=f"Only {chosen} chosen texts are among the {len(rows):,} candidates looked at: too few to say."
        )
    shared = 0
    for target, mine in zip(inputs.targets, own):
        try:
            shared += len(np.intersect1d(mine, choose(inputs, rows, target, len(mine)))) if len(mine) else 0
        except ValueError as fault:  # a target without a word, for example
            return made(None, sentence=f"It cannot choose here. {fault}")
    overlap = shared / chosen
    return made(overlap, sentence=_sentence(overlap, chance, sentences))


def _nearest(inputs: ReportInputs, rows: np.ndarray, target: TargetSelection, budget: int) -> np.ndarray:
    starts = range(0, len(rows), ROWS_AT_ONCE)
    blocks = (inputs.embed_rows(rows[start : start + ROWS_AT_ONCE]) for start in starts)
    return lowest(-np.concatenate([mean_cosines(block, target.embeddings) for block in blocks]), budget)


def _by_words(inputs: ReportInputs, rows: np.ndarray, target: TargetSelection, budget: int) -> np.ndarray:
    problem = Problem(inputs.candidates.take(rows), target.corpus, lambda _: target.embeddings)
    return dsir.select(problem, budget, seed=inputs.seed).rows


def _sentence(overlap: float, chance: float, sentences: dict[str, str]) -> str:
    if overlap >= SAME:
        return sentences["same"]
    if overlap < CHANCE * chance:
        return sentences["chance"]
    return sentences["related" if overlap >= RELATED else "other"]
