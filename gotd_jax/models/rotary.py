"""Rotary position embeddings (Su et al. 2021), in the halved layout of the published Llama weights."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gotd_jax.models.decoder_config import RotaryScaling


class Turns(NamedTuple):
    """Cosines and sines of each position's angles, float32 [B, 1, T, width / 2]; the same for all heads and layers."""

    cosines: jax.Array
    sines: jax.Array


def turns_at(positions: jax.Array, below: int, width: int, base: float, scaling: RotaryScaling | None) -> Turns:
    """Returns the angles position * base^(-2i / width) of coordinate i as turns.

    They are looked up in a table that the program holds: XLA would work out cosines again wherever they are used.

    Args:
      positions: int32 [B, T], from 0.
      below: what all positions lie below; the rows of the table.
      width: of a head.
      base: of the frequencies.
      scaling: how they are stretched; None: not.
    """
    angles = np.arange(below, dtype=np.float32)[:, None] * frequencies(width, base, scaling)
    return Turns(*(jnp.take(side, positions, axis=0, mode="clip")[:, None] for side in (np.cos(angles), np.sin(angles))))


def rotated(heads: jax.Array, turns: Turns) -> jax.Array:
    """Returns heads, float32 [B, heads, T, width], with coordinates i and i + width/2 turned."""
    cosines, sines = turns
    first, second = jnp.split(heads, 2, axis=-1)
    return jnp.concatenate([first * cosines - second * sines, second * cosines + first * sines], axis=-1)


def frequencies(width: int, base: float, scaling: RotaryScaling | None) -> np.ndarray:
    """Returns the angle that a position adds to each pair of coordinates, float32 [width / 2]."""
    plain = 1.0 / base ** (np.arange(0, width, 2) / width)
    if scaling is None:
        return plain.astype(np.float32)
    turns = scaling.original * plain / (2 * np.pi)
    kept = np.clip((turns - scaling.low) / (scaling.high - scaling.low), 0.0, 1.0)
    return (kept * plain + (1 - kept) * plain / scaling.factor).astype(np.float32)
