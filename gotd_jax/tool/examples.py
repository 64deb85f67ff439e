"""Chosen texts to read: examples from all ranks with the target texts that they serve, and pairs of near duplicates."""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax.data.near_duplicates import near_duplicates, shingles
from gotd_jax.data.sampling import spread
from gotd_jax.tool.debiased import parts_of
from gotd_jax.tool.explanations import Served, most_served
from gotd_jax.tool.report_inputs import ReportInputs, TargetSelection

EXAMPLES = 20
SERVED = 3
CHARACTERS = 4000  # of a text, at most
SIMILARITY = 0.5
MOST_COMPARED = 5000  # of the best chosen texts
PAIRS = 10


@dataclasses.dataclass(frozen=True)
class Example:
    """A chosen text.

    Attributes:
      rank: from 1, the best.
      id: of the text.
      domain: of the text.
      text: its first characters.
      value: the method's; None where it gives none.
      parts: of a debiased value: the gradient toward the target, and the pool's own, less which it is; None otherwise.
      target: the name of the target that it was chosen for.
      serves: the target texts that it serves most.
    """

    rank: int
    id: str
    domain: str
    text: str
    value: float | None
    parts: tuple[float, float] | None
    target: str
    serves: tuple[Served, ...]


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two chosen texts that are near duplicates.

    Attributes:
      ranks: from 1, the best.
      ids: of the texts.
      texts: their first characters.
      similarity: Jaccard's, of their shingles of five words.
    """

    ranks: tuple[int, int]
    ids: tuple[str, str]
    texts: tuple[str, str]
    similarity: float


@dataclasses.dataclass(frozen=True)
class Likeness:
    """Near duplicates among the chosen texts.

    Attributes:
      compared: how many of the best chosen texts were compared.
      similarity: the least similarity of near duplicates.
      alike: texts that are near duplicates of an earlier one.
      pairs: the most similar of them, each with the first of its group.
    """

    compared: int
    similarity: float
    alike: int
    pairs: tuple[Pair, ...]


def spread_over_ranks(inputs: ReportInputs) -> tuple[Example, ...]:
    """Returns chosen texts, evenly spaced from the best to the last."""
    places = spread(len(inputs.rows), EXAMPLES)
    rows = inputs.rows[places]
    found = zip(places, rows, inputs.served[places], inputs.embed_rows(rows), inputs.candidates.take(rows))
    examples = []
    for place, row, number, embedding, record in found:
        target = inputs.targets[number]
        examples.append(
            Example(
                rank=int(place) + 1,
                id=record["id"],
                domain=record["domain"],
                text=record["text"][:CHARACTERS],
                value=None if target.values is None else float(target.values[row]),
                parts=parts_of(target, number, int(row), inputs.manifest),
                target=target.name,
                serves=_serves(target, embedding),
            )
        )
    return tuple(examples)


def near_duplicates_among(inputs: ReportInputs) -> Likeness:
    """Returns how many of the best chosen texts are near duplicates of a better one, and the most similar pairs."""
    corpus = inputs.candidates.take(inputs.rows[:MOST_COMPARED])
    firsts = near_duplicates(corpus, SIMILARITY, seed=inputs.seed)
    later = np.flatnonzero(firsts != np.arange(len(corpus)))
    pairs = sorted((_pair(corpus.take([firsts[row], row]), int(firsts[row]), int(row)) for row in later), key=_order)
    return Likeness(len(corpus), SIMILARITY, len(later), tuple(pairs[:PAIRS]))


def _serves(target: TargetSelection, embedding: np.ndarray) -> tuple[Served, ...]:
    served = most_served(target.potentials, embedding, target.corpus, SERVED)
    return tuple(dataclasses.replace(text, text=text.text[:CHARACTERS]) for text in served)


def _pair(corpus, first: int, later: int) -> Pair:
    one, other = map(shingles, corpus.texts())
    texts = tuple(text[:CHARACTERS] for text in corpus.texts())
    return Pair((first + 1, later + 1), tuple(corpus.ids), texts, len(one & other) / max(1, len(one | other)))


def _order(pair: Pair) -> tuple:
    return -pair.similarity, pair.ranks
