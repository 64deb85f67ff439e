"""The options of a function, read from its signature, where they have their types and defaults."""

from __future__ import annotations

import dataclasses
import inspect
import math
import typing
from collections.abc import Callable

KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}


@dataclasses.dataclass(frozen=True)
class Option:
    """A keyword argument that a person may set.

    Attributes:
      kind: bool, int, float or str.
      default: of that kind, or None; the signature's empty one where it must be given.
      optional: whether it may be None.
    """

    kind: type
    default: bool | int | float | str | None
    optional: bool

    @property
    def takes(self) -> str:
        """What it can be set to, in words."""
        return KINDS[self.kind] + " or none" * self.optional

    def parse(self, given: object) -> bool | int | float | str | None:
        """Returns `given` as a value of this option; a string is read as on a command line: 5_000, 0.5, false, none.

        Raises:
          ValueError: it is not a value of this option.
        """
        if self.optional and (given is None or given == "none"):
            return None
        value = _read(given, self.kind) if isinstance(given, str) else given
        if self.kind is float and type(value) is int:
            value = float(value)
        if type(value) is not self.kind or (self.kind is float and not math.isfinite(value)):
            raise ValueError(f"{given!r} is not {self.takes}.")
        return value


def options_of(function: Callable) -> dict[str, Option]:
    """Returns the keyword-only parameters of `function` that are annotated with one of `KINDS`, or with it and None."""
    hints, found = typing.get_type_hints(function), {}
    for name, parameter in keywords_of(function).items():
        kinds = set(typing.get_args(hints.get(name)) or [hints.get(name)])
        kind = kinds - {type(None)}
        if len(kind) == 1 and kind <= KINDS.keys():
            found[name] = Option(kind.pop(), parameter.default, type(None) in kinds)
    return found


def keywords_of(function: Callable) -> dict[str, inspect.Parameter]:
    """Returns the keyword-only parameters of `function`, without the seed, by name."""
    parameters = inspect.signature(function).parameters
    return {name: each for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY and name != "seed"}


def _read(word: str, kind: type) -> bool | int | float | str:
    """Returns `word` parsed as `kind`, or the word itself where it cannot be."""
    if kind is bool:
        return {"true": True, "false": False}.get(word.lower(), word)
    try:
        return kind(word)
    except ValueError:
        return word
