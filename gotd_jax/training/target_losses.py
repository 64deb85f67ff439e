"""A pool's losses under a language model before and after light training on a target, each made once and kept."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation import text_losses
from gotd_jax.models.loading import load_language_model
from gotd_jax.models.model import Loaded
from gotd_jax.training.base_model import BaseModel, keep_trained
from gotd_jax.training.pre_finetune import pre_finetune
from gotd_jax.training.recipe import Recipe


def before_and_after(
    pool: Corpus, target: Corpus, base: BaseModel, recipe: Recipe, *, seed: int, name: str, work: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean loss per token of every text of the pool before and after training on the target, nats, float32 [n].

    Before is the model with a trained head, if it lacked one, so that both differ by the target alone.

    Args:
      pool: n texts.
      target: m texts.
      base: the model.
      recipe: of the training; losses are read at its `max_length`.
      seed: of the training, and of the tokens that a masked language model has to guess.
      name: of the target, for a person who looks into `work`.
      work: where losses and models are kept.
    """
    made_of = settings(pool, base, recipe, seed)
    untrained = functools.partial(base.load, pool, work)
    trained = functools.partial(_trained, pool, target, base, recipe, seed, name, work)
    asked = {"length": recipe.max_length, "seed": seed, "folder": work / "losses"}
    return (
        _losses(pool, untrained, "before", base.settings(pool), **asked),
        _losses(pool, trained, name, made_of | {"target": target.fingerprint}, **asked),
    )


def settings(pool: Corpus, base: BaseModel, recipe: Recipe, seed: int) -> dict:
    """Returns the settings that the losses of a pool depend on beside the target, JSON-like."""
    return {"start": base.settings(pool), "recipe": dataclasses.asdict(recipe), "seed": seed}


def _trained(pool: Corpus, target: Corpus, base: BaseModel, recipe: Recipe, seed: int, name: str, work: Path) -> Loaded:
    made_of = settings(pool, base, recipe, seed) | {"target": target.fingerprint}

    def make(folder: Path) -> None:
        model = base.load(pool, work)
        train = functools.partial(pre_finetune, model, target, recipe, seed=seed, what="training on the target")
        keep_trained(folder, model, train)

    folder = stage(work / "target_models" / f"{name}-{fingerprint(made_of)}", made_of, make, kind="target_models")
    return load_language_model(folder / "model", compute_dtype=base.compute_dtype)


def _losses(
    pool: Corpus, load: Callable[[], Loaded], name: str, made_of: dict, *, length: int, seed: int, folder: Path
) -> np.ndarray:
    made_of = {"pool": pool.fingerprint, "max_length": length, "mask_seed": seed, "model": made_of}

    def make(partial: Path) -> None:
        losses = text_losses.losses(load(), pool, max_length=length, seed=seed, folder=partial)
        np.save(partial / "losses.npy", losses)
        for block in partial.glob("losses-*.npy"):
            block.unlink()

    return np.load(stage(folder / f"{name}-{fingerprint(made_of)}", made_of, make, kind="losses") / "losses.npy")
