"""The pool's losses as a step of a cell: of the model before and after light training on the target, made only if asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments import models, training
from gotd_jax.artifacts import fingerprint, stage, whole_file
from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation import text_losses
from gotd_jax.models import named
from gotd_jax.models.model import Loaded
from gotd_jax.training.pre_finetune import pre_finetune
from gotd_jax.training.recipe import Recipe


def asked_for(pool: Corpus, target: Corpus, config, workdir: Path) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Returns the function without arguments that returns the losses of `pool`, nats a token, float32 [n] before and after.

    They are made when it is first called, once a pool, target, model and recipe. A masked-LM head that the model lacks is
    warmed up first, on texts of the pool, so that before and after differ by the target alone.
    """
    return functools.partial(_before_and_after, pool, target, config, workdir)


def settings(config) -> dict:
    """Returns what the losses depend on beside the texts. The seed is the task's: one pair of models serves all cells."""
    found = {
        "model": models.model_fingerprint(config.model),
        "compute_dtype": config.compute_dtype,
        "recipe": config.loss_difference.to_dict(),
        "seed": config.task.seed,
    }
    if named.is_causal(named.folder_of(config.model)):
        return found
    return found | {"head": config.head.to_dict(), "head_seed": config.pool.seed}


def _before_and_after(pool: Corpus, target: Corpus, config, workdir: Path) -> tuple[np.ndarray, np.ndarray]:
    made_of = {"pool": pool.fingerprint, "target": target.fingerprint, **settings(config)}

    def make(folder: Path) -> None:
        _score(folder / "before.npy", lambda: training.language_model(pool, config, workdir), pool, config)
        _score(folder / "after.npy", lambda: _trained(pool, target, config, workdir), pool, config)

    folder = stage(workdir / "losses" / f"{config.task.name}-{fingerprint(made_of)}", made_of, make)
    return np.load(folder / "before.npy"), np.load(folder / "after.npy")


def _trained(pool: Corpus, target: Corpus, config, workdir: Path) -> Loaded:
    """Returns the model after training on the target."""
    made_of = {"target": target.fingerprint, **settings(config)}
    if "head" in made_of:
        made_of["head_texts"] = pool.fingerprint

    def make(folder: Path) -> None:
        model, recipe = training.language_model(pool, config, workdir), Recipe(**config.loss_difference)
        train = functools.partial(pre_finetune, model, target, recipe, seed=config.task.seed, what="training on the target")
        training.keep_trained(folder, model, train)

    folder = stage(workdir / "target_models" / f"{config.task.name}-{fingerprint(made_of)}", made_of, make)
    return named.language_model(folder / "model", compute_dtype=config.compute_dtype)


def _score(path: Path, load: Callable[[], Loaded], pool: Corpus, config) -> None:
    """Writes a model's losses of the pool, unless an attempt that was stopped later has left them."""
    if path.exists():
        return
    losses = text_losses.losses(load(), pool, max_length=config.loss_difference.max_length, seed=config.task.seed)
    with whole_file(path) as partial, open(partial, "wb") as file:
        np.save(file, losses)
