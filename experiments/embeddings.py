"""Embeddings as a step of a cell: the encoder, fine-tuned on the task where asked for, and what it makes of a corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments import inputs
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.embed import embed
from gotd_jax.models import folders, named, published
from gotd_jax.models.published import Loaded
from gotd_jax.training.finetune import finetune
from gotd_jax.training.finetune import settings as task_settings
from gotd_jax.training.recipe import Recipe
from gotd_jax.training.starting import keep_trained


def embedded(corpus: Corpus, config, workdir: Path) -> np.ndarray:
    """Returns the embeddings of `corpus` by the config's encoder, float32 [n, d], memory-mapped.

    They lie where texts, encoder and reading say, whatever config asks for them: an encoder that was fine-tuned has embeddings
    of its own.
    """
    encoder, settings = _encoder(config, workdir), config.embed
    reading = {name: settings[name] for name in ("max_length", "pooling", "normalise")}
    made_by = [encoder.fingerprint, folders.instructions(encoder.source), reading]
    return embed(corpus, encoder, workdir / "embeddings" / fingerprint([corpus.fingerprint, made_by]), **reading)


def encoder_settings(config) -> dict:
    """Returns what embeddings depend on: with an encoder fine-tuned on the task first, on the labelled task as well."""
    settings = config.embed.to_dict() | {"weights": named.fingerprint_of(config.embed.model)}
    recipe = settings.pop("finetune")
    if config.embed.finetuned:
        settings["task"] = task_settings(inputs.task(config), Recipe(**recipe)) | {"seed": config.task.seed}
    return settings


def _encoder(config, workdir: Path) -> Loaded:
    encoder = _finetuned(config, workdir) if config.embed.finetuned else named.folder_of(config.embed.model)
    return named.encoder(encoder, layers=config.embed.layers, compute_dtype=config.embed.compute_dtype)


def _finetuned(config, workdir: Path) -> Path:
    """Returns the folder of the encoder after supervised training on the task (App. C.2)."""
    settings = encoder_settings(config)

    def make(partial: Path) -> None:
        task = inputs.task(config)
        base = named.folder_of(config.embed.model)
        model = published.load(base, "classifier", outputs=task.outputs, seed=config.task.seed)
        recipe = Recipe(**config.embed.finetune)
        keep_trained(partial, model, lambda **where: finetune(model, task, recipe, seed=config.task.seed, **where))

    folder = workdir / "encoders" / f"{config.task.name}-{fingerprint(settings)}"
    return stage(folder, settings, make, kind="encoders") / "model"
