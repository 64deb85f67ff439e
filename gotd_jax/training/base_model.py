"""The language model that a training starts from, with a head to train, and the folder that a trained model is kept in."""

from __future__ import annotations

import dataclasses
import functools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.sampling import drawn
from gotd_jax.models.loading import fingerprint_of, is_causal, load_language_model
from gotd_jax.models.model import Loaded
from gotd_jax.models.saving import save
from gotd_jax.training.pre_finetune import train_head
from gotd_jax.training.recipe import Recipe

HEAD = Recipe(learning_rate=1e-3, max_length=128)
HEAD_TEXTS = 2000


@dataclasses.dataclass(frozen=True)
class BaseModel:
    """A published language model; a masked-LM head that it lacks is trained first on texts of a pool that no method chose.

    Attributes:
      model: a Hugging Face folder or hub name, or a packaged model.
      head: how a fresh head is trained, with the body frozen.
      head_texts: number of texts of the pool that the head is trained on, at most.
      seed: samples these texts, and initialises the head.
      compute_dtype: 'float32' or 'bfloat16'.
    """

    model: str | os.PathLike
    head: Recipe = HEAD
    head_texts: int = HEAD_TEXTS
    seed: int = 0
    compute_dtype: str = "float32"

    def settings(self, pool: Corpus) -> dict:
        """Returns the settings that the model depends on, JSON-like, without loading it."""
        found = {"model": fingerprint_of(self.model), "compute_dtype": self.compute_dtype}
        if is_causal(self.model):
            return found
        head = {"recipe": dataclasses.asdict(self.head), "texts": self.head_texts, "seed": self.seed}
        return found | {"head": head | {"pool": pool.fingerprint}}

    def load(self, pool: Corpus, work: Path) -> Loaded:
        """Returns the model with a head: its own, or a fresh head that is trained once and kept in `work/heads`."""
        load = functools.partial(load_language_model, compute_dtype=self.compute_dtype)
        model = load(self.model, seed=self.seed)
        if not model.fresh:
            return model

        def make(folder: Path) -> None:
            texts = pool.take(drawn(len(pool), self.head_texts, self.seed))
            keep_trained(folder, model, functools.partial(train_head, model, texts, self.head, seed=self.seed))

        settings = self.settings(pool)
        return load(
            stage(work / "heads" / f"masked_lm-{fingerprint(settings)}", settings, make, kind="heads", step="pre_finetune")
            / "model"
        )


def check_length(model: Loaded, max_length: int) -> None:
    """Raises ValueError if a model cannot read `max_length` tokens at once."""
    if max_length > model.config.max_length:
        raise ValueError(f"max_length is {max_length} tokens, and the model reads at most {model.config.max_length}. Lower it.")


def keep_trained(folder: Path, model: Loaded, train: Callable[..., dict]) -> None:
    """Writes the model, with the parameters that `train` returns, into a stage's folder; a stopped training resumes."""
    if not (folder / "model").exists():
        params = train(folder=folder / "training", save_last=False)
        save(folder / "model", model, params)
    shutil.rmtree(folder / "training", ignore_errors=True)
