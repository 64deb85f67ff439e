"""The rotary positions in a Llama's `config.json`: `rope_parameters`, or the older `rope_scaling` and `rope_theta`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gotd_jax.models.config import DecoderConfig, RotaryScaling
from gotd_jax.models.config_values import number, refuse

OLDER, NEWER = "rope_scaling", "rope_parameters"  # the newer key holds the base too, and rules where both say something
ORIGINAL = "original_max_position_embeddings"
# The entries that stretch positions, by the type that reads them; an entry that no type here reads is refused.
STRETCHING = {
    "default": (),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor", ORIGINAL),
}


def rotary_of(content: Mapping[str, Any]) -> tuple[float, RotaryScaling | None]:
    """Returns the base of the frequencies and how they are stretched.

    Raises:
      ValueError: a type that is not implemented, or an entry that is missing, left over or no number.
    """
    older, newer = _entries(content, OLDER), _entries(content, NEWER)
    if apart := sorted(key for key in older.keys() & newer.keys() if older[key] != newer[key]):
        raise ValueError(
            f"{apart[0]} is {older[apart[0]]!r} in {OLDER} and {newer[apart[0]]!r} in {NEWER}. Correct one of them."
        )
    given = {**older, **newer}
    where = " or ".join(key for key in (OLDER, NEWER) if content.get(key))
    for at in (content, given):
        refuse(at, {"partial_rotary_factor": lambda value: value not in (None, 1)})
    base = number(given, "rope_theta", number(content, "rope_theta", 10_000.0))
    if base <= 0:
        raise ValueError(f"rope_theta is {base!r}, and should be above 0. Correct it.")
    kind = given.get("rope_type") or "default"
    if kind not in STRETCHING:
        known = " and ".join(map(repr, STRETCHING))
        raise ValueError(f"Rotary positions are of the type {kind!r} in {where}, and only {known} are implemented.")
    if left := sorted(key for key in {"factor", "low_freq_factor", "high_freq_factor"} & given.keys() - {*STRETCHING[kind]}):
        raise ValueError(f"{where} has {left[0]!r}, which rotary positions of the type {kind!r} do not read. Name the type.")
    return float(base), None if kind == "default" else _scaling(content, given, where)


def rotary_keys(config: DecoderConfig) -> dict[str, Any]:
    """Returns the keys of `config.json` that `rotary_of` reads, in its older and its newer form."""
    rotary = {"rope_type": "default", "rope_theta": config.rotary_base}
    if scaling := config.rotary_scaling:
        numbers = (scaling.factor, scaling.low, scaling.high, scaling.original)
        rotary |= {"rope_type": "llama3", **dict(zip(STRETCHING["llama3"], numbers))}
    return {"rope_theta": config.rotary_base, NEWER: rotary}


def _entries(content, key):
    found = content.get(key) or {}
    if not isinstance(found, Mapping):
        raise ValueError(f"{key} is {found!r}, and should be an object. Correct it.")
    if nested := sorted(name for name, value in found.items() if isinstance(value, Mapping)):
        raise ValueError(f"{key} has positions of its own for {nested[0]!r}, and only one kind for all layers is implemented.")
    return {"rope_type": found["type"], **found} if "type" in found else found  # as the oldest files call it


def _scaling(content, given, where):
    if content.get(ORIGINAL) is not None:  # it rules over the nested one, as in transformers
        given = {**given, ORIGINAL: content[ORIGINAL]}
    if missing := [key for key in STRETCHING["llama3"] if given.get(key) is None]:
        raise ValueError(f"{where} is of the type 'llama3' and lacks {', '.join(map(repr, missing))}. Fetch it again.")
    factor, low, high, original = (number(given, key, 0.0) for key in STRETCHING["llama3"])
    if not (factor > 0 and original > 0 and 0 < low < high):
        raise ValueError(
            f"{where} has factor {factor}, low_freq_factor {low}, high_freq_factor {high} and {ORIGINAL} {original}. All are "
            "above 0, and the second frequency is above the first. Correct them."
        )
    return RotaryScaling(factor, low, high, original)
