"""Word n-grams (runs of successive words), each hashed to a number: of a pool, across its chunks, and of single texts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gotd_jax.data.corpus import ROWS_PER_BATCH, Corpus
from gotd_jax.data.text_normalisation import is_unspaced, normal, words, words_of_normal

FEWEST = 4  # words of a text that counts as a part of another; two characters of a script without spaces are one
LONGEST = 13  # words of a run
LONGEST_WORD = 10_000  # characters up to which a word that was cut is put together again
FACTORS = np.random.default_rng(0).integers(2**62, size=LONGEST, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
SHORT = np.dtype([("length", int), ("number", np.uint64), ("few", bool), ("first", int), ("last", int)])


@dataclasses.dataclass(frozen=True, eq=False)
class Words:
    """The words of texts, one text after another.

    Attributes:
      words: w of them.
      texts: the number of each word's text, ascending, int64 [w].
      first: the row of the chunk that each word begins in, int64 [w].
      last: the row of the chunk that each word ends in, int64 [w].
      whole: texts of lower numbers are here to their end; the next one may go on in another block.
    """

    words: list[str]
    texts: np.ndarray
    first: np.ndarray
    last: np.ndarray
    whole: int

    def runs(self, lengths: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Yields each of `lengths`, ascending, and the numbers of the runs of so many words, uint64 [w - length + 1].

        A number is a sum over the run's words, each by its hash and place: different runs have different ones but for a chance
        of 1 in 10^19.
        """
        own = np.fromiter(map(hash, self.words), np.int64, len(self.words)).view(np.uint64)
        sums = np.zeros(len(own), np.uint64)
        for place in range(min(max(lengths, default=0), len(own))):
            sums = sums[: len(own) - place] + own[place:] * FACTORS[place]
            if place + 1 in lengths:
                yield place + 1, sums

    def within(self, length: int) -> np.ndarray:
        """Returns which runs of so many words lie in one text, bool [w - length + 1]."""
        return self.texts[: len(self.texts) - length + 1] == self.texts[length - 1 :]

    def short(self) -> np.ndarray:
        """Returns the whole texts of fewer than 13 words: their words as one run, whether they are few, their rows, `SHORT`."""
        starts = np.flatnonzero(np.diff(self.texts, prepend=-1))
        counts = np.diff(starts, append=len(self.texts))
        chosen = (counts < LONGEST) & (self.texts[starts] < self.whole)
        numbers = dict(self.runs(sorted(set(counts[chosen].tolist()))))
        found = [
            (
                count,
                numbers[count][start],
                is_few(self.words[start : start + count]),
                self.first[start],
                self.last[start + count - 1],
            )
            for start, count in zip(starts[chosen].tolist(), counts[chosen].tolist())
        ]
        return np.array(found, SHORT)

    def tail(self) -> Words:
        """Returns the last 13 words of the text that may go on."""
        kept = slice(max(len(self.words) - LONGEST, int(np.searchsorted(self.texts, self.whole))), None)
        return Words(self.words[kept], self.texts[kept], self.first[kept], self.last[kept], self.whole)


def is_few(words: Sequence[str]) -> bool:
    """Returns whether a text of these words is too short to count as a part of another."""
    return len(words) - sum(map(is_unspaced, words)) / 2 < FEWEST


def of_texts(texts: Sequence[str]) -> Words:
    """Returns the words of `texts`, numbered by their places, which also stand for their rows."""
    split = [words(text) for text in texts]
    places = np.repeat(np.arange(len(split)), np.array([len(own) for own in split], np.int64))
    return Words([word for own in split for word in own], places, places, places, len(split))


def blocks(pool: Corpus) -> Iterator[tuple[int, Words]]:
    """Yields the number of chunks in each block of the pool, and their words after the last 13 of a text that goes on.

    Successive chunks of one text, recognised by the ids of `gotd_jax.data.chunks`, are joined to one text again, also across
    blocks, and so is a word that was cut in two.
    """
    before = Words([], *3 * (np.empty(0, np.int64),), 0)
    place, is_open = None, False  # the text and the chunk's number in it; whether a word may go on in the next chunk
    for start in range(0, len(pool), ROWS_PER_BATCH):
        texts = pool.texts(slice(start, start + ROWS_PER_BATCH))
        found, number, counts, numbers, joined = list(before.words), before.whole, [], [], {}
        for row, (chunk, text) in enumerate(zip(_places(pool, start, len(texts)), map(normal, texts)), start):
            own = words_of_normal(text)
            if not chunk.follows(place):
                number, is_open = number + 1, False
            place = chunk
            goes_on = is_open and own and text.startswith(own[0]) and not is_unspaced(own[0])
            if goes_on and len(found[-1]) < LONGEST_WORD:
                found[-1] = normal(found[-1] + own[0])
                joined[len(found) - 1] = row
                found += own[1:]
                counts.append(len(own) - 1)
            else:
                found += own
                counts.append(len(own))
            numbers.append(number)
            if text:
                is_open = bool(own) and text.endswith(own[-1]) and not is_unspaced(own[-1])
        rows = np.concatenate([before.first, np.repeat(np.arange(start, start + len(texts)), counts)])
        last = np.concatenate([before.last, rows[len(before.first) :]])
        last[list(joined)] = list(joined.values())
        of = np.concatenate([before.texts, np.repeat(np.array(numbers, np.int64), counts)])
        ended = start + len(texts) == len(pool)
        block = Words(found, of, rows, last, number + ended)
        yield len(texts), block
        before = block.tail()


class _Place(NamedTuple):
    """The place of a chunk: its domain, its text's id and its number in it, None where the text was not cut."""

    domain: str
    text: str
    number: int | None

    def follows(self, other: _Place | None) -> bool:
        return self.number is not None and other == (self.domain, self.text, self.number - 1)


def _places(pool: Corpus, start: int, count: int) -> Iterator[_Place]:
    names, domains = (pool.column(name, slice(start, start + count)).to_pylist() for name in ("id", "domain"))
    for name, domain in zip(names, domains):
        text, mark, number = name.rpartition("#")
        cut = mark and number.isascii() and number.isdecimal()
        yield _Place(domain, text, int(number)) if cut else _Place(domain, name, None)
