"""The parts of a transformer, as Flax NNX modules that hold parameters and nothing else.

Every module is used functionally: parameters come from `nnx.merge(definition, params)` inside `jax.jit`, and dropout
takes its key in the call (`key=None`: no dropout).
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

ACTIVATIONS = {
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "gelu_new": functools.partial(jax.nn.gelu, approximate=True),
    "gelu_pytorch_tanh": functools.partial(jax.nn.gelu, approximate=True),
    "relu": jax.nn.relu,
    "silu": jax.nn.silu,
}


def _float32_dot(x, y, y_axis):
    # HIGHEST: a GPU would otherwise multiply float32 as TF32, which is 1e-3 from the published numbers.
    return lax.dot_general(x, y, (((1,), (y_axis,)), ((), ())), precision=lax.Precision.HIGHEST)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _bfloat16_dot(x, y, y_axis):
    return _bfloat16_dot_forward(x, y, y_axis)[0]


def _bfloat16_dot_forward(x, y, y_axis):
    x, y = x.astype(jnp.bfloat16), y.astype(jnp.bfloat16)
    return _accumulate(x, y, 1, y_axis), (x, y)


def _bfloat16_dot_backward(y_axis, residuals, cotangent):
    # Without this rule the cotangent stays float32, and a product of mixed types leaves the fast path on every device.
    x, y = residuals
    cotangent = cotangent.astype(jnp.bfloat16)
    along_x = _accumulate(cotangent, y, 1, 1 - y_axis)
    along_y = _accumulate(x, cotangent, 0, 0) if y_axis == 0 else _accumulate(cotangent, x, 0, 0)
    return along_x, along_y


def _accumulate(x, y, x_axis, y_axis):
    return lax.dot_general(x, y, (((x_axis,), (y_axis,)), ((), ())), preferred_element_type=jnp.float32)


_bfloat16_dot.defvjp(_bfloat16_dot_forward, _bfloat16_dot_backward)

COMPUTE_DTYPES = {"float32": _float32_dot, "bfloat16": _bfloat16_dot}
# Of the products inside attention, which have no weights: the default is TF32 on a GPU and float32 on a CPU.
ATTENTION_PRECISIONS = {"float32": lax.Precision.HIGHEST, "bfloat16": lax.Precision.DEFAULT}


def dot(x: jax.Array, y: jax.Array, compute_dtype: str, y_axis: int = 0) -> jax.Array:
    """Returns `x @ y`, or `x @ y.T` for `y_axis` 1, summed in float32.

    Args:
      x: float32 [n, k].
      y: float32 [k, m], or [m, k] for `y_axis` 1.
      compute_dtype: 'float32', or 'bfloat16' to round both operands (and cotangents) first. The latter is faster on a
        GPU or a CPU with AMX, and slower on other CPUs.
      y_axis: the axis of `y` that is summed over.

    Returns:
      float32 [n, m].
    """
    return COMPUTE_DTYPES[compute_dtype](x, y, y_axis)


@jax.custom_vjp
def plus_bias(rows: jax.Array, bias: jax.Array) -> jax.Array:
    """Returns float32 [n, m], `bias` [m] added to each of `rows` [n, m]; its gradient is a product with ones.

    As a sum over rows, XLA on a CPU computes it column by column together with the summands: 116 ms for each bias
    of GPT-2 at 1,024 tokens, more than half of a training step.
    """
    return rows + bias


def _plus_bias_backward(_, cotangent):
    return cotangent, sum_of_rows(cotangent)


def sum_of_rows(rows: jax.Array) -> jax.Array:
    """Returns the sum of the rows of float32 [n, m], [m], as a product with ones."""
    return lax.dot(jnp.ones(rows.shape[0], rows.dtype), rows, precision=lax.Precision.HIGHEST)


plus_bias.defvjp(lambda rows, bias: (rows + bias, None), _plus_bias_backward)


def dropout(x: jax.Array, rate: float, key: jax.Array | None) -> jax.Array:
    """Returns `x` with each entry zeroed with probability `rate` and the rest divided by 1 - rate."""
    if key is None or rate == 0.0:
        return x
    return jnp.where(jax.random.bernoulli(key, 1.0 - rate, x.shape), x / (1.0 - rate), 0.0)


def split_key(key: jax.Array | None, count: int) -> list[jax.Array] | list[None]:
    """Returns `count` independent keys, or `count` times None without a key and so without dropout."""
    return [None] * count if key is None else list(jax.random.split(key, count))


def rematerialised(layers: nnx.List, run: Callable, x: jax.Array, *of_each) -> jax.Array:
    """Returns `x` after all layers, of which the backward pass keeps only the inputs.

    The inside of a layer is computed again. The layers are one program that is run as often as there are layers: of separate
    programs XLA on a CPU finds that they are computed twice, and keeps their results after all.

    Args:
      layers: modules of one structure.
      run: `(layer, x, *of this layer) -> x`.
      x: float32 [B, T, D].
      *of_each: trees of arrays whose first axis is the layer; None where there is nothing.
    """
    definition, _ = nnx.split(layers[0])
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(nnx.split(layer)[1] for layer in layers))

    @functools.partial(jax.checkpoint, prevent_cse=False)  # the loop prevents it
    def step(x, layer):
        params, *of_this = layer
        return run(nnx.merge(definition, params), x, *of_this), None

    return lax.scan(step, x, (stacked, *of_each))[0]


class Linear(nnx.Module):
    """x W + b, with W [inputs, outputs] normal of standard deviation `scale` and b zero; x W without `bias`.

    The input is flattened to two dimensions: XLA's weight gradient over three is half as fast on a CPU.
    """

    def __init__(self, inputs: int, outputs: int, *, scale: float, compute_dtype: str, rngs: nnx.Rngs, bias: bool = True):
        self.kernel = nnx.Param(scale * jax.random.normal(rngs.params(), (inputs, outputs)))
        if bias:
            self.bias = nnx.Param(jnp.zeros(outputs))
        self.has_bias = bias
        self.compute_dtype = compute_dtype

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns float32 [..., outputs] for `x` [..., inputs]."""
        rows = dot(x.reshape(-1, x.shape[-1]), self.kernel[...], self.compute_dtype)
        if self.has_bias:
            rows = plus_bias(rows, self.bias[...])
        return rows.reshape(*x.shape[:-1], -1)


class TiedLinear(nnx.Module):
    """x E^T + b, with the table E of an embedding as weights and a bias of its own."""

    def __init__(self, outputs: int, *, compute_dtype: str):
        self.bias = nnx.Param(jnp.zeros(outputs))
        self.compute_dtype = compute_dtype

    def __call__(self, x: jax.Array, embedding: Embedding) -> jax.Array:
        """Returns float32 [n, outputs] for `x` [n, width]."""
        # The table is summed over its last axis as it lies: a transposed copy loses the fast bfloat16 path.
        return plus_bias(dot(x, embedding.table[...], self.compute_dtype, y_axis=1), self.bias[...])


class Embedding(nnx.Module):
    """Rows of a table, normal of standard deviation `scale`."""

    def __init__(self, rows: int, width: int, *, scale: float, rngs: nnx.Rngs):
        self.table = nnx.Param(scale * jax.random.normal(rngs.params(), (rows, width)))

    def __call__(self, positions: jax.Array) -> jax.Array:
        """Returns float32 [..., width] for int32 `positions` [...]; a position past the table gives NaN, not its last row."""
        return jnp.take(self.table[...], positions, axis=0, mode="fill")


class Attention(nnx.Module):
    """Multi-head self-attention (Vaswani et al. 2017): softmax(q k^T / sqrt(head width)) v, projected."""

    def __init__(self, width: int, heads: int, *, dropout: float, scale: float, compute_dtype: str, rngs: nnx.Rngs):
        linear = functools.partial(Linear, width, width, scale=scale, compute_dtype=compute_dtype, rngs=rngs)
        self.query, self.key, self.value, self.output = linear(), linear(), linear(), linear()
        self.heads = heads
        self.dropout = dropout
        self.precision = ATTENTION_PRECISIONS[compute_dtype]

    def __call__(self, x: jax.Array, mask: jax.Array, *, key: jax.Array | None = None) -> jax.Array:
        """Returns float32 [B, T, D].

        Args:
          x: float32 [B, T, D].
          mask: bool, broadcastable to [B, heads, T, T]: whether a position (third axis) may attend to another (fourth).
          key: for dropout on the probabilities.
        """
        query, keys, value = (self._split(project(x)) for project in (self.query, self.key, self.value))
        scores = jnp.matmul(query, keys.mT, precision=self.precision) * query.shape[-1] ** -0.5
        # The least float and not -inf: a row that is all padding stays finite.
        scores = jnp.where(mask, scores, jnp.finfo(scores.dtype).min)
        probabilities = dropout(jax.nn.softmax(scores), self.dropout, key)
        mixed = jnp.matmul(probabilities, value, precision=self.precision)
        return self.output(mixed.swapaxes(1, 2).reshape(x.shape))

    def _split(self, x):
        # Heads before positions: with them behind, the products take three times as long on a CPU.
        return x.reshape(*x.shape[:2], self.heads, -1).swapaxes(1, 2)


class MLP(nnx.Module):
    """activation(x W1 + b1) W2 + b2."""

    def __init__(self, width: int, hidden: int, *, activation: str, scale: float, compute_dtype: str, rngs: nnx.Rngs):
        linear = functools.partial(Linear, scale=scale, compute_dtype=compute_dtype, rngs=rngs)
        self.expand = linear(width, hidden)
        self.contract = linear(hidden, width)
        self.activation = activation

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns float32 of the shape of `x`."""
        return self.contract(ACTIVATIONS[self.activation](self.expand(x)))
