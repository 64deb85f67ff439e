"""Pre-fine-tuning as a step of a cell: the model after training on the selection, and the masked-LM head it starts with."""

from __future__ import annotations

import functools
from pathlib import Path

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.models import named
from gotd_jax.training.pre_finetune import pre_finetune
from gotd_jax.training.recipe import Recipe
from gotd_jax.training.starting import Start, keep_trained


def pre_finetuned(chosen: Corpus, pool: Corpus, config, workdir: Path) -> Path:
    """Returns the folder of the model trained on `chosen`, or of the published one where nothing was chosen."""
    if len(chosen) == 0:
        return named.folder_of(config.model)
    recipe, begun = Recipe(**config.pre_finetune), start(config)
    settings = {
        "chosen": chosen.fingerprint,
        "start": begun.settings(pool),
        "recipe": config.pre_finetune.to_dict(),
        "seed": config.seed,
    }

    def make(folder: Path) -> None:
        model = begun.load(pool, workdir)
        keep_trained(folder, model, functools.partial(pre_finetune, model, chosen, recipe, seed=config.seed))

    return stage(workdir / "pre_finetuned" / f"{label(config)}-{fingerprint(settings)}", settings, make) / "model"


def label(config) -> str:
    """Returns what a person tells a cell's folders by, before the hex digits; `none` has no budget."""
    budget = "" if config.method == "none" else f"-{config.budget}"
    return f"{config.task.name}-{config.method}{budget}-{config.seed}"


def start(config) -> Start:
    """Returns the model as every training of a config begins with it."""
    head = Recipe(**config.head.recipe)
    return Start(config.model, head, config.head.chunks, config.pool.seed, config.compute_dtype)
