"""The candidates as the solvers read them: chunk by chunk from memory or a mapped file, onto all devices."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np

from gotd_jax.devices import gathered, split_rows
from gotd_jax.ot.blocks import rows_per_block

BLOCKS_PER_CHUNK = 2  # of each device, moved in one transfer


class Layout(NamedTuple):
    """Where a chunk's candidates lie: device p has the p-th `share` of them, then padding without weight.

    Attributes:
      size: candidates of the chunk.
      share: candidates of a device.
      blocks: how many blocks of a device's rows hold candidates.
    """

    size: int
    share: int
    blocks: int


class Chunk(NamedTuple):
    """Candidates on the devices, or the values that a pass computed for them.

    Attributes:
      x: [devices * height, ...], split over the devices; embeddings are [devices * height, d], float16 or float32.
      a: weights, float32 [devices * height], split in the same way.
      layout: where the candidates lie.
    """

    x: jax.Array
    a: jax.Array
    layout: Layout

    def unpadded(self) -> np.ndarray:
        """Returns x of the candidates alone, [size, ...], in their order, on every process."""
        by_device = gathered(self.x).reshape(jax.device_count(), -1, *self.x.shape[1:])[:, : self.layout.share]
        return by_device.reshape(-1, *self.x.shape[1:])[: self.layout.size]


class Pool:
    """Candidates with their weights, or some rows of them.

    In a run of several processes each is given the same arrays and reads its own devices' rows alone. Chunks stay on the GPUs
    if the pool fits into half of their memory. Otherwise each pass reads them again, and memory holds a few at a time.

    Args:
      candidates: embeddings, float [n, d]; may be memory-mapped. float16 is kept so and widened block by block.
      weights: a, float [n]; None for uniform ones.
      rows: positions of the candidates, int [k], ascending; None for all.
      scale: factor on the weights, which are 1 each if `weights` is None; None scales their sum to 1.
    """

    def __init__(
        self,
        candidates: np.ndarray,
        weights: np.ndarray | None = None,
        rows: np.ndarray | None = None,
        scale: float | None = None,
    ):
        self.candidates = candidates
        self.weights = weights
        self.rows = rows
        self._scale = 1.0 / self._weight(0, len(self)).sum(dtype=np.float64) if scale is None else scale
        self._on_device: list[Chunk] | None = None

    def __len__(self) -> int:
        return len(self.candidates) if self.rows is None else len(self.rows)

    def sample(self, rows: np.ndarray) -> Pool:
        """Returns the pool of some of all candidates, by their positions, ascending; their weights sum to 1."""
        return Pool(self.candidates, self.weights, rows)

    def between(self, start: int, stop: int) -> Pool:
        """Returns the part of this pool from `start` to `stop`, with the weights they have here."""
        if self.rows is not None:
            return Pool(self.candidates, self.weights, self.rows[start:stop], self._scale)
        weights = None if self.weights is None else self.weights[start:stop]
        return Pool(self.candidates[start:stop], weights, None, self._scale)

    def chunks(self) -> Iterator[Chunk]:
        """Yields all candidates in order."""
        if self._on_device is not None:
            yield from self._on_device
            return
        kept, height = [], self._height()
        keep = len(self) * self.candidates.shape[1] * self._dtype().itemsize <= device_bytes() / 2
        for start in range(0, len(self), height * jax.device_count()):
            chunk = self._chunk(start, min(start + height * jax.device_count(), len(self)), height)
            if keep:
                kept.append(chunk)
            yield chunk
            release_pages(self.candidates)
        self._on_device = kept if keep else None

    def at_once(self) -> Chunk:
        """Returns all candidates as one chunk."""
        blocks = -(-len(self) // (jax.device_count() * rows_per_block()))
        return self._chunk(0, len(self), blocks * rows_per_block())

    def _height(self) -> int:
        """Returns the rows of a device's part of a chunk: a power of two of blocks, so that few programs are compiled."""
        blocks = -(-len(self) // (jax.device_count() * rows_per_block()))
        return min(1 << (blocks - 1).bit_length(), BLOCKS_PER_CHUNK) * rows_per_block()

    def _chunk(self, start: int, stop: int, height: int) -> Chunk:
        share = -(-(stop - start) // jax.device_count())

        def placed(read, shape, dtype) -> jax.Array:
            def of_device(index) -> np.ndarray:
                first = min(start + (index[0].start or 0) // height * share, stop)
                values = np.asarray(read(first, min(first + share, stop)), dtype)
                missing = height - len(values)
                return np.pad(values, ((0, missing), *((0, 0),) * (values.ndim - 1))) if missing else values

            return jax.make_array_from_callback((height * jax.device_count(), *shape), split_rows(), of_device)

        x = placed(self._embedding, self.candidates.shape[1:], self._dtype())
        a = placed(lambda *rows: self._weight(*rows) * self._scale, (), np.float32)
        return Chunk(x, a, Layout(stop - start, share, -(-share // rows_per_block())))

    def _dtype(self) -> np.dtype:
        return self.candidates.dtype if self.candidates.dtype == np.float16 else np.dtype(np.float32)

    def _embedding(self, start: int, stop: int) -> np.ndarray:
        return self.candidates[start:stop] if self.rows is None else self.candidates[self.rows[start:stop]]

    def _weight(self, start: int, stop: int) -> np.ndarray:
        if self.weights is None:
            return np.ones(stop - start)
        return self.weights[start:stop] if self.rows is None else self.weights[self.rows[start:stop]]


def device_bytes() -> int:
    """Returns the memory of all devices; 0 where it is the host's own."""
    statistics = jax.local_devices()[0].memory_stats() or {}
    return jax.device_count() * statistics.get("bytes_limit", 0)


def release_pages(array: np.ndarray) -> None:
    """Lets go of the pages of a file mapped for reading; the system would count them as this process's memory."""
    if isinstance(array, np.memmap) and array.mode == "r":
        mapping = array
        while isinstance(mapping, np.ndarray):
            mapping = mapping.base
        if isinstance(mapping, mmap.mmap):
            mapping.madvise(mmap.MADV_DONTNEED)
