import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from gotd_jax.models.layers import Attention, Embedding, Linear, dot, dropout, split_key
from gotd_jax.models.norms import LayerNorm

RANDOM = np.random.default_rng(0)


def normal(*shape):
    return jnp.asarray(RANDOM.normal(size=shape), jnp.float32)


@pytest.mark.parametrize("y_axis", [0, 1])
def test_bfloat16_products_and_their_gradients_are_near_the_float32_ones(y_axis):
    x, y, cotangent = normal(7, 16), normal(16, 5), normal(7, 5)
    y = y if y_axis == 0 else y.T
    found, pull = jax.vjp(lambda x, y: dot(x, y, "bfloat16", y_axis), x, y)
    expected, exact_pull = jax.vjp(lambda x, y: x @ (y if y_axis == 0 else y.T), x, y)
    for low, high in zip((found, *pull(cotangent)), (expected, *exact_pull(cotangent))):
        assert low.dtype == jnp.float32 and low.shape == high.shape
        assert 0 < jnp.abs(low - high).max() < 0.05  # 2^-8 of each of 16 products of order 1


def test_bfloat16_products_sum_in_float32():
    # 256 + 1 is 256 in bfloat16, whose step there is 2.
    assert dot(jnp.array([[256.0, 1.0]]), jnp.ones((2, 1)), "bfloat16")[0, 0] == 257.0


def test_linear_of_three_dimensions_is_that_of_each_row():
    linear = Linear(6, 4, scale=1.0, compute_dtype="float32", rngs=nnx.Rngs(0))
    x = normal(2, 3, 6)
    expected = np.stack([np.asarray(row) @ np.asarray(linear.kernel[...]) for row in x])
    np.testing.assert_allclose(linear(x), expected, atol=1e-5)


def test_linear_starts_normal_with_zero_bias():
    linear = Linear(200, 300, scale=0.02, compute_dtype="float32", rngs=nnx.Rngs(0))
    assert abs(float(linear.kernel[...].std()) - 0.02) < 2e-4
    assert not linear.bias[...].any()


def test_layer_norm_has_mean_zero_and_variance_one():
    found = LayerNorm(64, 1e-12)(5.0 + 3.0 * normal(8, 64))
    np.testing.assert_allclose(found.mean(-1), 0, atol=1e-5)
    np.testing.assert_allclose(found.var(-1), 1, atol=1e-5)


def test_embedding_past_its_table_is_nan():
    found = Embedding(4, 2, scale=1.0, rngs=nnx.Rngs(0))(jnp.array([3, 4]))
    assert np.isfinite(found[0]).all() and np.isnan(found[1]).all()


def test_dropout_keeps_the_mean_and_drops_its_share():
    x = jnp.ones((400, 400))
    found = dropout(x, 0.25, jax.random.key(0))
    assert abs(float((found == 0).mean()) - 0.25) < 0.01
    assert abs(float(found.mean()) - 1) < 0.01


def test_dropout_without_key_or_rate_changes_nothing():
    x = normal(3, 3)
    assert dropout(x, 0.5, None) is x
    assert dropout(x, 0.0, jax.random.key(0)) is x


def test_split_keys_differ():
    assert split_key(None, 2) == [None, None]
    one, other = split_key(jax.random.key(0), 2)
    assert (jax.random.key_data(one) != jax.random.key_data(other)).any()


def attention():
    return Attention(12, 3, dropout=0.0, scale=0.5, compute_dtype="float32", rngs=nnx.Rngs(0))


def test_attention_to_one_position_copies_its_value():
    layer, x = attention(), normal(1, 4, 12)
    mask = (jnp.arange(4) == 2)[None, None, None, :]
    expected = layer.output(layer.value(x[:, 2:3]))
    np.testing.assert_allclose(layer(x, mask), jnp.broadcast_to(expected, x.shape), atol=1e-5)


def test_attention_under_a_causal_mask_does_not_see_what_follows():
    layer, x = attention(), normal(1, 5, 12)
    mask = jnp.tril(jnp.ones((5, 5), bool))[None, None]
    changed = x.at[:, 3:].set(normal(1, 2, 12))
    np.testing.assert_allclose(layer(x, mask)[:, :3], layer(changed, mask)[:, :3], atol=1e-6)


def test_attention_of_a_row_of_padding_is_finite_with_finite_gradients():
    layer, x = attention(), normal(2, 4, 12)
    mask = jnp.array([[True] * 4, [False] * 4])[:, None, None, :]
    assert np.isfinite(layer(x, mask)).all()
    assert np.isfinite(jax.grad(lambda x: layer(x, mask).sum())(x)).all()
