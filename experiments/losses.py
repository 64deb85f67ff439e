"""The pool's losses as a step of a cell: of the model before and after light training on the target, made only if asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments import training
from gotd_jax.data.corpus import Corpus
from gotd_jax.training import target_losses
from gotd_jax.training.recipe import Recipe


def asked_for(pool: Corpus, target: Corpus, config, workdir: Path) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Returns the function without arguments that returns the losses of `pool`, nats a token, float32 [n] before and after.

    They are made when it is first called, once a pool, target, model and recipe. The seed is the task's: one pair of models
    serves all cells.
    """
    recipe, seed, name = Recipe(**config.loss_difference), config.task.seed, config.task.name
    options = {"seed": seed, "name": name, "work": workdir}
    return functools.partial(target_losses.before_and_after, pool, target, training.start(config), recipe, **options)


def settings(pool: Corpus, config) -> dict:
    """Returns what the losses depend on beside the target."""
    return target_losses.settings(pool, training.start(config), Recipe(**config.loss_difference), config.task.seed)
