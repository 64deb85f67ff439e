"""The losses that a cell's method may read: of the model before and after light training on the target."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments import training
from gotd_jax.data.corpus import Corpus
from gotd_jax.pipeline.losses import TargetLosses
from gotd_jax.training.recipe import Recipe


def asked_for(pool: Corpus, target: Corpus, config, workdir: Path) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Returns the function without arguments that returns the losses of `pool`, nats a token, float32 [n] before and after.

    They are made when it is first called, once a pool, target, model and recipe. The seed is the task's: one pair of models
    serves all cells.
    """
    return functools.partial(_losses(config, workdir).before_and_after, pool, target, config.task.name)


def settings(pool: Corpus, config) -> dict:
    """Returns what the losses depend on beside the target."""
    return _losses(config, Path()).settings(pool)


def _losses(config, workdir: Path) -> TargetLosses:
    return TargetLosses(training.start(config), Recipe(**config.loss_difference), config.task.seed, workdir)
