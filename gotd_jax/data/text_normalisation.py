"""Normalised texts and their words, the form in which texts are compared: NFKC, case folded, without invisible characters."""

from __future__ import annotations

import functools
import re
import unicodedata

# Thai to Khmer, Japanese and Chinese are written without spaces between words: there, each character counts as a word.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uaa60-\uaa7f\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties: soft hyphens, zero-width spaces, joiners, selectors.
IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
ASCII_WORD = re.compile(r"\w+", re.ASCII)
LAST_MARK = 0x1FFFF  # beyond it there are only ignored ones


def normal(text: str) -> str:
    """Returns `text` as it is compared: NFKC, without default-ignorable code points, case folded.

    So a ligature is its letters, a full-width letter a plain one, and a composed letter the same as a decomposed one. It is
    for comparison alone: texts are selected and written as they were read.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", IGNORED.sub("", text)).casefold()
    return unicodedata.normalize("NFKC", folded)


def words(text: str) -> list[str]:
    """Returns the words of `text` in its normal form, in order; of scripts without spaces the characters."""
    return words_of_normal(normal(text))


def words_of_normal(text: str) -> list[str]:
    """Returns the words of a text that is in its normal form already."""
    return (ASCII_WORD if text.isascii() else _word()).findall(text)


def is_unspaced(word: str) -> bool:
    """Returns whether a word is a character of a script without spaces."""
    return len(word) == 1 and _unspaced().match(word) is not None


@functools.cache
def _unspaced() -> re.Pattern:
    return re.compile(f"[{UNSPACED}]")


@functools.cache
def _word() -> re.Pattern:
    """Returns the pattern of a word: letters, digits and the marks on them, which are no letters to Python."""
    marks = "".join(
        re.escape(character)
        for character in map(chr, range(LAST_MARK + 1))
        if unicodedata.category(character).startswith("M") and not _unspaced().match(character)
    )
    return re.compile(rf"[{marks}]*(?:[^\W{UNSPACED}]+[{marks}]*)+|[{UNSPACED}]")
