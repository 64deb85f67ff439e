"""Top cosine: the candidates that are on average most similar to the target texts."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gotd_jax.devices import replicated, split_rows
from gotd_jax.methods.method import Method
from gotd_jax.methods.neighbours import CANDIDATES_PER_BLOCK, embeddings_of, padded, unit
from gotd_jax.methods.problem import Problem, Selection, lowest
from gotd_jax.progress import progress


def select(problem: Problem, budget: int, *, seed: int) -> Selection:
    """Returns the `budget` candidates of the highest mean cosine similarity to the targets.

    The mean of the cosines with all m targets, 1/m sum_j cos(x, t_j), is x/|x| times the mean of the targets' unit vectors:
    one direction stands for the whole target. Ivison et al. (2025) rank by it where they aggregate scores by their mean
    ("mean_max" in their code), against the round robin of `rds_plus`, in which every target has its say. The value of a
    candidate is minus its mean cosine, in [-1, 1].

    Args:
      problem: pool and target; their embeddings are needed. An embedding of length zero has cosine 0 to all.
      budget: how many chunks to select.
      seed: nothing is drawn; equal candidates stand in pool order.

    Raises:
      ValueError: embeddings that are not finite or of different dimensions.
    """
    candidates, targets = embeddings_of(problem)
    values = -mean_cosines(candidates, targets)
    return Selection(lowest(values, budget), values)


METHOD = Method(select, reads={"target", "embeddings"})


def mean_cosines(candidates: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns the mean cosine similarity of each candidate with all targets, float32 [n].

    Each block of the pool is split over all devices.

    Args:
      candidates: float32 [n, d]; may be memory-mapped, a block at a time is read.
      targets: float32 [m, d].
    """
    direction = jax.device_put(_mean_direction(targets), replicated())
    height = -(-min(CANDIDATES_PER_BLOCK, len(candidates)) // jax.device_count()) * jax.device_count()
    cosines = np.empty(len(candidates), np.float32)
    with progress(total=len(candidates), unit="candidates", step="mean cosines") as bar:
        for start in range(0, len(candidates), height):
            block = candidates[start : start + height]
            similar = _cosines()(jax.device_put(padded(block, height), split_rows()), direction)
            cosines[start : start + len(block)] = np.asarray(similar)[: len(block)]
            bar.update(len(block))
    return cosines


def _mean_direction(targets: np.ndarray) -> np.ndarray:
    targets = np.asarray(targets, np.float64)
    lengths = np.linalg.norm(targets, axis=1, keepdims=True)
    return (targets / np.where(lengths > 0, lengths, 1.0)).mean(axis=0).astype(np.float32)


@functools.cache
def _cosines():
    """Returns the jitted product of a block's unit vectors with a direction, whole on every device."""

    def of(block, direction):
        return jnp.matmul(unit(block), direction, precision=lax.Precision.HIGHEST)

    return jax.jit(of, out_shardings=replicated())
