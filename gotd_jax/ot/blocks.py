"""The plan, one block of candidates at a time: no array of pool size times target size ever exists.

Letters: x [n, d] candidates, y [m, d] targets, a [n] and b [m] their weights, C(x, y) = |x - y|^2, f [n] and g [m]
potentials, h = g + e log b, e epsilon. The plan is P_ij = a_i exp((f_i + h_j - C_ij) / e).
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gotd_jax.devices import AXIS


def rows_per_block() -> int:
    """Returns how many candidates to hold against all targets at once: as many as stay in a CPU's cache, more on a GPU."""
    return 512 if jax.default_backend() == "cpu" else 8192


class TargetSide(NamedTuple):
    """The target's side of the problem, all that a candidate's row of the plan depends on besides its embedding.

    Attributes:
      y: target embeddings less `shift`, float32 [m, d].
      biases: h, float32 [m].
      epsilon: absolute, float32 scalar.
      shift: subtracted from every candidate, float32 [d].
      unit: a length that brings embeddings near 1 for products in low precision, float32 scalar.
    """

    y: jax.Array
    biases: jax.Array
    epsilon: jax.Array
    shift: jax.Array
    unit: jax.Array


def squared_distances(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns |x_i - y_j|^2, float32 [rows of x, m], in full precision: TF32 costs an error of epsilon's size."""
    products = jnp.matmul(x, y.T, precision=lax.Precision.HIGHEST)
    return jnp.sum(x * x, axis=1)[:, None] + jnp.sum(y * y, axis=1)[None, :] - 2.0 * products


def shifted(x: jax.Array, side: TargetSide) -> jax.Array:
    """Returns candidates as float32, less the shift, which keeps distances and reduces rounding."""
    return x.astype(jnp.float32) - side.shift


def products(x: jax.Array, side: TargetSide, precision: str) -> jax.Array:
    """Returns x_i y_j of shifted candidates, float32 [rows, m]; in low precision in units of `side.unit` squared.

    Args:
      x: float32 [rows, d], shifted.
      side: of the targets.
      precision: of the factors: float32, bfloat16 or float16; they are summed in float32.
    """
    if precision == "float32":
        return jnp.matmul(x, side.y.T, precision=lax.Precision.HIGHEST)
    x, y = (x / side.unit).astype(precision), (side.y / side.unit).astype(precision)
    return jnp.matmul(x, y.T, preferred_element_type=jnp.float32)


def logits(products: jax.Array, side: TargetSide, unit: float | jax.Array = 1.0) -> jax.Array:
    """Returns (h_j - |y_j|^2 + 2 x_i y_j) / e, [rows, m]: a row's plan is its softmax.

    Args:
      products: x_i y_j / unit^2, float32 [rows, m].
      side: of the targets.
      unit: of the products.
    """
    return products * (2.0 * unit**2 / side.epsilon) + (side.biases - jnp.sum(side.y * side.y, axis=1)) / side.epsilon


# The sums of a pass, a block at a time: each function returns (the block's sum, a value for each of its candidates).


def plan_block(x: jax.Array, a: jax.Array, side: TargetSide, precision: str) -> tuple[jax.Array, jax.Array]:
    """Returns the block's share of the plan's target marginal and of sum_i a_i f_i, [m + 1]; its exact f, [rows].

    f_i = -e log sum_j exp((h_j - C_ij) / e) makes row i of the plan sum to a_i. One product, one exponential.
    """
    x = shifted(x, side)
    unit = 1.0 if precision == "float32" else side.unit
    marginal, log_sums = _normalised(logits(products(x, side, precision), side, unit), a)
    f = jnp.sum(x * x, axis=1) - side.epsilon * log_sums
    return jnp.append(marginal, a @ f), f


def products_block(x: jax.Array, a: jax.Array, side: TargetSide, precision: str) -> tuple[jax.Array, jax.Array]:
    """Returns a sum of zero; the block's products in units of `side.unit` squared, float16 [rows, m]."""
    return jnp.zeros(()), (products(shifted(x, side), side, precision) / side.unit**2).astype(jnp.float16)


def kept_block(kept: jax.Array, a: jax.Array, side: TargetSide, precision: str) -> tuple[jax.Array, jax.Array]:
    """Returns the results of `plan_block`, without |x_i|^2 in f_i, from the products that `products_block` kept."""
    marginal, log_sums = _normalised(logits(kept.astype(jnp.float32), side, side.unit), a)
    f = -side.epsilon * log_sums
    return jnp.append(marginal, a @ f), f


def _normalised(exponents: jax.Array, a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns sum_i a_i softmax(exponents_i), [m], and the logarithm of each row's sum, [rows]."""
    peaks = jnp.max(exponents, axis=1)
    kernel = jnp.exp(exponents - peaks[:, None])
    sums = jnp.sum(kernel, axis=1)
    return jnp.matmul(a / sums, kernel, precision=lax.Precision.HIGHEST), peaks + jnp.log(sums)


def moments_block(x: jax.Array, a: jax.Array, side: TargetSide, precision: str) -> tuple[jax.Array, jax.Array]:
    """Returns the block's share of sum_i a_i x_i and sum_i a_i |x_i|^2, [d + 1]; |x_i|^2, [rows]."""
    x = shifted(x, side)
    squares = jnp.sum(x * x, axis=1)
    return jnp.append(a @ x, a @ squares), squares


def coupling_block(x: jax.Array, a: jax.Array, side: TargetSide, precision: str) -> tuple[jax.Array, jax.Array]:
    """Returns the block's share of sum_i P_ij P_ik / a_i, [m, m]; a, [rows].

    The sum accelerates the iteration and does not decide where it ends, so the backend's fast products are precise enough.
    """
    rows = jax.nn.softmax(logits(products(shifted(x, side), side, precision), side), axis=1) * jnp.sqrt(a)[:, None]
    return rows.T @ rows, a


# The log-sum-exps that ott-jax's solver asks of a geometry, over all blocks of one device.


def over_targets_here(x, f, y, g, epsilon) -> jax.Array:
    """Returns log sum_j exp((f_i + g_j - C_ij) / e) for this device's candidates, [n here]."""

    def block(_, part):
        x, f = part
        return None, jax.nn.logsumexp((f[:, None] + g[None, :] - squared_distances(x, y)) / epsilon, axis=1)

    return lax.scan(block, None, _in_blocks(x, f))[1].reshape(-1)


def over_candidates_here(x, f, y, g, epsilon) -> jax.Array:
    """Returns log sum_i exp((f_i + g_j - C_ij) / e) over the candidates of all devices, [m]: two collectives of m numbers."""

    def block(carry, part):
        x, f = part
        largest, total = carry
        exponents = (f[:, None] + g[None, :] - squared_distances(x, y)) / epsilon
        new = jnp.maximum(largest, jnp.max(exponents, axis=0))
        anchor = jnp.where(jnp.isfinite(new), new, 0.0)  # all -inf where every row so far is padding
        return (new, total * jnp.exp(largest - anchor) + jnp.sum(jnp.exp(exponents - anchor), axis=0)), None

    start = jnp.full(g.shape, -jnp.inf), jnp.zeros(g.shape)
    (largest, total), _ = lax.scan(block, lax.pcast(start, AXIS, to="varying"), _in_blocks(x, f))
    everywhere = lax.pmax(largest, AXIS)
    return everywhere + jnp.log(lax.psum(total * jnp.exp(largest - everywhere), AXIS))


def _in_blocks(*arrays: jax.Array) -> tuple[jax.Array, ...]:
    return tuple(array.reshape(-1, rows_per_block(), *array.shape[1:]) for array in arrays)
