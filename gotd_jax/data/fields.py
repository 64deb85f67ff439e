"""The fields of a row that hold its text, id, pair and domain, and how they are read."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

DEFAULT_ID = "id"  # the one field that a row may lack


@dataclasses.dataclass(frozen=True)
class Fields:
    """The names of the fields. A name may be dotted: `meta.text` is the field `text` of the field `meta`, null where that is.

    Attributes:
      text: the field with the text.
      id: the field with the id, or None. Rows may lack the default field, but no other.
      pair: the field with the second sentence, or None.
      domain: the field with the domain, or None.
      txt: the unit of text in a plain-text file: 'line', 'paragraph' (between blank lines) or 'file'.
    """

    text: str = "text"
    id: str | None = DEFAULT_ID
    pair: str | None = None
    domain: str | None = None
    txt: str = "line"

    def columns(self, available: Sequence[str], place: str) -> list[str]:
        """Returns those of the top-level columns `available` that hold the fields.

        Raises:
          ValueError: a field's column is missing.
        """
        chosen = []
        for name, option in (
            (self.text, "text_field"),
            (self.pair, "pair_field"),
            (self.id, "id_field"),
            (self.domain, "domain_field"),
        ):
            if name is None:
                continue
            column = name if name in available else name.partition(".")[0]
            if column in available:
                chosen.append(column)
            elif (name, option) != (DEFAULT_ID, "id_field"):
                raise _missing(name, option, available, place)
        return list(dict.fromkeys(chosen))

    def text_of(self, row: Mapping, place: str) -> str:
        """Returns the text of the row at `place`, '' where it is null or NaN."""
        return _string(row, self.text, "text_field", place) or ""

    def pair_of(self, row: Mapping, place: str) -> str | None:
        """Returns the second sentence of the row at `place`; None without a pair field or where it is null."""
        return None if self.pair is None else _string(row, self.pair, "pair_field", place)

    def id_of(self, row: Mapping, place: str) -> str | None:
        """Returns the id of the row at `place` as a string, whatever its type; None where it has none."""
        if self.id is None or (self.id == DEFAULT_ID and DEFAULT_ID not in row):
            return None
        return _as_string(_look_up(row, self.id, "id_field", place))

    def domain_of(self, row: Mapping, place: str) -> str | None:
        """Returns the domain of the row at `place` as a string, whatever its type; None where it has none."""
        return None if self.domain is None else _as_string(_look_up(row, self.domain, "domain_field", place))


def listed(names: Iterable[str]) -> str:
    """Returns the first 20 of `names` for a message, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - 20:,} more" if len(names) > 20 else ""
    return (", ".join(names[:20]) or "none") + more


def _string(row: Mapping, name: str, option: str, place: str) -> str | None:
    value = _look_up(row, name, option, place)
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{place} has bytes in the field {name!r} that are not UTF-8. Name another by {option}."
            ) from error
    if value is None or (isinstance(value, float) and math.isnan(value)):  # json.dumps of a missing text writes NaN
        return None
    if not isinstance(value, str):
        kind = type(value).__name__
        raise ValueError(f"{place} has a value of type {kind} in the field {name!r}, not a text. Name another by {option}.")
    return _without_lone_surrogates(value)


def _as_string(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return None if value is None else _without_lone_surrogates(str(value))


def _look_up(row: Mapping, name: str, option: str, place: str) -> Any:
    if name in row:
        return row[name]
    value: Any = row
    for part in name.split("."):
        if value is None:
            return None  # a field of a null field is null, as in Arrow
        if not isinstance(value, Mapping) or part not in value:
            raise _missing(name, option, _names(row), place)
        value = value[part]
    return value


def _names(row: Mapping, prefix: str = "") -> Iterator[str]:
    for name, value in row.items():
        if isinstance(value, Mapping) and value:
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _missing(name: str, option: str, available: Iterable[str], place: str) -> ValueError:
    return ValueError(f"{place} has no field {name!r}; its fields: {listed(available)}. Name the right one by {option}.")


def _without_lone_surrogates(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
