"""The density of embeddings around each text: its near duplicates, counted by a kernel."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import PartitionSpec as P

from gotd_jax.devices import AXIS, gathered, mesh, replicated, split_rows
from gotd_jax.methods.neighbours import CANDIDATES_PER_BLOCK, padded, rows_at_once, unit
from gotd_jax.progress import progress


def densities(embeddings: np.ndarray, sigma: float) -> np.ndarray:
    """Returns sum_j max(0, 1 - |x_i - x_j|^2 / sigma^2) over embeddings scaled to length one, at least 1, float32 [n].

    A text alone within `sigma` has 1, its own share; one of k copies has k. An embedding of length zero, which lies at a
    distance of the root of 2 from all, has at least 1 too. All pairs are compared, a block against a block; the rows are
    split over all devices.

    Args:
      embeddings: float32 [n, d].
      sigma: the kernel's width, above 0; distances go up to 2.
    """
    height = rows_at_once(len(embeddings))
    size = min(CANDIDATES_PER_BLOCK, len(embeddings))
    starts = range(0, len(embeddings), height)
    sums = []
    with progress(total=len(starts) * len(embeddings), unit="texts", step="densities") as bar:
        for start in starts:
            rows = jax.device_put(padded(embeddings[start : start + height], height), split_rows())
            total = jax.device_put(np.zeros(height, np.float32), split_rows())
            for other in range(0, len(embeddings), size):
                block = embeddings[other : other + size]
                is_text = np.arange(size) < len(block)
                total = _add()(total, rows, *jax.device_put((padded(block, size), is_text, np.float32(sigma)), replicated()))
                bar.update(len(block))
            sums.append(gathered(total))
    return np.maximum(np.concatenate(sums)[: len(embeddings)], 1.0)


@functools.cache
def _add():
    """Returns the jitted step that adds a block's kernel values to the sums of the rows."""

    def per_device(total, rows, block, is_text, sigma):
        cosines = jnp.matmul(unit(rows), unit(block).T, precision=lax.Precision.HIGHEST)
        kernel = jnp.maximum(1.0 - (2.0 - 2.0 * cosines) / sigma**2, 0.0)
        return total + jnp.sum(jnp.where(is_text, kernel, 0.0), axis=1)

    specs = (P(AXIS), P(AXIS), P(), P(), P())
    return jax.jit(jax.shard_map(per_device, mesh=mesh(), in_specs=specs, out_specs=P(AXIS)))
