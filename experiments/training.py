"""Pre-fine-tuning as a step of a cell: the model after training on the selection, and the masked-LM head it starts with."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from pathlib import Path

from experiments import inputs, models
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.models import named, published
from gotd_jax.models.published import Loaded
from gotd_jax.training.pre_finetune import pre_finetune, warm_up_head
from gotd_jax.training.recipe import Recipe


def pre_finetuned(chosen: Corpus, pool: Corpus, config, workdir: Path) -> Path:
    """Returns the folder of the model trained on `chosen`, or of the published one where nothing was chosen."""
    base = named.folder_of(config.model)
    if len(chosen) == 0:
        return base
    settings = {
        "chosen": chosen.fingerprint,
        "model": models.model_fingerprint(config.model),
        "compute_dtype": config.compute_dtype,
        "recipe": config.pre_finetune.to_dict(),
        "seed": config.seed,
    }
    if not named.is_causal(base):
        settings |= {"head": config.head.to_dict(), "head_texts": pool.fingerprint}

    def make(folder: Path) -> None:
        model = language_model(pool, config, workdir)
        recipe = Recipe(**config.pre_finetune)
        keep_trained(folder, model, functools.partial(pre_finetune, model, chosen, recipe, seed=config.seed))

    return stage(workdir / "pre_finetuned" / f"{label(config)}-{fingerprint(settings)}", settings, make) / "model"


def label(config) -> str:
    """Returns what a person tells a cell's folders by, before the hex digits; `none` has no budget."""
    budget = "" if config.method == "none" else f"-{config.budget}"
    return f"{config.task.name}-{config.method}{budget}-{config.seed}"


def keep_trained(folder: Path, model: Loaded, train: Callable[..., dict]) -> None:
    """Writes the model, with the parameters that `train` returns, into a stage's folder; goes on where it was stopped."""
    if not (folder / "model").exists():
        params = train(folder=folder / "training", save_last=False)
        published.save(folder / "model", model, params)
    shutil.rmtree(folder / "training", ignore_errors=True)


def language_model(pool: Corpus, config, workdir: Path) -> Loaded:
    """Returns the model with a head to train: its own, or a masked-LM one warmed up on texts that no method chose."""
    load = functools.partial(named.language_model, compute_dtype=config.compute_dtype)
    model = load(named.folder_of(config.model), seed=config.pool.seed)
    if not model.fresh:
        return model
    settings = {
        "model": model.fingerprint,
        "compute_dtype": config.compute_dtype,
        "pool": pool.fingerprint,
        "seed": config.pool.seed,
        "head": config.head.to_dict(),
    }

    def make(folder: Path) -> None:
        texts = inputs.drawn(pool, config.head.chunks, config.pool.seed)
        recipe = Recipe(**config.head.recipe)
        keep_trained(folder, model, functools.partial(warm_up_head, model, texts, recipe, seed=config.pool.seed))

    return load(stage(workdir / "heads" / f"masked_lm-{fingerprint(settings)}", settings, make) / "model")
