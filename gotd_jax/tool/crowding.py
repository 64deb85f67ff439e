"""Whether the chosen crowd the middle: lengths of vectors and of texts of chosen, target and pool side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from gotd_jax.data.sampling import spread
from gotd_jax.evaluation.divergence import unit_vectors
from gotd_jax.tool.report_inputs import ReportInputs, TargetSelection

MOST = 300  # texts of each side
FEWEST = 10  # chosen texts whose quartiles are worth a warning
MARGIN = 0.01  # by which a median must lie outside of the quartiles, relative to them: more than rounding


@dataclasses.dataclass(frozen=True)
class Quartiles:
    """The middle half of some numbers.

    Attributes:
      lower: a quarter lies below.
      median: half lies below.
      upper: three quarters lie below.
    """

    lower: float
    median: float
    upper: float

    @classmethod
    def of(cls, numbers: np.ndarray) -> Quartiles:
        """Returns those of float [n], n at least 1."""
        return cls(*map(float, np.quantile(np.asarray(numbers, np.float64), (0.25, 0.5, 0.75))))


@dataclasses.dataclass(frozen=True)
class Lengths:
    """A length of the chosen texts, of the target's, and of the pool's.

    Attributes:
      of: the length, in words.
      chosen: of the texts chosen for the target.
      target: of its own texts.
      pool: of the candidates.
    """

    of: str
    chosen: Quartiles
    target: Quartiles
    pool: Quartiles

    @property
    def falls_short(self) -> bool:
        """Whether the median of the chosen lies below the lower quartiles of target and pool."""
        return self.chosen.median < (1 - MARGIN) * min(self.target.lower, self.pool.lower)

    @property
    def goes_beyond(self) -> bool:
        """Whether the median of the chosen lies above the upper quartiles of target and pool."""
        return self.chosen.median > (1 + MARGIN) * max(self.target.upper, self.pool.upper)


@dataclasses.dataclass(frozen=True)
class Crowding:
    """The lengths of one target's selection.

    Attributes:
      target: its name.
      vectors: lengths of the embeddings; all 1 where the encoder makes unit vectors.
      directions: distances of the embeddings' directions from the pool's mean direction: how far from the middle they lie.
      characters: of the texts.
      warnings: sentences for a person.
    """

    target: str
    vectors: Lengths
    directions: Lengths
    characters: Lengths
    warnings: tuple[str, ...]


def of_targets(inputs: ReportInputs) -> tuple[Crowding, ...]:
    """Returns the lengths for every target that texts were chosen for, on samples of up to `MOST` texts of each side."""
    rows = inputs.sample(MOST)
    pool, characters = np.asarray(inputs.embed_rows(rows), np.float32), _characters(inputs.candidates.texts(rows))
    middle = unit_vectors(pool).mean(axis=0)
    numbers = range(len(inputs.targets))
    chosen = [inputs.rows[inputs.served == number] for number in numbers]
    return tuple(
        _of(inputs, target, rows[spread(len(rows), MOST)], pool, characters, middle)
        for target, rows in zip(inputs.targets, chosen)
        if len(rows)
    )


def _of(
    inputs: ReportInputs,
    target: TargetSelection,
    rows: np.ndarray,
    pool: np.ndarray,
    characters: np.ndarray,
    middle: np.ndarray,
) -> Crowding:
    some = spread(len(target.corpus), MOST)
    sides = np.asarray(inputs.embed_rows(rows), np.float32), np.asarray(target.embeddings[some], np.float32), pool

    def lengths(of: str, sides) -> Lengths:
        return Lengths(of, *map(Quartiles.of, sides))

    texts = _characters(inputs.candidates.texts(rows)), _characters(target.corpus.texts(some)), characters
    found = Crowding(
        target.name,
        lengths("length of the vector", [np.linalg.norm(side, axis=1) for side in sides]),
        lengths("distance from the pool's middle", [np.linalg.norm(unit_vectors(side) - middle, axis=1) for side in sides]),
        lengths("characters", texts),
        (),
    )
    return dataclasses.replace(found, warnings=tuple(_warnings(found))) if len(rows) >= FEWEST else found


def _characters(texts: list[str]) -> np.ndarray:
    return np.array([len(text) for text in texts])


def _warnings(found: Crowding) -> Iterator[str]:
    mend = (
        "Take unit vectors (--normalise unit) and a debiased gradient (got_d as it comes), or compare with --method rds_plus."
    )
    if found.vectors.falls_short:
        yield (
            f"The texts chosen for {found.target} crowd the middle: their vectors have a median length of "
            f"{_compared(found.vectors)}. A short vector is not far from anything, whatever its text says. {mend}"
        )
    elif found.directions.falls_short:
        yield (
            f"The texts chosen for {found.target} crowd the middle: their median distance from the pool's mean direction is "
            f"{_compared(found.directions)}. Such texts are like everything and like nothing. {mend}"
        )
    if found.characters.falls_short or found.characters.goes_beyond:
        kind = "short" if found.characters.falls_short else "long"
        yield (
            f"The texts chosen for {found.target} are {kind}: in characters, a median of {_compared(found.characters)}. See "
            "whether it is their length that was chosen by, and give the budget in tokens."
        )


def _compared(lengths: Lengths) -> str:
    chosen, target, pool = (f"{each.median:,.3g}" for each in (lengths.chosen, lengths.target, lengths.pool))
    return f"{chosen}, the target's {target}, the pool's {pool}"
