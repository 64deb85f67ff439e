"""Pre-fine-tuning as a step of a cell: the model after training on the selection, and the masked-LM head it starts with."""

from __future__ import annotations

import functools
from pathlib import Path

from experiments import relevance
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import METHODS
from gotd_jax.models import named
from gotd_jax.training.pre_finetune import pre_finetune
from gotd_jax.training.recipe import Recipe
from gotd_jax.training.starting import Start, keep_trained


def settings(chosen: Corpus, pool: Corpus, config) -> dict:
    """Returns what the model depends on that `pre_finetuned` returns, JSON-like."""
    if len(chosen) == 0:
        return {"model": named.fingerprint_of(config.model)}
    return {
        "chosen": chosen.fingerprint,
        "start": start(config).settings(pool),
        "recipe": config.pre_finetune.to_dict(),
        "seed": config.seed,
    }


def pre_finetuned(chosen: Corpus, pool: Corpus, config, workdir: Path) -> Path:
    """Returns the folder of the model trained on `chosen`, or of the published one where nothing was chosen.

    It is named after what was chosen, and not after the task: tasks for which a method chooses the same share one model.
    """
    if len(chosen) == 0:
        return named.folder_of(config.model)
    recipe, begun, made_of = Recipe(**config.pre_finetune), start(config), settings(chosen, pool, config)

    def make(folder: Path) -> None:
        model = begun.load(pool, workdir)
        keep_trained(folder, model, functools.partial(pre_finetune, model, chosen, recipe, seed=config.seed))

    folder = workdir / "pre_finetuned" / f"{_method(config)}-{fingerprint(made_of)}"
    return stage(folder, made_of, make, kind="pre_finetuned") / "model"


def starts_as(config) -> str:
    """Returns what cells have in common that train from one pre-fine-tuned model, as far as their configs tell.

    They differ in what comes after it, and where the method reads nothing of the target also in the task.
    """
    fields = config.to_dict()
    del fields["finetune"], fields["protocol"]
    if METHODS[config.method].blind and not relevance.applies(config):
        for unread in ("target", "embed", "ot"):
            del fields[unread]
        fields["task"] = fields["task"]["home"]
    return fingerprint(fields)


def label(config) -> str:
    """Returns what a person tells a cell's folders by, before the hex digits; `none` has no budget."""
    return f"{config.task.name}-{_method(config)}"


def _method(config) -> str:
    budget = f"-{config.budget}" if METHODS[config.method].selects else ""
    return f"{config.method}{budget}-{config.seed}"


def start(config) -> Start:
    """Returns the model as every training of a config begins with it."""
    head = Recipe(**config.head.recipe)
    return Start(config.model, head, config.head.chunks, config.pool.seed, config.compute_dtype)
