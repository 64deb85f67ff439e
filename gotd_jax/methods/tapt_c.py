"""TAPT/c, or kNN-TAPT (Gururangan et al. 2020): the nearest neighbours of the target texts, curated by retrieval."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import PartitionSpec as P

from gotd_jax.devices import AXIS, mesh, replicated, split_rows
from gotd_jax.methods.problem import Problem, Selection
from gotd_jax.ot.checks import check_finite, check_shapes
from gotd_jax.progress import progress

CANDIDATES_PER_BLOCK = 8192
TARGETS_PER_BLOCK = 2048  # per device: with a block of candidates, 64 MiB of similarities


def select(problem: Problem, budget: int, *, seed: int) -> Selection:
    """Returns the first `budget` distinct candidates met going through the targets' neighbours rank by rank.

    First every target's nearest neighbour by cosine similarity, then every second, and so on; within one rank the most
    similar first. A candidate counts once, at the best of its ranks (Gururangan et al. 2020, Section 5.2, take the union
    of the neighbours; the published GOT-D code kept repeats: 27,189 of its 50,000 for MNLI are distinct).

    The value of a candidate is r + (1 - s) / 2, r its best rank, from 1, and s the cosine there; it is infinite for those
    that are nobody's k-th neighbour or nearer, where k is as far as the search had to go.

    Args:
      problem: pool and target; their embeddings are needed. An embedding of length zero has cosine 0 to all.
      budget: how many chunks to select.
      seed: nothing is drawn.

    Raises:
      ValueError: embeddings that are not finite or of different dimensions.
    """
    candidates, targets = problem.candidates, problem.targets
    check_shapes(candidates, targets)
    check_finite(candidates, "candidates")
    check_finite(targets, "targets")
    neighbours = -(-budget // len(targets))
    while True:
        neighbours = min(neighbours, len(candidates))
        similarities, rows = nearest(candidates, targets, neighbours)
        found, places, similarities = _retrieve(similarities, rows)
        if len(found) >= budget:
            break
        neighbours *= 2
    ranks = places // len(targets) + 1
    values = np.full(len(candidates), np.inf, np.float32)
    values[found] = ranks + (1.0 - similarities) / 2.0
    info = {
        "neighbours_searched": int(neighbours),
        "last_rank": int(ranks[budget - 1]),
        "retrieved_with_repeats": int(places[budget - 1]) + 1,
    }
    return Selection(found[:budget], values, info)


def nearest(candidates: np.ndarray, targets: np.ndarray, neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns each target's most similar candidates by cosine, most similar first, equal ones in pool order.

    Exact search over blocks of the pool; the targets are split over all devices, which need not talk to each other.

    Args:
      candidates: float32 [n, d]; may be memory-mapped, a block at a time is read.
      targets: float32 [m, d].
      neighbours: how many to find for each target, at most n.

    Returns:
      cosine similarities in [-1, 1], float32 [m, neighbours]; rows of the pool, int32 [m, neighbours].
    """
    height = min(TARGETS_PER_BLOCK * jax.device_count(), len(targets))
    height = -(-height // jax.device_count()) * jax.device_count()
    starts = range(0, len(targets), height)
    with progress(total=len(starts) * len(candidates), unit="candidates", what=f"{neighbours} neighbours") as bar:
        blocks = [_search(candidates, _padded(targets[start : start + height], height), neighbours, bar) for start in starts]
    similarities, rows = (np.concatenate(part)[: len(targets)] for part in zip(*blocks))
    return np.clip(similarities, -1.0, 1.0), rows


def _search(candidates: np.ndarray, targets: np.ndarray, neighbours: int, bar) -> tuple[np.ndarray, np.ndarray]:
    nothing = np.full((len(targets), neighbours), -np.inf, np.float32), np.full((len(targets), neighbours), -1, np.int32)
    targets, best = jax.device_put((targets, nothing), split_rows())
    size = min(CANDIDATES_PER_BLOCK, len(candidates))
    for start in range(0, len(candidates), size):
        block = candidates[start : start + size]
        row = np.arange(start, start + size, dtype=np.int32)
        row[len(block) :] = -1  # padding
        best = _merge()(best, targets, *jax.device_put((_padded(block, size), row), replicated()))
        bar.update(len(block))
    return np.asarray(best[0]), np.asarray(best[1])


@functools.cache
def _merge():
    """Returns the jitted step that takes a block of candidates into the best neighbours so far."""

    def per_device(best, targets, candidates, row):
        cosines = jnp.matmul(_unit(targets), _unit(candidates).T, precision=lax.Precision.HIGHEST)
        cosines = jnp.where(row >= 0, cosines, -jnp.inf)
        # What is known comes first: of equal similarities top_k keeps the first.
        similarities = jnp.concatenate([best[0], cosines], axis=1)
        rows = jnp.concatenate([best[1], jnp.broadcast_to(row, cosines.shape)], axis=1)
        similarities, places = lax.top_k(similarities, best[0].shape[1])
        return similarities, jnp.take_along_axis(rows, places, axis=1)

    specs = ((P(AXIS), P(AXIS)), P(AXIS), P(), P())
    return jax.jit(jax.shard_map(per_device, mesh=mesh(), in_specs=specs, out_specs=(P(AXIS), P(AXIS))))


def _unit(vectors: jax.Array) -> jax.Array:
    lengths = jnp.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / jnp.where(lengths > 0, lengths, 1.0)


def _padded(vectors: np.ndarray, rows: int) -> np.ndarray:
    return np.pad(np.asarray(vectors, np.float32), ((0, rows - len(vectors)), (0, 0)))


def _retrieve(similarities: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the distinct candidates in the order met, where each was first met, and its similarity there.

    They are met in a list with repeats: rank after rank, within a rank the most similar first.
    """
    order = np.argsort(-similarities, axis=0, kind="stable")
    listed = np.take_along_axis(rows, order, axis=0).T.ravel()
    candidates, first = np.unique(listed, return_index=True)
    met = np.argsort(first)
    places = first[met]
    return candidates[met].astype(np.int64), places, np.take_along_axis(similarities, order, axis=0).T.ravel()[places]
