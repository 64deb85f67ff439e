"""Which chunks of a pool hold text of an evaluation split: what is tested on must not be trained on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gotd_jax.data.corpus import ROWS_PER_BATCH, Corpus
from gotd_jax.data.overlaps import WORD, overlaps
from gotd_jax.progress import progress

RUN = 13  # words (Brown et al. 2020, App. C)


def leaks(pool: Corpus, held_out: Corpus) -> np.ndarray:
    """Returns which chunks of the pool hold text of an evaluation split, bool [n].

    A chunk does if it shares any run of 13 successive words with one of the split's texts (Brown et al. 2020), or holds,
    lies inside or is one of them, which finds the shorter ones. Words are compared whatever their case and what stands between
    them. A text of fewer than 4 words, on either side, counts only where it is the same; one without words, never.

    The pool is read once, a block at a time; of the split, all runs of 13 words are held in memory, some 150 bytes each.

    Args:
      pool: n chunks.
      held_out: the split's texts; of a pair, both sentences count.
    """
    tested = [sentence for sentence in (*held_out.texts(), *held_out.pairs()) if sentence]
    runs = {run for text in tested for run in _runs(_words(text))}
    short = [text for text in tested if len(_words(text)) < RUN]
    found = np.zeros(len(pool), bool)
    brief: list[int] = []  # rows of chunks too short to share a run
    with progress(total=len(pool), unit="chunks", what="leak check") as bar:
        for start in range(0, len(pool), ROWS_PER_BATCH):
            texts = pool.texts(slice(start, start + ROWS_PER_BATCH))
            if short:
                found[start : start + len(texts)] = overlaps(texts, short)
            for row, words in enumerate(map(_words, texts), start):
                found[row] |= not runs.isdisjoint(_runs(words))
                if len(words) < RUN:
                    brief.append(row)
            bar.update(len(texts))
    found[brief] |= overlaps(pool.texts(brief), tested)
    return found


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def _runs(words: list[str]) -> Iterator[str]:
    return (" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1))
