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
from gotd_jax.training.base_model import BaseModel, check_length, keep_trained
from gotd_jax.training.pre_finetune import pre_finetune
from gotd_jax.training.recipe import Recipe


@dataclasses.dataclass(frozen=True, eq=False)
class TargetLosses:
    """The losses that the method loss_difference reads.

    Attributes:
      start: the language model.
      recipe: of its training on a target; losses are read at its `max_length`.
      seed: of the training, and of the tokens that a masked language model has to guess.
      work: where losses and models are kept.
    """

    start: BaseModel
    recipe: Recipe
    seed: int
    work: Path

    def published(self) -> Loaded:
        """Returns the language model as it was published.

        Raises:
          ValueError: the model does not exist, or reads fewer tokens than are asked for.
        """
        model = load_language_model(self.start.model, seed=self.seed)
        check_length(model, self.recipe.max_length)
        return model

    def before_and_after(self, pool: Corpus, target: Corpus, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns the mean loss per token of every text of the pool before and after training, nats, float32 [n] each.

        The model before has a head trained on the pool, if it lacked one, so that both differ by the target alone.

        Args:
          pool: n texts.
          target: m texts.
          name: of the target, for a person who looks into `work`.
        """
        trained = functools.partial(self._trained, pool, target, name)
        before = self.before(pool)
        return before, self._losses(pool, trained, name, self.settings(pool) | {"target": target.fingerprint})

    def before(self, pool: Corpus) -> np.ndarray:
        """Returns the mean loss per token of every text of the pool before any training on a target, nats, float32 [n]."""
        untrained = functools.partial(self.start.load, pool, self.work)
        return self._losses(pool, untrained, "before", self.start.settings(pool))

    def settings(self, pool: Corpus) -> dict:
        """Returns the settings that the losses of a pool depend on besides the target, JSON-like."""
        return {"start": self.start.settings(pool), "recipe": dataclasses.asdict(self.recipe), "seed": self.seed}

    def _trained(self, pool: Corpus, target: Corpus, name: str) -> Loaded:
        settings = self.settings(pool) | {"target": target.fingerprint}

        def make(folder: Path) -> None:
            model = self.start.load(pool, self.work)
            train = functools.partial(pre_finetune, model, target, self.recipe, seed=self.seed, label="training on the target")
            keep_trained(folder, model, train)

        folder = self.work / "target_models" / f"{name}-{fingerprint(settings)}"
        made = stage(folder, settings, make, kind="target_models", step="losses")
        return load_language_model(made / "model", compute_dtype=self.start.compute_dtype)

    def _losses(self, pool: Corpus, load: Callable[[], Loaded], name: str, of_model: dict) -> np.ndarray:
        """Returns the losses of a pool, kept under `name`, by the model that `load` returns; its settings are `of_model`."""
        settings = {"pool": pool.fingerprint, "max_length": self.recipe.max_length, "mask_seed": self.seed, "model": of_model}

        def make(partial: Path) -> None:
            losses = text_losses.losses(load(), pool, max_length=self.recipe.max_length, seed=self.seed, folder=partial)
            np.save(partial / "losses.npy", losses)
            for block in partial.glob("losses-*.npy"):
                block.unlink()

        folder = self.work / "losses" / f"{name}-{fingerprint(settings)}"
        return np.load(stage(folder, settings, make, kind="losses", step="losses") / "losses.npy")
