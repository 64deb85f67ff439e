"""The ending of a cell of zero-shot tasks: the option of each item that the pre-fine-tuned model finds likeliest."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

from experiments.endings.ending import CAUSAL, Ending, ProblemTexts, problem_texts
from experiments.named_tasks import LABELLED_CHOICES
from gotd_jax import models
from gotd_jax.artifacts import fingerprint
from gotd_jax.data.choice_tasks import ChoiceItem
from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation.multiple_choice import score_choices
from gotd_jax.files import write_json, write_json_lines
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.report import column_names, item_scores, score_columns, target_loss


class MultipleChoice(Ending):
    """The pre-fine-tuned model answers the items of a multiple-choice task."""

    trains = CAUSAL

    def __init__(self, data):
        super().__init__(data)
        self.name = self.config.task.name
        if self.config.embed.finetuned and self.name not in LABELLED_CHOICES:
            raise ValueError(
                f"{self.name} has no labelled task to fine-tune the encoder on; {', '.join(LABELLED_CHOICES)} have. Set "
                "--config.embed.finetuned=False."
            )

    @functools.cached_property
    def texts(self) -> ProblemTexts:
        """The task's unlabelled texts for a target; tested is all text of its items, drawn or not, and of their options."""
        task = self.data.choice_task(self.name)
        target, tested = self.data.chunked(task.target), Corpus.from_texts(task.tested)
        return problem_texts(self.data, target=target, tested=tested, pool=self.data.pool)

    def settings(self) -> dict:
        """Returns the settings that the scores depend on besides the model."""
        items = identity(self.data.choice_items(self.name))
        return {"evaluation": "choices", "task": self.name, "items": items, "target_loss": self.config.target_loss}

    def score(self, made: Path, folder: Path) -> None:
        """Asks the model in `made`; leaves `items.jsonl`, with every option's numbers, and `scores.json` in `folder`."""
        model = models.load(made, compute_dtype=self.config.compute_dtype)
        found = score_choices(model, tokenizer_of(model), self.data.choice_items(self.name))
        write_json_lines(folder / "items.jsonl", found.items)
        by_column = {column: score_columns.items_of_choices(found.items, rule) for column, rule in self._rules.items()}
        item_scores.write(folder, by_column)
        loss = self.loss_before_labels(made, self.texts.tested)
        write_json(folder / "scores.json", found.summary | {"target_loss": loss})

    def row(self, scores: dict) -> dict:
        """Returns the part of a row about accuracy: by perplexity, calibrated, and of the commonest answer."""
        majority = {column_names.MAJORITY: dict.fromkeys(self._rules, 100 * scores["majority"])}
        accuracies = {column: score_columns.of_choices(scores, rule) for column, rule in self._rules.items()}
        loss = target_loss.of(self.name, scores["target_loss"])
        return {"task": self.name, "measures": accuracies, "baselines": majority, **loss}

    @property
    def _rules(self) -> dict[str, str]:
        """The rule by which each column of the table chooses."""
        return {column_names.accuracy(self.name): "instance", column_names.accuracy(self.name, "calibrated"): "calibrated"}


def identity(asked: Sequence[ChoiceItem]) -> str:
    """Returns 16 hex digits that identify items."""
    return fingerprint([dataclasses.astuple(item) for item in asked])
