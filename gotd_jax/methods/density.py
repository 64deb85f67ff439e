"""The density of embeddings around each text: its near duplicates, counted by a kernel."""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from gotd_jax.methods.neighbours import against_all, cosines, over_devices


def densities(embeddings: np.ndarray, sigma: float) -> np.ndarray:
    """Returns sum_j max(0, 1 - |x_i - x_j|^2 / sigma^2) over embeddings scaled to length one, at least 1, float32 [n].

    A text alone within `sigma` has 1, its own share; one of k copies has k. An embedding of length zero, which lies at a
    distance of the root of 2 from all, has at least 1 too. All pairs are compared, a block against a block; the rows are
    split over all devices.

    Args:
      embeddings: float32 [n, d].
      sigma: the kernel's width, above 0; distances go up to 2.
    """
    nothing = (np.zeros(1, np.float32),)
    sums = [total for (total,) in against_all(embeddings, embeddings, nothing, _add(sigma), step="densities")]
    return np.maximum(np.concatenate(sums), 1.0)


@functools.lru_cache(maxsize=8)
def _add(sigma: float) -> Callable:
    """Returns the step that adds a block's kernel values to the sums of the rows."""

    def per_device(sums, rows, block, place):
        kernel = jnp.maximum(1.0 - (2.0 - 2.0 * cosines(rows, block)) / sigma**2, 0.0)
        return (sums[0] + jnp.sum(jnp.where(place >= 0, kernel, 0.0), axis=1),)

    return over_devices(per_device, 1)
