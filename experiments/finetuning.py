"""The ending of a cell of classification and regression: targeted fine-tuning, and scores on the task's test split."""

from __future__ import annotations

import shutil
from pathlib import Path

from experiments import inputs, leaking, losses, relevance
from gotd_jax import models
from gotd_jax.data import pools
from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation.predictions import evaluate
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.files import write_json
from gotd_jax.methods import Problem
from gotd_jax.training.finetune import finetune
from gotd_jax.training.finetune import settings as task_settings
from gotd_jax.training.recipe import Recipe


def check(config) -> None:
    """Raises ValueError for what this ending cannot work with."""
    if inputs.is_packaged(config.task.name, config.data_dir):
        pools.check_disjoint(config.task.name, config.pool.packaged)
    inputs.task(config)


def problem(config, workdir: Path, embed) -> Problem:
    """Returns what the method is given: the pool without text that is tested on, and the task's training texts for a target."""
    target = inputs.target(config)
    clean = leaking.candidates(inputs.pool(config, workdir), tested(config, workdir), workdir)
    pool = relevance.relevant(clean, target, embed, config, workdir)
    read = losses.asked_for(pool, target, config, workdir)
    return Problem(pool, target, embed, home=tuple(config.task.home), losses=read)


def tested(config, workdir: Path) -> Corpus:
    """Returns the texts that the scores are made on: the whole test split, however much of it is drawn."""
    return inputs.tested(config)


def scorer(config) -> Scorer | None:
    """Returns what the problem's toxicity is by: nothing."""
    return None


def settings(config, workdir: Path) -> dict:
    """Returns what the scores depend on beside the model."""
    task = inputs.task(config)
    return {
        "evaluation": "finetune",
        "training": task_settings(task, Recipe(**config.finetune)),
        "test": task.test.fingerprint,
        "metrics": list(task.metrics),
    }


def score(warmed: Path, folder: Path, config, workdir: Path) -> None:
    """Fine-tunes the model in `warmed` on the task and writes its `scores.json` into `folder`."""
    task, recipe = inputs.task(config), Recipe(**config.finetune)
    model = models.load(warmed, "classifier", outputs=task.outputs, seed=config.seed, compute_dtype=config.compute_dtype)
    params = finetune(model, task, recipe, seed=config.seed, folder=folder / "training", save_last=False)
    sizes = {"batch_size": recipe.batch_size, "max_length": recipe.max_length}
    write_json(folder / "scores.json", evaluate(model, params, task.test, task.metrics, **sizes))
    shutil.rmtree(folder / "training")


def row(scores: dict, config) -> dict:
    """Returns what a row of results says of this ending's scores."""
    task = inputs.task(config)
    score = {"metric": task.metrics[0], "score": scores[task.metrics[0]], "evaluated_on": task.test_split}
    return {"task": task.name, **score, "labels": len(task.train)}
