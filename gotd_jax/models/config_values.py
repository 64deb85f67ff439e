"""The values of a `config.json`, checked as they are read: a missing one, or one of another kind, is named."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

QUANTISED = ("quantization_config", "compression_config")


def required_size(content: Mapping[str, Any], key: str) -> int:
    """Returns a whole number of at least 1.

    Raises:
      ValueError: the key is missing, or holds anything else.
    """
    if content.get(key) is None:
        raise ValueError(f"The configuration of this {content['model_type']} lacks {key!r}. Fetch its config.json again.")
    return size(content, key, None)


def size(content: Mapping[str, Any], key: str, default: int | None) -> int | None:
    """Returns a whole number of at least 1, or the default where the key is missing or null; ValueError for anything else."""
    found = content.get(key)
    if found is None:
        return default
    if not _is_number(found) or found != int(found) or found < 1:
        raise ValueError(f"{key} is {found!r}, and should be a whole number of at least 1. Correct it.")
    return int(found)


def number(content: Mapping[str, Any], key: str, default: float) -> float:
    """Returns a finite number, or the default where the key is missing or null; ValueError for anything else."""
    found = content.get(key)
    if found is None:
        return default
    if not _is_number(found):
        raise ValueError(f"{key} is {found!r}, and should be a number. Correct it.")
    return found


def optional(content: Mapping[str, Any], key: str, default: Any) -> Any:
    """Returns the key's value, or the default where it is missing or null."""
    return default if content.get(key) is None else content[key]


def token_ids(found: Any) -> tuple[int, ...]:
    """Returns the ids that a key like `eos_token_id` holds, which is one, several or null.

    Raises:
      ValueError: it holds anything else.
    """
    ids = () if found is None else tuple(found) if isinstance(found, (list, tuple)) else (found,)
    if not all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in ids):
        raise ValueError(f"eos_token_id is {found!r}, and should be the id of a token or a list of ids. Correct it.")
    return ids


def refuse(content: Mapping[str, Any], variants: Mapping[str, Any]) -> None:
    """Raises ValueError for a variant that is not implemented.

    Args:
      content: the configuration.
      variants: by key, a value that is not implemented, or a function that tells such values.
    """
    for key, refused in variants.items():
        found = content.get(key)
        if refused(found) if callable(refused) else found == refused:
            raise ValueError(f"{key} is {found!r}, a variant that is not implemented.")


def refuse_quantised(content: Mapping[str, Any]) -> None:
    """Raises ValueError for a configuration of quantised weights."""
    if found := [key for key in QUANTISED if content.get(key)]:
        raise ValueError(f"It has {found[0]!r}, and quantised weights are not supported. Convert them to float32.")


def _is_number(found: Any) -> bool:
    return isinstance(found, (int, float)) and not isinstance(found, bool) and math.isfinite(found)
