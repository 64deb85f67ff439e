"""The ending of a cell that probes the pre-fine-tuned model's frozen states with few labels, many times."""

from __future__ import annotations

import shutil
from pathlib import Path

from experiments.endings.ending import ANY, OfTask
from gotd_jax import models
from gotd_jax.evaluation.probe import probe_by_labels
from gotd_jax.files import write_json
from gotd_jax.report import score_columns
from gotd_jax.training.recipe import Recipe


class Probing(OfTask):
    """Linear probes of the frozen states on draws of the task's labels, and the model's loss on the task's text."""

    trains = ANY

    def settings(self) -> dict:
        """Returns the settings that the scores depend on besides the model."""
        task = self.data.task
        return {
            "evaluation": "probes",
            "train": task.train.fingerprint,
            "test": task.test.fingerprint,
            "metrics": list(task.metrics),
            "target_loss": self.config.target_loss,
            "probes": self.config.probes.to_dict(),
            "max_length": self._length,
            "draw": self.config.task.seed,
        }

    def score(self, made: Path, folder: Path) -> None:
        """Probes the model in `made`; leaves every draw's scores in `scores.json`."""
        asked, task = self.config.probes, self.data.task
        model = models.load(made, compute_dtype=self.config.compute_dtype)
        options = {"counts": asked.labels, "draws": asked.draws, "seed": self.config.task.seed}
        found = probe_by_labels(model, task, folder / "states", max_length=self._length, **options)
        shutil.rmtree(folder / "states")
        loss = self.loss_before_labels(made, task.test.corpus)
        write_json(folder / "scores.json", {"probes": found, "target_loss": loss})

    def row(self, scores: dict) -> dict:
        """Returns the part of a row about the probes: the mean over draws, by the number of labels."""
        return {"task": self.data.task.name, "measures": score_columns.of_probes(self.data.task.name, scores)}

    @property
    def _length(self) -> int:
        return Recipe(**self.config.pre_finetune).max_length
