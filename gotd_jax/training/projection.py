"""A random projection of a tree of arrays to few numbers that keeps inner products, in blocks; its matrix is never made."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


@dataclasses.dataclass(frozen=True)
class Signs:
    """The random signs of a projection.

    Attributes:
      before: of each leaf of a tree in order, int8 [blocks, size], 1 or -1.
      after: a second draw, of the same shapes.
    """

    before: list[np.ndarray]
    after: list[np.ndarray]


def draw_signs(shapes: dict, size: int, seed: int) -> Signs:
    """Returns the signs of the projection of trees like `shapes` to `size` numbers, drawn by `seed`.

    Args:
      shapes: a tree of arrays, or of anything with their shapes.
      size: a power of two.
      seed: of the draw.

    Raises:
      ValueError: the size is no power of two.
    """
    check_size(size)
    random = [np.random.default_rng([seed, place]) for place in range(len(jax.tree.leaves(shapes)))]
    blocks = [-(-int(np.prod(leaf.shape)) // size) for leaf in jax.tree.leaves(shapes)]
    return Signs(*([_signs(each, (count, size)) for each, count in zip(random, blocks)] for _ in ("before", "after")))


def check_size(size: int) -> None:
    """Raises ValueError unless arrays can be projected to `size` numbers."""
    if size < 1 or size & (size - 1):
        raise ValueError(f"Gradients are projected to a power of two of numbers, such as 1,024, and not to {size:,}.")


def project(tree: dict, signs: Signs) -> jax.Array:
    """Returns the projection of the arrays of `tree`, float32 [size].

    Each array is cut into blocks x_b of `size` numbers, and the projection is sum_b D'_b H D_b x_b: D and D' are diagonals of
    random signs, and H is Hadamard's matrix over sqrt(size). Each block is rotated, and so keeps its own inner products whole;
    those of different blocks mix to mean zero, as in the fast transform of Ailon & Chazelle (2009). In all, the inner product
    of two projections is that of the two trees x and y on average over the seeds, with a standard deviation of about
    |x| |y| / sqrt(size) or less (Johnson & Lindenstrauss 1984). It takes log(size) operations a number and two signs, where a
    matrix of signs (Xia et al. 2024) takes `size` of both.

    Args:
      tree: of float arrays.
      signs: drawn for its shapes.
    """
    size = signs.before[0].shape[1]
    total = jnp.zeros(size)
    for leaf, before, after in zip(jax.tree.leaves(tree), signs.before, signs.after, strict=True):
        flat = leaf.reshape(-1).astype(jnp.float32)
        blocks = jnp.pad(flat, (0, before.size - flat.size)).reshape(before.shape)
        total += jnp.sum(_rotated(blocks * before) * after, axis=0)
    return total


def _rotated(blocks: jax.Array) -> jax.Array:
    """Returns H x of each block x, float32 [blocks, size]; H is the Kronecker product of two smaller matrices of its kind."""
    size = blocks.shape[1]
    outer = 1 << (size.bit_length() // 2)
    inner = size // outer
    squares = blocks.reshape(-1, outer, inner)
    rotated = jnp.matmul(squares, _hadamard(inner), precision=lax.Precision.HIGHEST)
    rotated = jnp.matmul(_hadamard(outer), rotated, precision=lax.Precision.HIGHEST)
    return rotated.reshape(blocks.shape)


def _hadamard(size: int) -> np.ndarray:
    """Returns Hadamard's matrix over the square root of its size, float32 [size, size]."""
    from scipy.linalg import hadamard

    return (hadamard(size) / np.sqrt(size)).astype(np.float32)


def _signs(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return 2 * random.integers(2, size=shape, dtype=np.int8) - 1
