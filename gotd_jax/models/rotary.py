"""Rotary position embeddings (Su et al. 2021), in the halved layout of the published Llama weights."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from gotd_jax.models.decoder_config import RotaryScaling


def rotated(heads: jax.Array, positions: jax.Array, base: float, scaling: RotaryScaling | None) -> jax.Array:
    """Returns heads with coordinates i and i + width/2 turned by position * base^(-2i / width).

    Args:
      heads: queries or keys, float32 [B, heads, T, width].
      positions: int32 [B, T].
      base: of the frequencies.
      scaling: how they are stretched; None: not.
    """
    angles = positions[:, None, :, None].astype(jnp.float32) * frequencies(heads.shape[-1], base, scaling)
    cosines, sines = jnp.cos(angles), jnp.sin(angles)
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
