"""Products of candidates and targets, kept in float16 where they fit, so that a small pool is multiplied once."""

from __future__ import annotations

from collections.abc import Iterator

import jax

from gotd_jax.ot.blocks import TargetSide, kept_block, plan_block, products_block, rows_per_block
from gotd_jax.ot.passes import PoolPart, pass_over
from gotd_jax.ot.pool import BLOCKS_PER_CHUNK, Chunk, Pool, device_bytes

BYTES_ON_HOST = 29e6  # with a chunk and a block, a quarter of a dense solver's memory at 10,000 x 2,000
LEAST_SHARE = 0.25  # of a pool; keeping less saves too little


class Products:
    """A pool's products with the targets in place of its embeddings, as `kept_block` takes them."""

    def __init__(self, pool: Pool, side: TargetSide):
        self._chunks = pass_over([PoolPart(pool, products_block)], side, (), step="products").chunks
        self._size = len(pool)

    def __len__(self) -> int:
        return self._size

    def chunks(self) -> Iterator[Chunk]:
        """Yields all candidates in order."""
        return iter(self._chunks)


def parts_of(pool: Pool, side: TargetSide, precision: str) -> list[PoolPart]:
    """Returns `pool` in parts: as many candidates as fit with their products kept, the rest with products in `precision`."""
    in_chunk = BLOCKS_PER_CHUNK * rows_per_block() * jax.device_count()
    fit = int(max(BYTES_ON_HOST, device_bytes() / 4) / (2 * len(side.y))) // in_chunk * in_chunk
    if fit < LEAST_SHARE * len(pool):
        return [PoolPart(pool, plan_block, precision)]
    kept = PoolPart(Products(pool.between(0, fit), side), kept_block, "float16")
    return [kept] if fit >= len(pool) else [kept, PoolPart(pool.between(fit, len(pool)), plan_block, precision)]
