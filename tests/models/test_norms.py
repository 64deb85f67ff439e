"""The norms' gradients, which have a rule of their own, are those of the formulas."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from gotd_jax.models.norms import LayerNorm, RMSNorm


def _layer_norm(x, params):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / jnp.sqrt(variance + 1e-5) * params["scale"] + params["bias"]


def _rms_norm(x, params):
    return x / jnp.sqrt(jnp.square(x).mean(-1, keepdims=True) + 1e-5) * params["scale"]


@pytest.mark.parametrize(
    "norm, formula, names", [(LayerNorm, _layer_norm, ("scale", "bias")), (RMSNorm, _rms_norm, ("scale",))]
)
def test_a_norm_and_its_gradients_are_those_of_the_formula(norm, formula, names):
    random = np.random.default_rng(0)
    x, along = random.standard_normal((2, 3, 5, 8), np.float32)
    params = {name: random.standard_normal(8, np.float32) for name in names}
    definition = nnx.split(norm(8, 1e-5))[0]

    def total(function, x, params):
        return jnp.sum(along * function(x, params))

    def module(x, params):
        return nnx.merge(definition, nnx.State({name: nnx.Param(value) for name, value in params.items()}))(x)

    found, wanted = (jax.value_and_grad(functools.partial(total, of), argnums=(0, 1))(x, params) for of in (module, formula))
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=2e-5, atol=2e-6), found, wanted)
