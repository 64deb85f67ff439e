"""The ending of a cell of classification or regression: fine-tuned on the task, scored on its test split."""

from __future__ import annotations

import shutil
from pathlib import Path

from experiments.endings.ending import ENCODER, OfTask
from gotd_jax import models
from gotd_jax.evaluation.predictions import evaluate
from gotd_jax.evaluation.probe import probe
from gotd_jax.files import write_json
from gotd_jax.report import target_loss
from gotd_jax.training.finetune import finetune
from gotd_jax.training.finetune import settings as task_settings
from gotd_jax.training.recipe import Recipe


class FineTuning(OfTask):
    """The pre-fine-tuned model is fine-tuned on the task's labels and scored by the task's metrics."""

    trains = ENCODER

    def settings(self) -> dict:
        """Returns the settings that the scores depend on besides the model."""
        task = self.data.task
        return {
            "evaluation": "finetune",
            "training": task_settings(task, Recipe(**self.config.finetune)),
            "test": task.test.fingerprint,
            "metrics": list(task.metrics),
            "target_loss": self.config.target_loss,
            "probe": self.config.probe,
        }

    def score(self, made: Path, folder: Path) -> None:
        """Fine-tunes the model in `made`, or probes it, and writes its `scores.json` into `folder`."""
        scores = self._probed(made, folder) if self.config.probe else self._fine_tuned(made, folder)
        loss = self.loss_before_labels(made, self.data.task.test.corpus)
        write_json(folder / "scores.json", scores | {"target_loss": loss})

    def _probed(self, made: Path, folder: Path) -> dict[str, float]:
        model = models.load(made, compute_dtype=self.config.compute_dtype)
        found = probe(model, self.data.task, folder / "states", max_length=Recipe(**self.config.finetune).max_length)
        shutil.rmtree(folder / "states")
        return found

    def _fine_tuned(self, made: Path, folder: Path) -> dict[str, float]:
        task, recipe, config = self.data.task, Recipe(**self.config.finetune), self.config
        model = models.load(made, "classifier", outputs=task.outputs, seed=config.seed, compute_dtype=config.compute_dtype)
        params = finetune(model, task, recipe, seed=config.seed, folder=folder / "training", save_last=False)
        sizes = {"batch_size": recipe.batch_size, "max_length": recipe.max_length}
        scores = evaluate(model, params, task.test, task.metrics, **sizes)
        shutil.rmtree(folder / "training")
        return scores

    def row(self, scores: dict) -> dict:
        """Returns the part of a row about the score: by the task's first metric, and on how much of the task."""
        task = self.data.task
        score = {"metric": task.metrics[0], "score": scores[task.metrics[0]], "evaluated_on": task.test_split}
        return {"task": task.name, **score, "labels": len(task.train), **target_loss.of(task.name, scores["target_loss"])}
