"""Embeddings as a step of a cell: the encoder, fine-tuned on the task where asked for, and what it makes of a corpus."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments import inputs
from gotd_jax import models
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import READ_EMBEDDINGS
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.training.base_model import keep_trained
from gotd_jax.training.finetune import finetune
from gotd_jax.training.finetune import settings as task_settings
from gotd_jax.training.recipe import Recipe


def embedded(corpus: Corpus, config, workdir: Path) -> np.ndarray:
    """Returns the embeddings of `corpus` by the config's encoder, float32 or float16 [n, d], memory-mapped."""
    return embedder(config, workdir).of(corpus)


def embedder(config, workdir: Path, *, finetuned: bool = True) -> Embedder:
    """Returns the config's encoder, fine-tuned on the task where it asks for that and `finetuned` does not say otherwise.

    Texts become vectors as the config says, or as the folder of its model says where pooling is 'folder'; what every text is
    begun with is the folder's in any case.
    """
    settings = config.embed
    asked = {} if settings.pooling == "folder" else {"pooling": settings.pooling, "normalise": settings.normalise}
    model = _finetuned(config, workdir) if finetuned and settings.finetuned else settings.model
    return Embedder(
        model,
        workdir,
        layers=settings.layers,
        max_length=settings.max_length,
        compute_dtype=settings.compute_dtype,
        dtype=settings.dtype,
        **asked,
    )


def read(corpora: Mapping[str, Corpus], config, workdir: Path) -> dict[str, dict[str, int]]:
    """Returns `Coverage.summary` of each of `corpora` that was embedded for the config's method; {} where it reads none."""
    if config.method not in READ_EMBEDDINGS:
        return {}
    encoder = embedder(config, workdir)
    covered = {name: encoder.covered(corpus) for name, corpus in corpora.items()}
    return {name: found.summary() for name, found in covered.items() if found is not None}


def encoder_settings(config) -> dict:
    """Returns what embeddings depend on: with an encoder fine-tuned on the task first, on the labelled task as well."""
    how = dataclasses.asdict(embedder(config, Path(), finetuned=False).how)
    settings = config.embed.to_dict() | {"how": how} | _finetuning_settings(config)
    del settings["finetune"]
    return settings


def _finetuning_settings(config) -> dict:
    """Returns what the encoder depends on, however texts are read and vectors kept."""
    settings = {"weights": models.fingerprint_of(config.embed.model)}
    if config.embed.finetuned:
        settings["task"] = task_settings(inputs.task(config), Recipe(**config.embed.finetune)) | {"seed": config.task.seed}
    return settings


def _finetuned(config, workdir: Path) -> Path:
    """Returns the folder of the encoder after supervised training on the task (App. C.2)."""
    settings = _finetuning_settings(config)

    def make(partial: Path) -> None:
        task = inputs.task(config)
        base = models.folder_of(config.embed.model)
        model = models.load(base, "classifier", outputs=task.outputs, seed=config.task.seed)
        recipe = Recipe(**config.embed.finetune)
        keep_trained(partial, model, lambda **where: finetune(model, task, recipe, seed=config.task.seed, **where))

    folder = workdir / "encoders" / f"{config.task.name}-{fingerprint(settings)}"
    return stage(folder, settings, make, kind="encoders", step="embed") / "model"
