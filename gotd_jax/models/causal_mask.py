"""The attention mask of a decoder: which columns each position of a batch may attend to."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gotd_jax.models.kv_cache import KVCache


class CausalMask(NamedTuple):
    """The columns that each position of a batch may attend to: by where both stand, and whether they are read.

    Attributes:
      positions: int32 [B, T], counted over real tokens.
      columns: of the batch in the cache, int32 [T].
      column_positions: positions of all columns, int32 [B, S].
      readable: bool [B, S], true where a column is read and no padding.
    """

    positions: jax.Array
    columns: jax.Array
    column_positions: jax.Array
    readable: jax.Array

    def allowed(self, window: int | jax.Array | None) -> jax.Array:
        """Returns bool [B, 1, T, S]: no later column, no padding, none further back than the window."""
        behind = self.columns[:, None] - jnp.arange(self.readable.shape[1])[None, :]
        near = (behind >= 0)[None] & self.readable[:, None, :]
        if window is not None:
            near &= (self.positions[:, :, None] - self.column_positions[:, None, :]) < window
        return near[:, None]

    def block(self, start: int, end: int) -> CausalMask:
        """Returns the mask of the positions from `start` to `end` of a batch that is read at once."""
        own = self.positions[:, start:end], self.columns[start:end]
        return CausalMask(*own, self.column_positions[:, :end], self.readable[:, :end])

    @classmethod
    def of(cls, mask: jax.Array, cache: KVCache | None) -> CausalMask:
        """Returns the mask of a batch whose real tokens are `mask`, bool [B, T], after the columns of `cache`, if any."""
        columns = jnp.arange(mask.shape[1])
        if cache is not None:
            columns = cache.filled + columns
            mask = jax.lax.dynamic_update_slice(cache.mask, mask, (0, cache.filled))
        column_positions = jnp.maximum(jnp.cumsum(mask, axis=1) - 1, 0)
        positions = column_positions if cache is None else jnp.take(column_positions, columns, axis=1)
        return cls(positions, columns, column_positions, mask)
