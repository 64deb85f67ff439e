import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gotd_jax.training.loop import train
from gotd_jax.training.optimiser import AdamW, decays
from gotd_jax.training.recipe import Recipe
from tests.training.small import masked_run


class Quadratic:
    """Half the squared distance of each parameter from the batch's mean row, for which gradients are known in closed form."""

    def __call__(self, params, batch, key):
        gap = jax.tree.map(lambda parameter: parameter - batch["goal"].mean(), params)
        return 0.5 * sum(jnp.vdot(part, part) for part in jax.tree.leaves(gap)), {}


class Goals:
    steps_per_epoch = 12
    fingerprint = "goals"

    def __len__(self):
        return 12

    def __getitem__(self, step):
        return {"goal": np.full((8, 1), 0.1 * step, np.float32), "mask": np.ones((8, 1), bool)}


PARAMS = {
    "matrix": {"kernel": jnp.array([[1.0, -2.0], [0.5, 3.0]])},
    "norm": {"scale": jnp.array([1.0, 0.7]), "bias": jnp.array([0.1])},
}


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
@pytest.mark.parametrize("warmup_share", [0.0, 0.3])
def test_training_equals_optax_adamw_with_its_own_schedule(clip_norm, warmup_share):
    recipe = Recipe(learning_rate=0.05, weight_decay=0.3, beta2=0.95, clip_norm=clip_norm, warmup_share=warmup_share)
    trained = train(Quadratic(), PARAMS, Goals(), recipe, seed=0)

    schedule = optax.linear_schedule(0.05, 0.0, 12)
    if warmup_share:  # 4 of 12 steps: 3.6 rounded up
        schedule = optax.join_schedules([optax.linear_schedule(0.0, 0.05, 4), optax.linear_schedule(0.05, 0.0, 8)], [4])
    reference = optax.adamw(schedule, b2=0.95, weight_decay=0.3, mask={"matrix": True, "norm": False})
    if clip_norm:
        reference = optax.chain(optax.clip_by_global_norm(clip_norm), reference)
    params, state = PARAMS, reference.init(PARAMS)
    for step in range(12):
        gradient = jax.grad(lambda params, batch: Quadratic()(params, batch, None)[0])(params, Goals()[step])
        updates, state = reference.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
    jax.tree.map(lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=1e-7), trained, params)


def test_first_step_is_the_learning_rate_along_the_signs_and_the_decay():
    transformation = AdamW(0.9, 0.999, 0.0, weight_decay=0.5, clip_norm=0.0).transformation()
    params = {"kernel": jnp.array([[2.0, -4.0]]), "bias": jnp.array([2.0])}
    gradient = {"kernel": jnp.array([[0.3, -7.0]]), "bias": jnp.array([-0.01])}
    direction, _ = transformation.update(gradient, transformation.init(params), params)
    np.testing.assert_allclose(direction["kernel"], [[1 + 0.5 * 2, -1 - 0.5 * 4]], rtol=1e-5)
    np.testing.assert_allclose(direction["bias"], [-1.0], rtol=1e-5)


def test_a_gradient_longer_than_the_clip_norm_is_shortened_to_it():
    # Adam forgets a gradient's length, except beside epsilon: d = g / (|g| + epsilon) at the first step.
    transformation = AdamW(0.9, 0.999, 1.0, weight_decay=0.0, clip_norm=1.0).transformation()
    params = {"kernel": jnp.zeros((1, 2))}
    direction, _ = transformation.update({"kernel": jnp.array([[3.0, 4.0]])}, transformation.init(params), params)
    np.testing.assert_allclose(direction["kernel"], [[0.6 / 1.6, 0.8 / 1.8]], rtol=1e-5)


def test_matrices_and_embeddings_decay_and_biases_and_layer_norms_do_not():
    _, params, _, _ = masked_run()
    decaying = {jax.tree_util.keystr(path): bool(decay) for path, decay in jax.tree.leaves_with_path(decays(params))}
    assert {name for name, decay in decaying.items() if decay} == {
        name for name in decaying if name.endswith("['kernel']") or name.endswith("['table']")
    }
    assert {name.split("'")[-2] for name, decay in decaying.items() if not decay} == {"bias", "scale"}
