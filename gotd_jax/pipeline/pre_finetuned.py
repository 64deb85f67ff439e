"""A language model pre-fine-tuned on a selection, trained once and kept."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.models.loading import fingerprint_of
from gotd_jax.models.lookup import folder_of
from gotd_jax.training.base_model import BaseModel, keep_trained
from gotd_jax.training.pre_finetune import pre_finetune
from gotd_jax.training.recipe import Recipe


@dataclasses.dataclass(frozen=True, eq=False)
class PreFinetuned:
    """A model after training on chosen text; the published model where no text was chosen.

    Attributes:
      start: the model that it begins with.
      chosen: the selection.
      pool: texts on which a missing masked-LM head is trained first, the same for all selections from it.
      recipe: of the training.
      seed: of its order, masks and dropout.
    """

    start: BaseModel
    chosen: Corpus
    pool: Corpus
    recipe: Recipe
    seed: int

    def settings(self) -> dict:
        """Returns the settings that the model depends on, JSON-like."""
        if len(self.chosen) == 0:
            return {"model": fingerprint_of(self.start.model)}
        return {
            "chosen": self.chosen.fingerprint,
            "start": self.start.settings(self.pool),
            "recipe": dataclasses.asdict(self.recipe),
            "seed": self.seed,
        }

    def folder(self, work: Path, label: str) -> Path:
        """Returns the model's Hugging Face folder, made once in `work`.

        It is named after the chosen text and not after the task: tasks with the same chosen text share one model.

        Args:
          work: where models are kept.
          label: begins the name of its folder, for a person who looks into `work`.
        """
        if len(self.chosen) == 0:
            return folder_of(self.start.model)
        settings = self.settings()

        def make(folder: Path) -> None:
            model = self.start.load(self.pool, work)
            keep_trained(folder, model, functools.partial(pre_finetune, model, self.chosen, self.recipe, seed=self.seed))

        folder = work / "pre_finetuned" / f"{label}-{fingerprint(settings)}"
        return stage(folder, settings, make, kind="pre_finetuned", step="pre_finetune") / "model"
