"""The candidates most similar to each target, by exact search over blocks of the pool on all devices."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import PartitionSpec as P

from gotd_jax.devices import AXIS, gathered, mesh, replicated, split_rows
from gotd_jax.methods.problem import Problem
from gotd_jax.ot.checks import check_finite, check_shapes
from gotd_jax.progress import progress

CANDIDATES_PER_BLOCK = 8192
TARGETS_PER_BLOCK = 2048  # per device: with a block of candidates, 64 MiB of similarities


def embeddings_of(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Returns the embeddings of pool and target, float32 [n, d] and [m, d].

    Raises:
      ValueError: they are not finite, or of different dimensions.
    """
    candidates, targets = problem.candidates, problem.targets
    check_shapes(candidates, targets)
    check_finite(candidates, "candidates")
    check_finite(targets, "targets")
    return candidates, targets


def nearest(candidates: np.ndarray, targets: np.ndarray, neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns each target's most similar candidates by cosine, most similar first, equal ones in pool order.

    Exact search over blocks of the pool; the targets are split over all devices, which need not communicate.

    Args:
      candidates: float32 [n, d]; may be memory-mapped, a block at a time is read.
      targets: float32 [m, d].
      neighbours: how many to find for each target, at most n.

    Returns:
      cosine similarities in [-1, 1], float32 [m, neighbours]; rows of the pool, int32 [m, neighbours].
    """
    height = rows_at_once(len(targets))
    starts = range(0, len(targets), height)
    with progress(total=len(starts) * len(candidates), unit="candidates", step=f"{neighbours} neighbours") as bar:
        blocks = [_search(candidates, padded(targets[start : start + height], height), neighbours, bar) for start in starts]
    similarities, rows = (np.concatenate(part)[: len(targets)] for part in zip(*blocks))
    return np.clip(similarities, -1.0, 1.0), rows


def rows_at_once(rows: int) -> int:
    """Returns how many of `rows` all devices together hold against a block of candidates, equally many each."""
    per_device = min(TARGETS_PER_BLOCK, -(-rows // jax.device_count()))
    return per_device * jax.device_count()


def _search(candidates: np.ndarray, targets: np.ndarray, neighbours: int, bar) -> tuple[np.ndarray, np.ndarray]:
    nothing = np.full((len(targets), neighbours), -np.inf, np.float32), np.full((len(targets), neighbours), -1, np.int32)
    targets, best = jax.device_put((targets, nothing), split_rows())
    size = min(CANDIDATES_PER_BLOCK, len(candidates))
    for start in range(0, len(candidates), size):
        block = candidates[start : start + size]
        row = np.arange(start, start + size, dtype=np.int32)
        row[len(block) :] = -1  # padding
        best = _merge()(best, targets, *jax.device_put((padded(block, size), row), replicated()))
        bar.update(len(block))
    return gathered(best[0]), gathered(best[1])


@functools.cache
def _merge():
    """Returns the jitted step that takes a block of candidates into the best neighbours so far."""

    def per_device(best, targets, candidates, row):
        cosines = jnp.matmul(unit(targets), unit(candidates).T, precision=lax.Precision.HIGHEST)
        cosines = jnp.where(row >= 0, cosines, -jnp.inf)
        # The neighbours so far come first: of equal similarities top_k keeps the first.
        similarities = jnp.concatenate([best[0], cosines], axis=1)
        rows = jnp.concatenate([best[1], jnp.broadcast_to(row, cosines.shape)], axis=1)
        similarities, places = lax.top_k(similarities, best[0].shape[1])
        return similarities, jnp.take_along_axis(rows, places, axis=1)

    specs = ((P(AXIS), P(AXIS)), P(AXIS), P(), P())
    return jax.jit(jax.shard_map(per_device, mesh=mesh(), in_specs=specs, out_specs=(P(AXIS), P(AXIS))))


def unit(vectors: jax.Array) -> jax.Array:
    """Returns `vectors` [rows, d] of length one, float32; those of length zero stay as they are."""
    vectors = jnp.asarray(vectors, jnp.float32)  # the squares of float16 may be beyond it
    lengths = jnp.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / jnp.where(lengths > 0, lengths, 1.0)


def padded(vectors: np.ndarray, rows: int) -> np.ndarray:
    """Returns `vectors` [k, d] and zeros up to `rows` rows, float32 [rows, d]."""
    return np.pad(np.asarray(vectors, np.float32), ((0, rows - len(vectors)), (0, 0)))
