"""The candidates most similar to each target, by exact search over blocks of the pool on all devices."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

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
    nothing = np.full((1, neighbours), -np.inf, np.float32), np.full((1, neighbours), -1, np.int32)
    blocks = against_all(targets, candidates, nothing, _merge(), step=f"{neighbours} neighbours")
    similarities, rows = (np.concatenate(part) for part in zip(*blocks))
    return np.clip(similarities, -1.0, 1.0), rows


def against_all(
    texts: np.ndarray,
    compared: np.ndarray,
    state: tuple[np.ndarray, ...],
    add: Callable,
    *,
    step: str,
    of_texts: tuple[np.ndarray, ...] = (),
    of_compared: tuple[np.ndarray, ...] = (),
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yields the state of each block of `texts` to which every block of the `compared` texts has been added.

    The texts are split over all devices, which need not communicate; each has a block of the compared texts whole.

    Args:
      texts: embeddings, float [n, d]; may be memory-mapped, a block at a time is read.
      compared: embeddings, float [m, d]; may be memory-mapped too.
      state: of one text before anything is added, arrays [1, ...].
      add: the step `(state, texts, compared, place, *of_texts, *of_compared) -> state`, each the arrays of a block; `place`
        is the position of each compared text, int32, and -1 where it is padding. See `over_devices`.
      step: names the work on the progress bar.
      of_texts: further numbers of each text, [n].
      of_compared: further numbers of each compared text, [m].
    """
    height, size = rows_at_once(len(texts)), min(CANDIDATES_PER_BLOCK, len(compared))
    starts = range(0, len(texts), height)
    with progress(total=len(starts) * len(compared), unit="texts", step=step) as bar:
        for start in starts:
            numbers = (_filled(numbers[start : start + height], height) for numbers in of_texts)
            block = padded(texts[start : start + height], height), *numbers
            now = tuple(np.repeat(part, height, axis=0) for part in state)
            now, (block, *of_block) = jax.device_put((now, block), split_rows())
            for other in range(0, len(compared), size):
                against = compared[other : other + size]
                place = _filled(np.arange(other, other + len(against), dtype=np.int32), size, -1)
                given = padded(against, size), place, *(_filled(numbers[other : other + size], size) for numbers in of_compared)
                vectors, place, *of_vectors = jax.device_put(given, replicated())
                now = add(now, block, vectors, place, *of_block, *of_vectors)
                bar.update(len(against))
            yield tuple(gathered(part)[: len(texts) - start] for part in now)


def over_devices(per_device: Callable, parts: int, of_texts: int = 0, of_compared: int = 0) -> Callable:
    """Returns the compiled step of `against_all` that each device takes with its own texts.

    Args:
      per_device: takes the arguments of the step.
      parts: arrays in the state.
      of_texts: how many further numbers each text has.
      of_compared: how many each compared text has.
    """
    state = tuple([P(AXIS)] * parts)
    specs = (state, P(AXIS), P(), P(), *[P(AXIS)] * of_texts, *[P()] * of_compared)
    return jax.jit(jax.shard_map(per_device, mesh=mesh(), in_specs=specs, out_specs=state))


def rows_at_once(rows: int) -> int:
    """Returns how many of `rows` all devices together hold against a block of candidates, equally many each."""
    per_device = min(TARGETS_PER_BLOCK, -(-rows // jax.device_count()))
    return per_device * jax.device_count()


@functools.cache
def _merge() -> Callable:
    """Returns the step that takes a block of candidates into the best neighbours so far."""

    def per_device(best, targets, candidates, row):
        similar = jnp.where(row >= 0, cosines(targets, candidates), -jnp.inf)
        # The neighbours so far come first: of equal similarities top_k keeps the first.
        similarities = jnp.concatenate([best[0], similar], axis=1)
        rows = jnp.concatenate([best[1], jnp.broadcast_to(row, similar.shape)], axis=1)
        similarities, places = lax.top_k(similarities, best[0].shape[1])
        return similarities, jnp.take_along_axis(rows, places, axis=1)

    return over_devices(per_device, 2)


def cosines(texts: jax.Array, compared: jax.Array) -> jax.Array:
    """Returns the cosine similarities of `texts` [k, d] with the `compared` [l, d], float32 [k, l]."""
    return jnp.matmul(unit(texts), unit(compared).T, precision=lax.Precision.HIGHEST)


def unit(vectors: jax.Array) -> jax.Array:
    """Returns `vectors` [rows, d] of length one, float32; those of length zero stay as they are."""
    vectors = jnp.asarray(vectors, jnp.float32)  # the squares of float16 may be beyond it
    lengths = jnp.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / jnp.where(lengths > 0, lengths, 1.0)


def padded(vectors: np.ndarray, rows: int) -> np.ndarray:
    """Returns `vectors` [k, d] and zeros up to `rows` rows, float32 [rows, d]."""
    return np.pad(np.asarray(vectors, np.float32), ((0, rows - len(vectors)), (0, 0)))


def _filled(numbers: np.ndarray, rows: int, by: float = 0) -> np.ndarray:
    """Returns `numbers` [k] and `by` up to `rows` numbers."""
    return np.pad(numbers, (0, rows - len(numbers)), constant_values=by)
