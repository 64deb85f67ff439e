"""The encoder of a cell, fine-tuned on its task where the config asks for that."""

from __future__ import annotations

from pathlib import Path

from gotd_jax import models
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.tasks import Task
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.training.base_model import keep_trained
from gotd_jax.training.finetune import finetune
from gotd_jax.training.finetune import settings as task_settings
from gotd_jax.training.recipe import Recipe
from gotd_jax.training.text_gradients import GRADIENT


def embedder(config, workdir: Path, task: Task | None = None) -> Embedder:
    """Returns the config's encoder, after supervised training on `task` where one is given.

    Texts become vectors as the config says, or as the folder of its model says where pooling is 'folder'; the prompt before
    every text is the folder's in any case.
    """
    asked = {name: value for name, value in config.embed.to_dict().items() if name not in ("finetune", "finetuned")}
    if config.embed.finetuned and config.embed.pooling == GRADIENT:
        raise ValueError("An encoder fine-tuned on the task has no loss of texts. Set --config.embed.finetuned=False.")
    asked |= {"model": asked["model"] if task is None else _finetuned(config, workdir, task)}
    asked |= {"pooling": None if asked["pooling"] == "folder" else asked["pooling"]}
    head = {"head": Recipe(**config.head.recipe), "head_texts": config.head.chunks, "seed": config.pool.seed}
    return Embedder(work=workdir, **asked, **head)


def settings(config, task: Task | None) -> dict:
    """Returns the settings that embeddings depend on beside texts and pool: with an encoder fine-tuned first, its task too."""
    found = embedder(config, Path()).settings | {"finetuned": config.embed.finetuned}
    return found | _encoder_settings(config, task)


def _encoder_settings(config, task: Task | None) -> dict:
    found = {"weights": models.fingerprint_of(config.embed.model)}
    if task is not None:
        found["task"] = task_settings(task, Recipe(**config.embed.finetune)) | {"seed": config.task.seed}
    return found


def _finetuned(config, workdir: Path, task: Task) -> Path:
    """Returns the folder of the encoder after supervised training on the task (App. C.2)."""
    made_of = _encoder_settings(config, task)

    def make(partial: Path) -> None:
        model = models.load(config.embed.model, "classifier", outputs=task.outputs, seed=config.task.seed)
        recipe = Recipe(**config.embed.finetune)
        keep_trained(partial, model, lambda **where: finetune(model, task, recipe, seed=config.task.seed, **where))

    folder = workdir / "encoders" / f"{config.task.name}-{fingerprint(made_of)}"
    return stage(folder, made_of, make, kind="encoders", step="embed") / "model"
