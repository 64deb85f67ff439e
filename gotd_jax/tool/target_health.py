"""Whether a target can carry a selection: its size, repetitions, outliers, languages, and texts that the pool lacks."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.language_identification import UNKNOWN, languages
from gotd_jax.data.near_duplicates import near_duplicates
from gotd_jax.data.sampling import spread
from gotd_jax.methods import neighbours
from gotd_jax.methods.top_cosine import mean_cosines

# Of 5 % of 2,400 passages, two targets of a task without a common text chose 48 % the same with 3 texts each, 65 % with
# 20, 69 % with 100: means of two tasks and three draws.
FEW = 20
REPEATED = 0.2  # the share of the target above which there is a warning; so are the next three
# Where the pool had text of the target's kind, 0 to 6 % were unserved (nine targets); without it 27 to 77 %, or 5 to 9 % where
# other text took its place (Wikipedia, biographies, news, biomedical).
UNSERVED = 0.15
STRAY = 0.01
IN_POOL = 0.1
FOREIGN = 0.1
NEAR = 0.6  # of the similarity of the nearest other text of the target, above chance
PRESENT = 0.01  # share of the pool from which it has a language
OTHERS = 5  # nearest texts of the target that a text is compared with
DEVIATIONS = 3.5  # Iglewicz & Hoaglin 1993
PER_DEVIATION = 1.4826  # of a normal distribution, times its median absolute deviation
SAMPLE = 1000
LISTED = 5


@dataclasses.dataclass(frozen=True)
class Health:
    """The health of a target. All numbers are plain, so that it can be written as JSON.

    Attributes:
      name: of the target.
      texts: how many it has.
      copies: texts that repeat an earlier one word for word.
      near_duplicates: further texts that are near duplicates of an earlier one (gotd_jax.data.near_duplicates).
      outliers: rows of texts unlike the rest of the target: their mean cosine similarity with the 5 nearest lies below
        `outlier_below`, 3.5 deviations (by the median absolute one) under the median. Repeated texts count once.
      outlier_below: that bound; None where fewer than 20 different texts are too few to compare, and `outliers` is empty.
      unserved: rows of texts that the pool has little for: above chance, a text's mean cosine similarity with the pool, the
        nearest candidate is less than 0.6 as similar to it as the nearest other text of the target. Empty as above.
      languages: share of each language, ISO 639 codes, in (a sample of) the texts that are long enough to tell.
      pool_languages: the same shares in a sample of the pool.
      in_pool: texts that lie among the candidates themselves.
      warnings: sentences for a person: each with a fault, its size, and the remedy.
    """

    name: str
    texts: int
    copies: int
    near_duplicates: int
    outliers: tuple[int, ...]
    outlier_below: float | None
    unserved: tuple[int, ...]
    languages: dict[str, float]
    pool_languages: dict[str, float]
    in_pool: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def different(self) -> int:
        """The texts that are not near duplicates of an earlier one."""
        return self.texts - self.copies - self.near_duplicates


def examine(
    name: str,
    target: Corpus,
    embeddings: np.ndarray,
    candidates: np.ndarray,
    pool_texts: Sequence[str],
    *,
    similarity: float = 0.8,
    in_pool: int = 0,
) -> Health:
    """Returns the health of a target, with a warning for each fault that makes a selection by it doubtful.

    Args:
      name: of the target, for the warnings.
      target: m texts, at least 1.
      embeddings: of them, float32 [m, d].
      candidates: embeddings of the pool, float32 [n, d]; may be memory-mapped. Of a sample, more texts count as unserved.
      pool_texts: a sample of the pool, to see its languages: a thousand are enough.
      similarity: Jaccard similarity of word shingles from which texts are near duplicates.
      in_pool: texts of the target that lie among the candidates.
    """
    copied = near_duplicates(target, 1.0)
    repeated = near_duplicates(target, similarity)
    rows = np.arange(len(target))
    copies = int(np.sum(copied != rows))
    different = np.flatnonzero(repeated == rows)
    bound, strays, unserved = None, different[:0], different[:0]
    if len(different) >= FEW:
        vectors = np.asarray(embeddings[different], np.float32)
        others = neighbours.nearest(vectors, vectors, OTHERS + 1)[0][:, 1:]  # the first is the text itself
        bound = _outlier_bound(others.mean(axis=1))
        strays = different[others.mean(axis=1) < bound]
        unserved = different[_are_unserved(vectors, candidates, others[:, 0])]
    found = Health(
        name=name,
        texts=len(target),
        copies=copies,
        near_duplicates=int(np.sum(repeated != rows)) - copies,
        outliers=tuple(np.flatnonzero(np.isin(repeated, strays)).tolist()),
        outlier_below=bound,
        unserved=tuple(np.flatnonzero(np.isin(repeated, unserved)).tolist()),
        languages=_shares(languages(target.texts(spread(len(target), SAMPLE)))),
        pool_languages=_shares(languages(pool_texts)),
        in_pool=in_pool,
    )
    return dataclasses.replace(found, warnings=tuple(_warnings(found)))


def _outlier_bound(values: np.ndarray) -> float:
    """Returns the bound that outliers lie below: 3.5 deviations under the median, by the median absolute deviation."""
    middle = np.median(values)
    return float(middle - DEVIATIONS * PER_DEVIATION * np.median(np.abs(values - middle)))


def _are_unserved(vectors: np.ndarray, candidates: np.ndarray, nearest_other: np.ndarray) -> np.ndarray:
    """Returns whether the pool has little for each text, bool [k]; `nearest_other` is its similarity with another text."""
    nearest = neighbours.nearest(candidates, vectors, 1)[0][:, 0]
    sample = np.asarray(candidates[spread(len(candidates), SAMPLE)], np.float32)
    chance = mean_cosines(vectors, sample)
    return nearest - chance < NEAR * (nearest_other - chance)


def _shares(codes: Sequence[str]) -> dict[str, float]:
    """Returns the share of each language among those known, the commonest first."""
    counts = Counter(code for code in codes if code != UNKNOWN)
    order = sorted(counts, key=lambda code: (-counts[code], code))
    return {code: counts[code] / counts.total() for code in order}


def overlap_warning(in_pool: int, texts: int, target: str) -> Iterator[str]:
    """Yields a warning where more than a tenth of a target's texts lie in the pool that is chosen from."""
    if in_pool > IN_POOL * texts:
        yield (
            f"{in_pool:,} of the {texts:,} texts of {target} lie in the pool themselves ({in_pool / texts:.0%}). Nothing is "
            "nearer to them, so that they are chosen and teach no more than the target. Take the target's own file out of the "
            "pool, or refuse its text by --leak-check."
        )


def _warnings(health: Health) -> Iterator[str]:
    target = f"the target {health.name}"
    yield from overlap_warning(health.in_pool, health.texts, target)
    if health.different == 1 and health.texts > 1:
        yield f"T{target[1:]} is one text, {health.texts:,} times: a selection can only resemble that. Give different texts."
    else:
        yield from _size_warnings(health, target)
    foreign = sum(share for code, share in health.languages.items() if health.pool_languages.get(code, 0) < PRESENT)
    if health.pool_languages and foreign > FOREIGN:
        yield (
            f"T{target[1:]} is {_listed(health.languages)}; the pool is {_listed(health.pool_languages)} (languages as ISO 639 "
            f"codes). {foreign:.0%} of the target is in a language that the pool has next to nothing in: add such text to the "
            "pool, or leave it out of the target."
        )
    if len(health.unserved) > UNSERVED * health.texts:
        yield (
            f"The pool has little for {len(health.unserved):,} of the {health.texts:,} texts of {target}: above chance, their "
            f"nearest candidates are less than {NEAR:g} times as similar to them as others of the target are "
            f"({_rows(health.unserved)}). Add text of their kind to the pool."
        )
    if len(health.outliers) > STRAY * health.texts:
        yield (
            f"{len(health.outliers):,} of the {health.texts:,} texts of {target} are like no others of it (mean cosine with "
            f"the {OTHERS} nearest below {health.outlier_below:.2f}): {_rows(health.outliers)}. See whether they belong."
        )


def _size_warnings(health: Health, target: str) -> Iterator[str]:
    if health.different < FEW:
        yield (
            f"T{target[1:]} has {health.different} different text{'s' * (health.different > 1)}, fewer than {FEW}: other texts "
            f"of the same task would choose otherwise. Give {FEW} or more, better 100."
        )
    repeated = health.copies + health.near_duplicates
    if repeated > REPEATED * health.texts:
        yield (
            f"{repeated:,} of the {health.texts:,} texts of {target} repeat an earlier one ({health.copies:,} word for word, "
            f"{health.near_duplicates:,} nearly), and their content counts as often. Keep each once, unless that is meant."
        )


def _listed(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{share:.0%} {code}" for code, share in list(shares.items())[:LISTED])


def _rows(rows: Sequence[int]) -> str:
    shown = ", ".join(f"{row:,}" for row in rows[:LISTED])
    return f"row{'s' * (len(rows) > 1)} {shown}{', ...' if len(rows) > LISTED else ''}"
