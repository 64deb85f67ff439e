"""The labelled task that a config names: a packaged one, GLUE's, a folder of Don't-Stop-Pretraining, or files of one's own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from gotd_jax.data import domain_tasks, glue, labelled_examples, pools, tasks
from gotd_jax.data.tasks import Task

# The labelled tasks that multiple-choice ones are made of: an encoder can be fine-tuned on those.
LABELLED_CHOICES = {"ag_news": "ag", "bbc_topics": "bbc_topics"}
FIELDS = ("name", "train", "validation", "test", "text_field", "pair_field", "label_field", "kind", "metrics")


def source(config) -> list:
    """Returns the settings that a whole task depends on, JSON-like: where it is read from, and how."""
    return [config.data_dir, {field: config.task[field] for field in FIELDS}]


def read(config) -> Task:
    """Returns the whole task that a config names.

    Raises:
      ValueError: no task has that name, or it cannot be read.
    """
    name = LABELLED_CHOICES.get(config.task.name, config.task.name)
    if config.task.train:
        return _own(config.task)
    if is_packaged(name, config.data_dir):
        return pools.PACKAGED_TASKS[name]()
    if name in glue.GLUE:
        return glue.load(name, config.data_dir)
    if config.data_dir is None:
        raise ValueError(
            f"There is no task {name!r}. It may be a packaged one ({', '.join(pools.PACKAGED_TASKS)}), one of GLUE's "
            f"({', '.join(glue.GLUE)}), a folder in --config.data_dir, or your own: --config.task.train and "
            "--config.task.test name its files."
        )
    return domain_tasks.load(name, config.data_dir)


def drawn(whole: Task, config) -> Task:
    """Returns a task with its splits drawn by `config.task.seed`: train to `config.task.labels`, test to `.tested`."""
    train, test = (
        tasks.draw(examples, most, config.task.seed)
        for examples, most in ((whole.train, config.task.labels), (whole.test, config.task.tested))
    )
    name = whole.test_split if len(test) == len(whole.test) else f"{len(test):,} of {whole.test_split}"
    return dataclasses.replace(whole, train=train, test=test, test_split=name)


def is_packaged(name: str, data_dir: str | Path | None) -> bool:
    """Returns whether a task is a packaged one; one of Don't-Stop-Pretraining's is read from `data_dir` where that is named."""
    return name in pools.PACKAGED_TASKS and (data_dir is None or name not in domain_tasks.DOMAIN_TASKS)


def _own(settings) -> Task:
    if not settings.test:
        raise ValueError(f"The task {settings.name} has no test file. Name it with --config.task.test=...")
    columns = {key: settings[key] for key in ("text_field", "pair_field", "label_field", "kind")}
    files = {split: settings[split] or None for split in ("train", "validation", "test")}
    return labelled_examples.load_files(settings.name, **files, **columns, metrics=tuple(settings.metrics) or None)
