"""What a decoder's positions may look at, and what it keeps of the columns that it has read."""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gotd_jax.models.decoder_config import DecoderConfig
from gotd_jax.models.rotary import Turns, turns_at


class Cache(NamedTuple):
    """Keys and values of the columns read so far.

    Attributes:
      keys: of each layer, float32 [B, key heads, capacity, head width].
      values: likewise.
      mask: bool [B, capacity], true on read columns that are no padding.
      filled: columns read, int32 scalar.
    """

    keys: tuple[jax.Array, ...]
    values: tuple[jax.Array, ...]
    mask: jax.Array
    filled: jax.Array

    def repeated(self, times: int) -> Cache:
        """Returns the cache with every row `times` over: what was read is not read again."""
        rows = functools.partial(jnp.repeat, repeats=times, axis=0)
        return Cache(*jax.tree.map(rows, (self.keys, self.values, self.mask)), self.filled)


class Sight(NamedTuple):
    """What each position of a batch may look at, and where it stands.

    Attributes:
      positions: int32 [B, T], counted over what is not padding.
      columns: of the batch in the cache, int32 [T].
      seen: positions of all columns, int32 [B, S].
      mask: bool [B, S], true where a column is read and no padding.
      turns: of the positions; None where positions are learned.
    """

    positions: jax.Array
    columns: jax.Array
    seen: jax.Array
    mask: jax.Array
    turns: Turns | None

    def allowed(self, window: int | None) -> jax.Array:
        """Returns bool [B, 1, T, S]: no later column, no padding, none further back than the window."""
        behind = self.columns[:, None] - jnp.arange(self.mask.shape[1])[None, :]
        near = (behind >= 0)[None] & self.mask[:, None, :]
        if window is not None:
            near &= (self.positions[:, :, None] - self.seen[:, None, :]) < window
        return near[:, None]

    def block(self, start: int, end: int) -> Sight:
        """Returns the sight of the positions from `start` to `end` of a batch that is read at once."""
        return Sight(self.positions[:, start:end], self.columns[start:end], self.seen[:, :end], self.mask[:, :end], None)


def with_room(cache: Cache, room: int) -> Cache:
    """Returns the cache with `room` more columns, for what is read later."""

    def widened(page):
        return jnp.pad(page, ((0, 0), (0, 0), (0, room), (0, 0)))

    mask = jnp.pad(cache.mask, ((0, 0), (0, room)))
    return Cache(*jax.tree.map(widened, (cache.keys, cache.values)), mask, jnp.int32(cache.filled))


def sight_of(config: DecoderConfig, mask: jax.Array, cache: Cache | None) -> Sight:
    """Returns what the positions of a batch may look at: bool `mask` [B, T], after what `cache` has read, if any."""
    columns = jnp.arange(mask.shape[1])
    if cache is not None:
        columns = cache.filled + columns
        mask = jax.lax.dynamic_update_slice(cache.mask, mask, (0, cache.filled))
    seen = jnp.maximum(jnp.cumsum(mask, axis=1) - 1, 0)
    positions = seen if cache is None else jnp.take(seen, columns, axis=1)
    turns = None
    if config.rotary_base is not None:
        turns = turns_at(positions, mask.shape[1], config.head_width, config.rotary_base, config.rotary_scaling)
    return Sight(positions, columns, seen, mask, turns)
