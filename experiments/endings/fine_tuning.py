"""The ending of a cell of classification or regression: fine-tuned on the task, scored on its test split."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

from experiments.endings.ending import ENCODER, Ending, ProblemTexts, task_texts
from gotd_jax import models
from gotd_jax.evaluation.predictions import evaluate
from gotd_jax.files import write_json
from gotd_jax.report import target_loss
from gotd_jax.training.finetune import finetune
from gotd_jax.training.finetune import settings as task_settings
from gotd_jax.training.recipe import Recipe


class FineTuning(Ending):
    """The pre-fine-tuned model is fine-tuned on the task's labels and scored by the task's metrics."""

    trains = ENCODER

    @functools.cached_property
    def texts(self) -> ProblemTexts:
        """The task's training texts for a target, and its test split."""
        return task_texts(self.data)

    def settings(self) -> dict:
        """Returns the settings that the scores depend on besides the model."""
        task = self.data.task
        return {
            "evaluation": "finetune",
            "training": task_settings(task, Recipe(**self.config.finetune)),
            "test": task.test.fingerprint,
            "metrics": list(task.metrics),
            "target_loss": self.config.target_loss,
        }

    def score(self, made: Path, folder: Path) -> None:
        """Fine-tunes the model in `made` and writes its `scores.json` into `folder`."""
        task, recipe, config = self.data.task, Recipe(**self.config.finetune), self.config
        model = models.load(made, "classifier", outputs=task.outputs, seed=config.seed, compute_dtype=config.compute_dtype)
        params = finetune(model, task, recipe, seed=config.seed, folder=folder / "training", save_last=False)
        sizes = {"batch_size": recipe.batch_size, "max_length": recipe.max_length}
        scores = evaluate(model, params, task.test, task.metrics, **sizes)
        write_json(folder / "scores.json", scores | {"target_loss": self.loss_before_labels(made, task.test.corpus)})
        shutil.rmtree(folder / "training")

    def row(self, scores: dict) -> dict:
        """Returns the part of a row about the score: by the task's first metric, and on how much of the task."""
        task = self.data.task
        score = {"metric": task.metrics[0], "score": scores[task.metrics[0]], "evaluated_on": task.test_split}
        return {"task": task.name, **score, "labels": len(task.train), **target_loss.of(task.name, scores["target_loss"])}
