"""Rotary position embeddings (Su et al. 2021), in the halved layout of the published Llama weights."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gotd_jax.models.config import DecoderConfig


class Rotation(NamedTuple):
    """Cosines and sines of each position's angles, float32 [B, 1, T, width / 2]; the same for all heads and layers."""

    cosines: jax.Array
    sines: jax.Array


def rotation_at(positions: jax.Array, below: int, config: DecoderConfig) -> Rotation:
    """Returns the rotation by the angles position * base^(-2i / width) of coordinate i.

    They are looked up in a table that the program holds: XLA would compute cosines again wherever they are used.

    Args:
      positions: int32 [B, T], from 0.
      below: a number above all positions; the rows of the table.
      config: has the width of a head, the base of the frequencies and their scaling.
    """
    angles = np.arange(below, dtype=np.float32)[:, None] * frequencies(config)
    return Rotation(*(jnp.take(side, positions, axis=0, mode="clip")[:, None] for side in (np.cos(angles), np.sin(angles))))


def rotated(heads: jax.Array, rotation: Rotation) -> jax.Array:
    """Returns heads, float32 [B, heads, T, width], with coordinates i and i + width/2 rotated."""
    cosines, sines = rotation
    first, second = jnp.split(heads, 2, axis=-1)
    return jnp.concatenate([first * cosines - second * sines, second * cosines + first * sines], axis=-1)


def frequencies(config: DecoderConfig) -> np.ndarray:
    """Returns the angle that a position adds to each pair of coordinates, float32 [width / 2]."""
    width, scaling = config.head_width, config.rotary_scaling
    plain = 1.0 / config.rotary_base ** (np.arange(0, width, 2) / width)
    if scaling is None:
        return plain.astype(np.float32)
    turns = scaling.original * plain / (2 * np.pi)
    kept = np.clip((turns - scaling.low) / (scaling.high - scaling.low), 0.0, 1.0)
    return (kept * plain + (1 - kept) * plain / scaling.factor).astype(np.float32)
