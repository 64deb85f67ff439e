"""The ending of a cell of zero-shot tasks: which of an item's options the warmed-up model finds likeliest."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from experiments import inputs, leaking, losses, relevance, stages
from gotd_jax import models
from gotd_jax.artifacts import fingerprint
from gotd_jax.data import choice_tasks, pools
from gotd_jax.data.choice_tasks import ChoiceTask
from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation.multiple_choice import Choices, score_choices
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.files import write_json
from gotd_jax.methods import Problem
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.report import column_names, item_scores, score_columns


def check(config) -> None:
    """Raises ValueError for what this ending cannot work with."""
    name = config.task.name
    check_task(name, config)
    if config.embed.finetuned and name not in inputs.LABELLED_CHOICES:
        raise ValueError(
            f"{name} has no labelled task to fine-tune the encoder on; {', '.join(inputs.LABELLED_CHOICES)} have. Set "
            "--config.embed.finetuned=False."
        )


def check_task(name: str, config) -> None:
    """Raises ValueError unless there is a multiple-choice task `name`, of whose texts the pool holds no packaged domain."""
    pools.check_disjoint(name, config.pool.packaged)
    task(name, config)


def task(name: str, config) -> ChoiceTask:
    """Returns the multiple-choice task called `name`, its items drawn to `config.choices.most` by `config.choices.seed`."""
    return _kept_task(name, config).draw(config.choices.most, config.choices.seed)


def identity(name: str, config) -> str:
    """Returns 16 hex digits that identify the items asked of a task."""
    return fingerprint([dataclasses.astuple(item) for item in task(name, config).items])


def problem(config, workdir: Path, embed) -> Problem:
    """Returns what the method is given: the pool without what holds text of an item, and the task's unlabelled texts."""
    target = inputs.chunked(_kept_task(config.task.name, config).target, config)
    clean = leaking.candidates(inputs.pool(config, workdir), tested(config, workdir), workdir)
    pool = relevance.relevant(clean, target, embed, config, workdir)
    read = losses.asked_for(pool, target, config, workdir)
    return Problem(pool, target, embed, home=tuple(config.task.home), losses=read)


def tested(config, workdir: Path) -> Corpus:
    """Returns the texts that the scores are made on: what all items of the task say, drawn or not, and their options."""
    return tested_of(config.task.name, config)


def tested_of(name: str, config) -> Corpus:
    """Returns what all items of a task say, and their options."""
    return Corpus.from_texts(_kept_task(name, config).tested)


def scorer(config) -> Scorer | None:
    """Returns what the problem's toxicity is by: nothing."""
    return None


def settings(config, workdir: Path) -> dict:
    """Returns what the scores depend on beside the model."""
    return {"evaluation": "choices", "task": config.task.name, "items": identity(config.task.name, config)}


def score(warmed: Path, folder: Path, config, workdir: Path) -> None:
    """Asks the model in `warmed`, and leaves `items.jsonl`, with every option's numbers, and `scores.json` in `folder`."""
    model = models.load(warmed, compute_dtype=config.compute_dtype)
    name = config.task.name
    choices = asked(model, name, config)
    stages.write_lines(folder / "items.jsonl", choices.items)
    of_items = {column: score_columns.items_of_choices(choices.items, rule) for column, rule in _shown(name).items()}
    item_scores.write(folder, of_items)
    write_json(folder / "scores.json", choices.summary)


def asked(model: Loaded, name: str, config) -> Choices:
    """Returns what `model` answers to a task's items."""
    return score_choices(model, tokenizer_of(model), task(name, config).items)


def row(scores: dict, config) -> dict:
    """Returns what a row of results says of this ending's scores: accuracy by perplexity, and calibrated."""
    name = config.task.name
    shown = _shown(name)
    majority = {column_names.MAJORITY: dict.fromkeys(shown, 100 * scores["majority"])}
    accuracies = {column: score_columns.of_choices(scores, rule) for column, rule in shown.items()}
    return {"task": name, "measures": accuracies, "baselines": majority}


def _shown(name: str) -> dict[str, str]:
    """Returns the rule of each of a task's columns."""
    return {column_names.accuracy(name): "instance", column_names.accuracy(name, "calibrated"): "calibrated"}


def _kept_task(name: str, config) -> ChoiceTask:
    """Returns the whole task, its target drawn by `config.task.seed`; read once a process, and again where its files change."""
    folders = [] if config.data_dir is None else [Path(config.data_dir, inputs.LABELLED_CHOICES.get(name, name))]
    return _whole_task(name, config.data_dir, config.task.seed, inputs.stamp(*folders))


@functools.lru_cache(maxsize=8)
def _whole_task(name: str, data_dir: str | None, seed: int, stamped: tuple) -> ChoiceTask:
    return choice_tasks.load(name, data_dir, seed=seed)
