"""Which texts hold one another: so that what is tested on is not what was chosen by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

# Thai to Khmer, Japanese and Chinese are written without spaces between words: there, each character counts as a word.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WORD = re.compile(rf"[^\W{UNSPACED}]+|[{UNSPACED}]")
KEY = 4  # words by which a text is looked up; shorter texts count only where they are the same


def overlaps(texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """Returns whether each of `texts` holds, lies inside or is one of `others`, bool [n].

    Compared are runs of whole words, whatever their case and what stands between them. A text of fewer than 4 words
    overlaps with the same words alone, since it lies inside of too many others by chance; one without words, with none.

    Args:
      texts: n of them.
      others: any number.
    """
    texts, others = [_words(text) for text in texts], [_words(text) for text in others]
    found = np.zeros(len(texts), bool)
    found[[part for part, _ in _inside(texts, others)]] = True
    found[[whole for _, whole in _inside(others, texts)]] = True
    return found


def _inside(parts: list[list[str]], wholes: list[list[str]]) -> Iterator[tuple[int, int]]:
    """Yields (place in parts, place in wholes) wherever the one lies inside the other."""
    by_beginning: dict[tuple[str, ...], list[int]] = {}
    for place, words in enumerate(parts):
        if words:
            by_beginning.setdefault(tuple(words[:KEY]), []).append(place)
    for number, words in enumerate(wholes):
        for start in range(max(1, len(words) - KEY + 1)):
            for place in by_beginning.get(tuple(words[start : start + KEY]), ()):
                if words[start : start + len(parts[place])] == parts[place]:
                    yield place, number


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower())
