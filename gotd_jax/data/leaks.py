"""Which chunks of a pool hold test text: the one rule of the command line and of every table.

Test text must not be trained on. A chunk is refused if it holds any part of a run of words that its text in the pool shares
with a test text:

* 13 successive words of both (Brown et al. 2020, App. C), or
* all words of a test text of 4 to 12 words, in a text of the pool, or
* all words of a text of the pool of 4 to 12 words, in a test text.

A text of fewer than 4 words is part of too many texts by chance, and counts only where the two texts are equal; a text without
words never counts. Words are those of `gotd_jax.data.text_normalisation`; a character of a script without spaces counts as one
of the 13 words, and as half of one of the 4. Runs are looked for in the pool's texts as they were before chunking, across
successive chunks of one text.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax.data import word_ngrams
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.word_ngrams import LONGEST
from gotd_jax.progress import progress

MOST = 0.5  # the share of a text's runs from which on the pool counts as having the text
RULE = 2  # raised when the rule finds other chunks than before


@dataclasses.dataclass(frozen=True, eq=False)
class Matches:
    """The runs of words that a pool shares with the texts looked for in it.

    Attributes:
      rows: which chunks of the pool have a part in a shared run, bool [n].
      shares: of each text looked for, the share of its runs of 13 words that the pool has; of a shorter one, 1 where the
        pool has all of it and 0 where not; float64 [m].
    """

    rows: np.ndarray
    shares: np.ndarray

    @property
    def held(self) -> int:
        """How many of the texts looked for lie in the pool: half of their runs or more do."""
        return int(np.sum(self.shares >= MOST))


def leaks(pool: Corpus, held_out: Corpus) -> np.ndarray:
    """Returns which chunks of the pool hold text of an evaluation split, by the rule of this module, bool [n].

    Args:
      pool: n chunks; those of one text follow each other, with the ids of `gotd_jax.data.chunks`.
      held_out: the split's texts; of a pair, both sentences count.
    """
    return search(pool, held_out).rows


def search(pool: Corpus, sought: Corpus) -> Matches:
    """Returns the matches of the texts `sought` in the pool, by the rule of this module.

    The pool is read once, a block at a time; all runs of the sought texts are held in memory, some 40 bytes each.

    Args:
      pool: n chunks, as `leaks` takes them.
      sought: m texts; of a pair, both sentences count.
    """
    wanted = _Sought(sought)
    edges, short = np.zeros(len(pool) + 1, np.int64), [np.empty(0, word_ngrams.SHORT)]
    with progress(total=len(pool), unit="chunks", step="leak check") as bar:
        for read, block in word_ngrams.blocks(pool):
            for length, numbers in block.runs(wanted.lengths):
                places = np.flatnonzero(block.within(length))
                places = places[wanted.find(length, numbers[places])]
                np.add.at(edges, block.first[places], 1)
                np.add.at(edges, block.last[places + length - 1] + 1, -1)
            short.append(block.short())
            bar.update(read)
    rows = np.cumsum(edges[:-1]) > 0
    for text in wanted.holding(np.concatenate(short)):
        rows[text["first"] : text["last"] + 1] = True
    return Matches(rows, wanted.shares(len(sought)))


class _Sought:
    """The runs that are looked for, by their lengths, and which of them were found.

    Args:
      corpus: the texts.
    """

    def __init__(self, corpus: Corpus):
        every = [*enumerate(corpus.texts()), *((row, pair) for row, pair in enumerate(corpus.pairs()) if pair)]
        self._words = word_ngrams.of_texts([text for _, text in every])
        rows = np.array([row for row, _ in every], np.int64)
        short = self._words.short()
        self._few = _Runs(short["number"][short["few"]], rows[short["first"][short["few"]]])
        short = short[~short["few"]]
        self._parts = {
            int(length): _Runs(short["number"][chosen], rows[short["first"][chosen]])
            for length in np.unique(short["length"])
            for chosen in [short["length"] == length]
        }
        for length, numbers in self._words.runs([LONGEST]):
            places = np.flatnonzero(self._words.within(length))
            self._parts[length] = _Runs(numbers[places], rows[self._words.texts[places]])

    @property
    def lengths(self) -> list[int]:
        """The lengths of the runs that are looked for in the pool's texts, ascending."""
        return sorted(self._parts)

    def find(self, length: int, numbers: np.ndarray) -> np.ndarray:
        """Returns which of a text's runs of so many words are sought, bool like `numbers`."""
        return self._parts[length].find(numbers)

    def holding(self, short: np.ndarray) -> np.ndarray:
        """Returns those of a pool's short texts, `SHORT` [k], that equal a test text of few words, or lie in a test text."""
        held = np.zeros(len(short), bool)
        held[short["few"]] = self._few.find(short["number"][short["few"]])
        parts = ~short["few"]
        for length, numbers in self._words.runs(sorted(set(short["length"][parts].tolist()))):
            of_length = parts & (short["length"] == length)
            held[of_length] = np.isin(short["number"][of_length], numbers[self._words.within(length)])
        return short[held]

    def shares(self, count: int) -> np.ndarray:
        """Returns the share of its runs that was found, for each of `count` texts, float64 [count]."""
        every = [self._few, *self._parts.values()]
        owners = np.concatenate([part.owners for part in every])
        found = np.concatenate([part.found[part.places] for part in every])
        totals = np.bincount(owners, minlength=count)
        return np.bincount(owners, found, minlength=count) / np.maximum(totals, 1)


class _Runs:
    """Runs of one length, each once, and which of them were found.

    Args:
      numbers: of the runs, uint64 [r].
      owners: the rows of the texts that have them, int64 [r].
    """

    def __init__(self, numbers: np.ndarray, owners: np.ndarray):
        self._distinct, self.places = np.unique(numbers, return_inverse=True)
        self.owners = owners
        self.found = np.zeros(len(self._distinct), bool)

    def find(self, numbers: np.ndarray) -> np.ndarray:
        if not len(self._distinct):
            return np.zeros(len(numbers), bool)
        places = np.minimum(np.searchsorted(self._distinct, numbers), len(self._distinct) - 1)
        same = self._distinct[places] == numbers
        self.found[places[same]] = True
        return same
