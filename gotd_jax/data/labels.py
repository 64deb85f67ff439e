"""Labels as files write them: parsed to the name of a class, a number, or None for a row without a label."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any

MARKS = {"", "-", "nan", "<na>", "null", "n/a", "#n/a"}  # SNLI's own file, pandas, spreadsheets
UNLABELLED = "-1"  # in a column of class numbers, as on the Hugging Face hub
WHOLE = re.compile(r"[+-]?[0-9]+\.0+")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def label_of(value: Any, place: str) -> str | None:
    """Returns the label at `place` as text, None where `value` is null, NaN, blank or another mark of no label.

    White space around it is ignored, and so is how a whole number is written: 1, 1.0 and '1.0 ' are one label. A
    column that lacks one value is often one of floats.

    Raises:
      ValueError: it is neither text nor number.
    """
    if value is None or (isinstance(value, (float, Decimal)) and math.isnan(value)):
        return None
    if not isinstance(value, (str, bool, int, float, Decimal)):
        raise ValueError(f"{place} has the label {value!r}, neither text nor number. Correct it, or name another label_field.")
    text = str(value).strip()
    if text.casefold() in MARKS:
        return None
    return str(int(text.partition(".")[0])) if WHOLE.fullmatch(text) else text


def number_of(label: str, place: str) -> float:
    """Returns the number that a label is.

    Raises:
      ValueError: it is no number, or not finite.
    """
    number = float(label) if NUMBER.fullmatch(label) else math.nan
    if not math.isfinite(number):
        raise ValueError(f"{place} has the label {label!r}, not a finite number as a regression needs. Correct it.")
    return number


def classes_of(labels: Collection[str], place: str) -> list[str]:
    """Returns the classes that the labels of a training file name, sorted, whole numbers by their size.

    -1 is no class but the mark of a row without a label, unless only 0 and 1 stand beside it.

    Args:
      labels: all of them.
      place: of the first -1, for the message.

    Raises:
      ValueError: -1 stands beside 0 and 1 alone, and may be either.
    """
    names = set(labels)
    if UNLABELLED in names and names <= {UNLABELLED, "0", "1"}:
        beside = " and ".join(sorted(names - {UNLABELLED})) or "no other"
        raise ValueError(
            f"{place} has the label -1, which beside {beside} may be a class or "
            "say that the row has no label. Write the class as a word, or leave the label of such rows empty (null)."
        )
    names -= {UNLABELLED}
    try:
        return sorted(names, key=int)
    except ValueError:
        return sorted(names)
