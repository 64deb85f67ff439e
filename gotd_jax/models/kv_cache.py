"""The keys and values of the columns that a decoder has read, kept for the columns that it reads later."""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp


class KVCache(NamedTuple):
    """Keys and values of the columns read so far.

    Attributes:
      keys: of each layer, float32 [B, key heads, capacity, head width].
      values: of each layer, of the same shape.
      mask: bool [B, capacity], true on read columns that are no padding.
      filled: columns read, int32 scalar.
    """

    keys: tuple[jax.Array, ...]
    values: tuple[jax.Array, ...]
    mask: jax.Array
    filled: jax.Array

    def repeated(self, times: int) -> KVCache:
        """Returns the cache with every row `times` over: nothing is read again."""
        rows = functools.partial(jnp.repeat, repeats=times, axis=0)
        return KVCache(*jax.tree.map(rows, (self.keys, self.values, self.mask)), self.filled)

    def with_room(self, room: int) -> KVCache:
        """Returns the cache with `room` more columns for later reading."""

        def widened(page):
            return jnp.pad(page, ((0, 0), (0, 0), (0, room), (0, 0)))

        mask = jnp.pad(self.mask, ((0, 0), (0, room)))
        return KVCache(*jax.tree.map(widened, (self.keys, self.values)), mask, jnp.int32(self.filled))
