"""Embeddings as a step of a cell: the encoder, fine-tuned on the task where asked for, and what it makes of a corpus."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments import inputs
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.vector_file import kept_coverage
from gotd_jax.embed import check_pooling, embed
from gotd_jax.methods import METHODS
from gotd_jax.models import named, published, sentence_modules
from gotd_jax.models.published import Loaded
from gotd_jax.models.sentence_modules import Instructions
from gotd_jax.training.finetune import finetune
from gotd_jax.training.finetune import settings as task_settings
from gotd_jax.training.recipe import Recipe
from gotd_jax.training.starting import keep_trained


def embedded(corpus: Corpus, config, workdir: Path) -> np.ndarray:
    """Returns the embeddings of `corpus` by the config's encoder, float32 or float16 [n, d], memory-mapped."""
    encoder, how = _encoder(config, workdir), dataclasses.asdict(instructions(config))
    return embed(corpus, encoder, folder(corpus, config, workdir), **how, dtype=config.embed.dtype)


def instructions(config) -> Instructions:
    """Returns how texts become vectors: as the config says, or as the folder of its model says where pooling is 'folder'.

    What every text is begun with is the folder's in any case.

    Raises:
      ValueError: there is no such pooling, or the folder asks for what is not implemented.
    """
    settings, asked = config.embed, {}
    if settings.pooling != "folder":
        check_pooling(settings.pooling)
        asked = {"pooling": settings.pooling, "normalise": settings.normalise}
    said = sentence_modules.instructions(named.folder_of(settings.model), **asked)
    return dataclasses.replace(said, max_length=settings.max_length)


def read(corpora: Mapping[str, Corpus], config, workdir: Path) -> dict[str, dict[str, int]]:
    """Returns `Coverage.summary` of each of `corpora` that was embedded for the config's method; {} where it reads none."""
    if "embeddings" not in METHODS[config.method].reads:
        return {}
    folders = {name: folder(corpus, config, workdir) for name, corpus in corpora.items()}
    return {name: kept_coverage(path).summary() for name, path in folders.items() if path.exists()}


def folder(corpus: Corpus, config, workdir: Path) -> Path:
    """Returns where the embeddings of `corpus` lie, made or not: where texts, encoder and reading say, whatever config asks."""
    settings = config.embed
    made_by = {
        "encoder": named.fingerprint_of(_encoder_folder(config, workdir)),
        "how": dataclasses.asdict(instructions(config)),
        **{name: settings[name] for name in ("layers", "compute_dtype", "dtype")},
    }
    return workdir / "embeddings" / fingerprint([corpus.fingerprint, made_by])


def encoder_settings(config) -> dict:
    """Returns what embeddings depend on: with an encoder fine-tuned on the task first, on the labelled task as well."""
    settings = config.embed.to_dict() | {"how": dataclasses.asdict(instructions(config))} | _finetuning_settings(config)
    del settings["finetune"]
    return settings


def _finetuning_settings(config) -> dict:
    """Returns what the encoder depends on, however texts are read and vectors kept."""
    settings = {"weights": named.fingerprint_of(config.embed.model)}
    if config.embed.finetuned:
        settings["task"] = task_settings(inputs.task(config), Recipe(**config.embed.finetune)) | {"seed": config.task.seed}
    return settings


def _encoder(config, workdir: Path) -> Loaded:
    layers, compute_dtype = config.embed.layers, config.embed.compute_dtype
    return named.encoder(_encoder_folder(config, workdir), layers=layers, compute_dtype=compute_dtype)


def _encoder_folder(config, workdir: Path) -> Path:
    return _finetuned(config, workdir) if config.embed.finetuned else named.folder_of(config.embed.model)


def _finetuned(config, workdir: Path) -> Path:
    """Returns the folder of the encoder after supervised training on the task (App. C.2)."""
    settings = _finetuning_settings(config)

    def make(partial: Path) -> None:
        task = inputs.task(config)
        base = named.folder_of(config.embed.model)
        model = published.load(base, "classifier", outputs=task.outputs, seed=config.task.seed)
        recipe = Recipe(**config.embed.finetune)
        keep_trained(partial, model, lambda **where: finetune(model, task, recipe, seed=config.task.seed, **where))

    folder = workdir / "encoders" / f"{config.task.name}-{fingerprint(settings)}"
    return stage(folder, settings, make, kind="encoders") / "model"
