"""One step of training, compiled: the gradient, accumulated over parts of the batch if asked, and the optimiser's update."""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from gotd_jax import devices
from gotd_jax.training.optimiser import AdamW


@functools.lru_cache(maxsize=16)
def compiled_step(objective: Callable, optimiser: AdamW, parts: int = 1, shard_weights: bool = False) -> Callable:
    """Returns `(state, frozen, batch, key, learning_rate) -> (state, metrics)`, which donates the state it is called with.

    Args:
      objective: as for `train`.
      optimiser: turns the gradient into a direction.
      parts: number of parts of the batch; where there are several, its arrays have a first axis over them.
      shard_weights: whether the state is laid over the devices or whole on each.
    """
    transformation = optimiser.transformation()

    # The state before a step is donated to the state after it, so that they never take memory together.
    @functools.partial(jax.jit, donate_argnums=0)
    def take_step(state: dict, frozen: dict, batch: dict, key: jax.Array | None, learning_rate: jax.Array):
        def loss_of(trained, batch, key):
            return objective({**frozen, **trained}, batch, key)

        differentiate = jax.value_and_grad(loss_of, has_aux=True)
        if parts == 1:
            (loss, metrics), gradient = differentiate(state["params"], batch, key)
        else:
            (loss, metrics), gradient = _accumulated(differentiate, objective.weight, state["params"], batch, key, parts)
        gradient = with_placement(gradient, shard_weights)
        direction, moments = transformation.update(gradient, state["moments"], state["params"])
        moved = jax.tree.map(lambda parameter, along: parameter - learning_rate * along, state["params"], direction)
        metrics = {"loss": loss, **metrics, "gradient_norm": optax.tree.norm(gradient)}
        return with_placement({"params": moved, "moments": moments}, shard_weights), metrics

    return take_step


@functools.lru_cache(maxsize=16)
def compiled_start(optimiser: AdamW, shard_weights: bool = False) -> Callable:
    """Returns `parameters -> moments` before the first step; never whole on a device where they are laid over all."""
    transformation = optimiser.transformation()
    return jax.jit(lambda params: with_placement(transformation.init(params), shard_weights))


def placed(tree, shard_weights: bool):
    """Returns copies of a tree's arrays, each device with its share of them or with the whole."""
    return jax.tree.map(lambda array: jax.device_put(array, _placement(array, shard_weights), may_alias=False), tree)


def with_placement(tree, shard_weights: bool):
    """Returns a tree that is computed in a program, laid over the devices as by `placed`."""
    return jax.tree.map(lambda array: jax.lax.with_sharding_constraint(array, _placement(array, shard_weights)), tree)


def _placement(array, shard_weights):
    return devices.shared_out(array.shape) if shard_weights else devices.replicated()


def _accumulated(differentiate, weight_of, params, batch, key, parts):
    """Returns the result of `differentiate` for the whole batch, from its parts, each counted by its weight."""

    def add(sums, part):
        number, batch = part
        weight = weight_of(batch)
        found = differentiate(params, batch, None if key is None else jax.random.fold_in(key, number))
        return jax.tree.map(lambda total, one: total + weight * one, sums, (found, 1.0)), None

    first = jax.tree.map(lambda array: array[0], batch)
    shapes = jax.eval_shape(differentiate, params, first, key)
    zeros = jax.tree.map(lambda like: jnp.zeros(like.shape, like.dtype), (shapes, jax.ShapeDtypeStruct((), jnp.float32)))
    (sums, weight), _ = jax.lax.scan(add, zeros, (jnp.arange(parts), batch))
    return jax.tree.map(lambda total: total / jnp.maximum(weight, 1.0), sums)
