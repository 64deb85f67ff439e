"""Which chunks of a pool hold text of an evaluation split: what is tested on must not be trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gotd_jax.data.corpus import ROWS_PER_BATCH, Corpus
from gotd_jax.data.overlaps import KEY, WORD, overlaps
from gotd_jax.progress import progress

RUN = 13  # words (Brown et al. 2020, App. C)


def leaks(pool: Corpus, held_out: Corpus) -> np.ndarray:
    """Returns which chunks of the pool hold text of an evaluation split, bool [n].

    A chunk does if it shares any run of 13 successive words with one of the split's texts (Brown et al. 2020), or holds,
    lies inside or is one of them, which finds the shorter ones. Where one chunk of a text ends and the next begins, both do if
    such a run or text lies across. Words are compared whatever their case and what stands between them. A text of fewer than
    4 words, on either side, counts only where it is the same; one without words, never.

    The pool is read once, a block at a time; of the split, all runs of 13 words are held in memory, some 150 bytes each.

    Args:
      pool: n chunks; those of one text follow each other, with the ids of `gotd_jax.data.chunks`.
      held_out: the split's texts; of a pair, both sentences count.
    """
    tested = [sentence for sentence in (*held_out.texts(), *held_out.pairs()) if sentence]
    runs = {run for text in tested for run in _runs(_words(text))}
    short = [text for text in tested if len(_words(text)) < RUN]
    whole = {RUN: runs}  # what may lie across two chunks, by its number of words
    for words in map(_words, short):
        if len(words) >= KEY:
            whole.setdefault(len(words), set()).add(" ".join(words))
    found = np.zeros(len(pool), bool)
    before = _Chunk(None, "", [])
    brief: list[int] = []  # rows of chunks too short to share a run
    with progress(total=len(pool), unit="chunks", what="leak check") as bar:
        for start in range(0, len(pool), ROWS_PER_BATCH):
            texts = pool.texts(slice(start, start + ROWS_PER_BATCH))
            if short:
                found[start : start + len(texts)] = overlaps(texts, short)
            for row, (name, text) in enumerate(zip(pool.table["id"].slice(start, len(texts)).to_pylist(), texts), start):
                chunk = _Chunk(_place(name), text, _words(text))
                found[row] |= not runs.isdisjoint(_runs(chunk.words))
                if len(chunk.words) < RUN:
                    brief.append(row)
                if chunk.follows(before) and _lies_across(before, chunk, whole):
                    found[row - 1 : row + 1] = True
                before = chunk
            bar.update(len(texts))
    found[brief] |= overlaps(pool.texts(brief), tested)
    return found


class _Chunk(NamedTuple):
    """A chunk: its text's id and its number in it, None where the text was not cut; what it says; its words."""

    place: tuple[str, int] | None
    text: str
    words: list[str]

    def follows(self, other: _Chunk) -> bool:
        return self.place is not None and other.place == (self.place[0], self.place[1] - 1)


def _place(name: str) -> tuple[str, int] | None:
    text, mark, number = name.rpartition("#")
    return (text, int(number)) if mark and number.isdecimal() else None


def _lies_across(before: _Chunk, after: _Chunk, wanted: dict[int, set[str]]) -> bool:
    """Returns whether successive words in `wanted`, by their number, begin in one chunk and end in the next."""
    words, following = before.words[-RUN:], after.words[:RUN]
    border = len(words)
    cut = WORD.fullmatch(before.text[-1:] + after.text[:1]) is not None  # a word lies on the border
    if cut:
        border -= 1
        words[-1:] = [words[-1] + following.pop(0)]
    words += following
    return any(
        " ".join(words[start : start + count]) in texts
        for count, texts in wanted.items()
        for start in range(max(border - count + 1, 0), min(border + cut, len(words) - count + 1))
    )


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def _runs(words: list[str]) -> Iterator[str]:
    return (" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1))
