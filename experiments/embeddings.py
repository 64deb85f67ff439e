"""The encoder of a cell, fine-tuned on its task where the config asks for that."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from gotd_jax import models
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.tasks import Task
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.training.base_model import keep_trained
from gotd_jax.training.finetune import finetune
from gotd_jax.training.finetune import settings as task_settings
from gotd_jax.training.recipe import Recipe


def embedder(config, workdir: Path, task: Task | None = None) -> Embedder:
    """Returns the config's encoder, after supervised training on `task` where one is given.

    Texts become vectors as the config says, or as the folder of its model says where pooling is 'folder'; the prompt before
    every text is the folder's in any case.
    """
    settings = config.embed
    asked = {} if settings.pooling == "folder" else {"pooling": settings.pooling, "normalise": settings.normalise}
    return Embedder(
        settings.model if task is None else _finetuned(config, workdir, task),
        workdir,
        layers=settings.layers,
        max_length=settings.max_length,
        compute_dtype=settings.compute_dtype,
        dtype=settings.dtype,
        **asked,
    )


def settings(config, task: Task | None) -> dict:
    """Returns the settings that embeddings depend on beside the texts: with an encoder fine-tuned first, its task as well."""
    how = dataclasses.asdict(embedder(config, Path()).how)
    found = config.embed.to_dict() | {"how": how} | _encoder_settings(config, task)
    del found["finetune"]
    return found


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
