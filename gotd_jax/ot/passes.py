"""One pass: the pool streams past the targets on all devices, and each adds up its part.

`total` is the only collective; a pass of the plan adds up m + 1 numbers, whatever the size of the pool.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import PartitionSpec as P

from gotd_jax.devices import AXIS, mesh, split_rows
from gotd_jax.ot.blocks import TargetSide, rows_per_block
from gotd_jax.ot.pool import Chunk, Pool
from gotd_jax.progress import progress

CHUNKS_IN_FLIGHT = 2  # one is computed while the next is read


class PoolPart(NamedTuple):
    """Candidates and how to pass over them.

    Attributes:
      pool: has a length and `chunks()`.
      block: one of the block functions of `gotd_jax.ot.blocks`.
      precision: of products of embeddings.
    """

    pool: Pool
    block: Callable
    precision: str = "float32"


class PassSums(NamedTuple):
    """The results of a pass.

    Attributes:
      total: the sum over its blocks, float32, on every process.
      chunks: the block function's value for each candidate, on the devices.
    """

    total: np.ndarray
    chunks: list[Chunk]

    def values(self) -> np.ndarray:
        """Returns the block function's value for each candidate, [n, ...], in their order, on every process."""
        return np.concatenate([chunk.unpadded() for chunk in self.chunks])


def pass_over(parts: Sequence[PoolPart], side: TargetSide, shape: tuple[int, ...], *, step: str) -> PassSums:
    """Returns the results of one pass of candidates past the targets.

    Args:
      parts: together, all candidates.
      side: the targets' side.
      shape: of the sum that a block adds.
      step: its name, for the progress bar.
    """
    sums = jax.make_array_from_callback((jax.device_count(), *shape), split_rows(), lambda _: np.zeros((1, *shape), np.float32))
    found, waiting = [], deque()
    with progress(total=sum(len(part.pool) for part in parts), unit="rows", step=step) as bar:
        for part in parts:
            add = _program(part.block, part.precision, rows_per_block())
            for chunk in part.pool.chunks():
                sums, values = add(sums, chunk.x, chunk.a, chunk.layout.blocks, side)
                found.append(Chunk(values, chunk.a, chunk.layout))
                waiting.append(values)
                if len(waiting) > CHUNKS_IN_FLIGHT:
                    waiting.popleft().block_until_ready()
                bar.update(chunk.layout.size)
    return PassSums(np.asarray(total()(sums)), found)


@functools.cache
def total():
    """Returns the compiled program that adds up all devices' sums, [devices, ...] to [...] on every device."""
    return jax.jit(jax.shard_map(lambda sums: lax.psum(sums[0], AXIS), mesh=mesh(), in_specs=P(AXIS), out_specs=P()))


@functools.lru_cache(maxsize=32)
def _program(block: Callable, precision: str, rows: int):
    """Returns the compiled program by which each device adds its part of a chunk: no collective."""

    def add_here(sums, x, a, blocks, side):
        def step(position, carry):
            sums, values = carry
            here = [lax.dynamic_slice_in_dim(array, position * rows, rows) for array in (x, a)]
            added, found = block(*here, side, precision)
            return sums + added, lax.dynamic_update_slice_in_dim(values, found, position * rows, 0)

        _, found = jax.eval_shape(lambda: block(x[:rows], a[:rows], side, precision))
        values = lax.pcast(jnp.zeros((len(a), *found.shape[1:]), found.dtype), AXIS, to="varying")
        sums, values = lax.fori_loop(0, blocks, step, (sums[0], values))
        return sums[None], values

    specs = (P(AXIS), P(AXIS), P(AXIS), P(), P())
    return jax.jit(jax.shard_map(add_here, mesh=mesh(), in_specs=specs, out_specs=(P(AXIS), P(AXIS))))
