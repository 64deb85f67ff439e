"""Pre-fine-tuning as a step of a cell: the model after training on the selection, and the masked-LM head it starts with."""

from __future__ import annotations

from pathlib import Path

from experiments import relevance
from gotd_jax.artifacts import fingerprint
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import BLIND
from gotd_jax.pipeline.pre_finetuned import PreFinetuned
from gotd_jax.training.base_model import BaseModel
from gotd_jax.training.recipe import Recipe


def settings(chosen: Corpus, pool: Corpus, config) -> dict:
    """Returns what the model depends on that `pre_finetuned` returns, JSON-like."""
    return _pre_finetuned(chosen, pool, config).settings()


def pre_finetuned(chosen: Corpus, pool: Corpus, config, workdir: Path) -> Path:
    """Returns the folder of the model trained on `chosen`, or of the published one where nothing was chosen."""
    return _pre_finetuned(chosen, pool, config).folder(workdir, _method(config))


def _pre_finetuned(chosen: Corpus, pool: Corpus, config) -> PreFinetuned:
    return PreFinetuned(start(config), chosen, pool, Recipe(**config.pre_finetune), config.seed)


def starts_as(config) -> str:
    """Returns what cells have in common that train from one pre-fine-tuned model, as far as their configs tell.

    They differ in what comes after it, and where the method reads nothing of the target also in the task.
    """
    fields = config.to_dict()
    del fields["finetune"], fields["protocol"]
    if config.method in BLIND and not relevance.applies(config):
        for unread in ("target", "embed", "ot"):
            del fields[unread]
        fields["task"] = fields["task"]["home"]
    return fingerprint(fields)


def label(config) -> str:
    """Returns what a person tells a cell's folders by, before the hex digits; `none` has no budget."""
    return f"{config.task.name}-{_method(config)}"


def _method(config) -> str:
    budget = "" if config.method == "none" else f"-{config.budget}"
    return f"{config.method}{budget}-{config.seed}"


def start(config) -> BaseModel:
    """Returns the model as every training of a config begins with it."""
    head = Recipe(**config.head.recipe)
    return BaseModel(config.model, head, config.head.chunks, config.pool.seed, config.compute_dtype)
