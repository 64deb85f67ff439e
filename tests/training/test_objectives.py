import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from gotd_jax.training.batches import LabelledBatches
from gotd_jax.training.recipe import Recipe
from tests.marks import others_slow
from tests.training.small import labelled_run, masked_run, random_tokens


@functools.cache
def loss_and_gradient(objective):
    return jax.jit(jax.value_and_grad(objective, has_aux=True))


@functools.partial(jax.jit, static_argnums=0)
def outputs_of(definition, params, batch, *positions):
    return nnx.merge(definition, params)(batch["ids"], batch["mask"], batch["types"], *positions)


def assert_trees_close(ours, theirs, atol):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=atol), ours, theirs)


@pytest.mark.parametrize("outputs", others_slow(3, 1))
def test_a_ragged_batch_has_the_gradient_of_the_mean_over_its_real_rows(outputs):
    objective, params, _, _ = labelled_run(outputs=outputs)
    tokens, labels = random_tokens(5), np.arange(5) % 3
    labels = labels.astype(np.int32 if outputs > 1 else np.float32)
    ragged = LabelledBatches(tokens, labels, Recipe(batch_size=8, max_length=24), 0)[0]
    whole = LabelledBatches(tokens, labels, Recipe(batch_size=5, max_length=24), 0)[0]
    assert ragged["ids"].shape[0] == 8 and whole["ids"].shape[0] == 5
    (_, _), ours = loss_and_gradient(objective)(params, ragged, None)
    (_, _), theirs = loss_and_gradient(objective)(params, whole, None)
    assert_trees_close(ours, theirs, atol=1e-6)


def test_masked_loss_is_the_mean_cross_entropy_of_the_masked_tokens():
    objective, params, batches, _ = masked_run()
    batch = batches[0]
    (loss, metrics), _ = loss_and_gradient(objective)(params, batch, None)
    everywhere = outputs_of(objective.definition, params, batch, jnp.arange(batch["ids"].size))
    log_shares = np.asarray(everywhere - jax.nn.logsumexp(everywhere, axis=1, keepdims=True))
    count = int(batch["weights"].sum())
    places, labels = batch["positions"][:count], batch["labels"][:count]
    assert 0 < count < len(batch["weights"])
    np.testing.assert_allclose(loss, -np.mean(log_shares[places, labels]), rtol=1e-5)
    np.testing.assert_allclose(metrics["accuracy"], np.mean(log_shares[places].argmax(1) == labels), rtol=1e-6)


@pytest.mark.slow
def test_regression_is_the_mean_squared_error():
    objective, params, batches, _ = labelled_run(outputs=1)
    batch = batches[0]
    (loss, _), _ = loss_and_gradient(objective)(params, batch, None)
    output = outputs_of(objective.definition, params, batch)[:, 0]
    np.testing.assert_allclose(loss, np.mean((output - batch["labels"]) ** 2), rtol=1e-6)


def test_a_batch_without_a_masked_token_has_loss_zero_and_gradient_zero():
    objective, params, batches, _ = masked_run()
    batch = batches[0] | {"weights": np.zeros_like(batches[0]["weights"])}
    (loss, _), gradient = loss_and_gradient(objective)(params, batch, None)
    assert loss == 0
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(gradient))


@pytest.mark.slow
def test_dropout_acts_with_a_key_and_not_without():
    objective, params, batches, _ = masked_run()
    keys = (None, None, jax.random.key(0), jax.random.key(1))
    losses = {float(loss_and_gradient(objective)(params, batches[0], key)[0][0]) for key in keys}
    assert len(losses) == 3
