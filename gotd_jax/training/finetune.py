"""Targeted fine-tuning: supervised training on a task. Nothing here reads a task's test split."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from gotd_jax.data.tasks import Examples, Task, hold_out
from gotd_jax.data.tokens import tokenise
from gotd_jax.evaluation.metrics import score
from gotd_jax.evaluation.predictions import predict
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import pad_id, tokenizer_of
from gotd_jax.training.batches import LabelledBatches
from gotd_jax.training.loop import train
from gotd_jax.training.objectives import Classification, Regression
from gotd_jax.training.recipe import Recipe

OBJECTIVES = {"classification": Classification, "regression": Regression}


def finetune(model: Loaded, task: Task, recipe: Recipe, *, seed: int, folder: str | Path | None = None, **options) -> dict:
    """Returns the parameters of a classifier after training on `task.train` (paper, Tables 9 and 11).

    With `recipe.choose` 'last' these are those of the last epoch. With 'best' they are those of the epoch with the
    highest first metric on `task.validation`; a task without that split lends `recipe.held_out_share` of its training
    examples, which are then not trained on. (The published code chose the epoch on the test split.)

    Args:
      model: a loaded classifier with `task.outputs` outputs: `definition`, `params` and `source`, the folder of its
        tokeniser.
      task: `kind`, `metrics`, `train` and `validation` are used.
      recipe: how to train.
      seed: of the order, dropout and the held-out examples.
      folder: where the run keeps its state; see `train`.
      **options: of `train`.

    Raises:
      ValueError: the task is too small to hold anything out.
    """
    examples, validation = task.train, None
    if recipe.choose == "best":
        examples, validation = _train_and_validation(task, recipe, seed)
    tokenizer = tokenizer_of(model)
    tokens = tokenise(tokenizer, examples.corpus, recipe.max_length)
    batches = LabelledBatches(tokens, examples.labels, recipe, seed, pad_id(tokenizer))
    if validation is not None:
        options["validate"] = _validator(model, tokenizer, validation, task.metrics[0], recipe)
    options = {"label": f"fine-tuning on {task.name}", **options}
    objective = OBJECTIVES[task.kind](model.rematerialising() if recipe.rematerialise else model.definition)
    return train(objective, model.params, batches, recipe, seed=seed, folder=folder, **options)


def settings(task: Task, recipe: Recipe) -> dict:
    """Returns the settings that the parameters of `finetune` depend on, beside model and seed, JSON-like.

    These are the labelled training examples, and where the best epoch is chosen the validation examples; never the test split.
    """
    found = {"kind": task.kind, "classes": list(task.classes), "train": task.train.fingerprint}
    if recipe.choose == "best":
        found |= {"validation": task.validation.fingerprint if task.validation else None, "metric": task.metrics[0]}
    return found | {"recipe": dataclasses.asdict(recipe)}


def _train_and_validation(task: Task, recipe: Recipe, seed: int) -> tuple[Examples, Examples]:
    if task.validation is not None:
        return task.train, task.validation
    return hold_out(task.train, recipe.held_out_share, seed)


def _validator(model: Loaded, tokenizer, validation: Examples, metric: str, recipe: Recipe) -> Callable[[dict], float]:
    tokens = tokenise(tokenizer, validation.corpus, recipe.max_length)
    sizes = {"batch_size": recipe.batch_size, "max_length": recipe.max_length}

    def validate(params):
        predictions = predict(model.definition, params, tokens, **sizes, pad_id=pad_id(tokenizer))
        return score([metric], predictions, validation.labels)[metric]

    return validate
