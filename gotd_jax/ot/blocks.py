"""Sums over the plan, one block of candidates at a time: no array of pool size times target size ever exists.

Every function that ends in `_here` sees one device's share of the candidates and runs inside `jax.shard_map`; those that
sum over candidates end in the only collectives of this package.

Letters: x [n, d] candidates, y [m, d] targets, C(x, y) = |x - y|^2, f [n] and g [m] potentials, e epsilon.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from gotd_jax.devices import AXIS


def rows_per_block() -> int:
    """Returns how many candidates to hold against all targets at once: as many as stay in a CPU's cache, more on a GPU."""
    return 512 if jax.default_backend() == "cpu" else 8192


def squared_distances(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns |x_i - y_j|^2, float32 [rows of x, m], in full precision: TF32 costs an error of epsilon's size."""
    products = jnp.matmul(x, y.T, precision=lax.Precision.HIGHEST)
    return jnp.sum(x * x, axis=1)[:, None] + jnp.sum(y * y, axis=1)[None, :] - 2.0 * products


def over_targets_here(x, f, y, g, epsilon) -> jax.Array:
    """Returns log sum_j exp((f_i + g_j - C_ij) / e) for this device's candidates, [n here]."""

    def block(_, part):
        x, f = part
        return None, jax.nn.logsumexp(_logits(x, f, y, g, epsilon), axis=1)

    return lax.scan(block, None, _in_blocks(x, f))[1].reshape(-1)


def over_candidates_here(x, f, y, g, epsilon) -> jax.Array:
    """Returns log sum_i exp((f_i + g_j - C_ij) / e) over the candidates of all devices, [m]: two collectives of m numbers."""

    def block(carry, part):
        largest, total = carry
        logits = _logits(*part, y, g, epsilon)
        new = jnp.maximum(largest, jnp.max(logits, axis=0))
        anchor = jnp.where(jnp.isfinite(new), new, 0.0)  # all -inf where every row so far is padding
        return (new, total * jnp.exp(largest - anchor) + jnp.sum(jnp.exp(logits - anchor), axis=0)), None

    start = jnp.full(g.shape, -jnp.inf), jnp.zeros(g.shape)
    (largest, total), _ = lax.scan(block, lax.pcast(start, AXIS, to="varying"), _in_blocks(x, f))
    everywhere = lax.pmax(largest, AXIS)
    return everywhere + jnp.log(lax.psum(total * jnp.exp(largest - everywhere), AXIS))


def potentials_here(x, weights, y, h, epsilon) -> tuple[jax.Array, jax.Array]:
    """Returns the candidates' exact potentials and the plan's target marginal, from one product and one exponential.

    f_i = -e log sum_j exp((h_j - C_ij) / e), h = g + e log b, makes every row of the plan sum to its weight; its columns
    then sum to q_j = sum_i a_i exp((f_i + h_j - C_ij) / e), one collective of m numbers.

    Returns:
      f float32 [n here]; q float32 [m], over all devices.
    """

    def block(marginal, part):
        x, weights = part
        logits = (h[None, :] - squared_distances(x, y)) / epsilon
        log_sums = jax.nn.logsumexp(logits, axis=1)
        return marginal + weights @ jnp.exp(logits - log_sums[:, None]), -epsilon * log_sums

    start = lax.pcast(jnp.zeros(h.shape), AXIS, to="varying")
    marginal, potentials = lax.scan(block, start, _in_blocks(x, weights))
    return potentials.reshape(-1), lax.psum(marginal, AXIS)


def _logits(x, f, y, g, epsilon) -> jax.Array:
    return (f[:, None] + g[None, :] - squared_distances(x, y)) / epsilon


def _in_blocks(*arrays: jax.Array) -> tuple[jax.Array, ...]:
    rows = min(rows_per_block(), arrays[0].shape[0])
    return tuple(array.reshape(-1, rows, *array.shape[1:]) for array in arrays)
