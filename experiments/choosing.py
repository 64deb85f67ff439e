"""The ending of a cell of zero-shot tasks: which of an item's options the warmed-up model finds likeliest."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from experiments import inputs, losses, prompting, relevance, stages
from gotd_jax.artifacts import fingerprint, stage, write_json
from gotd_jax.data import choice_tasks, pools
from gotd_jax.data.choice_tasks import ChoiceTask
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.overlaps import WORD
from gotd_jax.evaluation.choices import Choices, score_choices
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.methods import Problem
from gotd_jax.models import causal
from gotd_jax.models.model import Loaded
from gotd_jax.models.vocabulary import tokenizer_of
from gotd_jax.report import columns, measures

WORDS_PER_PIECE = 13  # a candidate that holds so many successive words of an item is left out, as Brown et al. 2020 do


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
    return _whole_task(name, config.data_dir).draw(config.choices.most, config.choices.seed)


def identity(name: str, config) -> str:
    """Returns 16 hex digits that identify the items asked of a task."""
    return fingerprint([dataclasses.astuple(item) for item in task(name, config).items])


def problem(config, workdir: Path, embed) -> Problem:
    """Returns what the method is given: the pool without what holds a piece of an item, and the task's unlabelled texts."""
    whole = _whole_task(config.task.name, config.data_dir)
    target = inputs.chunked(whole.target, config)
    pool = relevance.relevant(_candidates(whole, config, workdir), target, embed, config, workdir)
    read = losses.asked_for(pool, target, config, workdir)
    return Problem(pool, target, embed, home=tuple(config.task.home), losses=read)


def scorer(config) -> Scorer | None:
    """Returns what the problem's toxicity is by: nothing."""
    return None


def settings(config, workdir: Path) -> dict:
    """Returns what the scores depend on beside the model."""
    return {"evaluation": "choices", "task": config.task.name, "items": identity(config.task.name, config)}


def score(warmed: Path, folder: Path, config, workdir: Path) -> None:
    """Asks the model in `warmed`, and leaves `items.jsonl`, with every option's numbers, and `scores.json` in `folder`."""
    model = causal.load(warmed, compute_dtype=config.compute_dtype)
    choices = _asked(model, config.task.name, config)
    stages.write_lines(folder / "items.jsonl", choices.items)
    write_json(folder / "scores.json", choices.summary)


def summary(model: Loaded, name: str, config) -> dict:
    """Returns the summary of a task's items as `model` answers them: accuracies by rule, and the majority's."""
    return _asked(model, name, config).summary


def row(scores: dict, config) -> dict:
    """Returns what a row of results says of this ending's scores: accuracy by perplexity, and calibrated."""
    name = config.task.name
    shown = {columns.accuracy(name): "instance", columns.accuracy(name, "calibrated"): "calibrated"}
    majority = {columns.MAJORITY: dict.fromkeys(shown, 100 * scores["majority"])}
    accuracies = {column: measures.of_choices(scores, rule) for column, rule in shown.items()}
    return {"task": name, "measures": accuracies, "baselines": majority}


@functools.lru_cache(maxsize=8)
def _whole_task(name: str, data_dir: str | None) -> ChoiceTask:
    return choice_tasks.load(name, data_dir)


def _asked(model: Loaded, name: str, config) -> Choices:
    return score_choices(model, tokenizer_of(model), task(name, config).items)


def _candidates(whole: ChoiceTask, config, workdir: Path) -> Corpus:
    """Returns the config's pool without chunks that hold a piece of any item, parted once and kept in the workdir."""
    pool = inputs.pool(config, workdir)
    pieces = [piece for item in whole.items for piece in _pieces(item.context)]
    settings = {"pool": pool.fingerprint, "task": whole.name, "pieces": fingerprint(pieces)}

    def make(folder: Path) -> None:
        leaking = prompting.holding(pool, pieces)
        if leaking.all():
            raise ValueError(
                f"All {len(pool):,} chunks of the pool hold {WORDS_PER_PIECE} successive words of an item of {whole.name}: no "
                "candidate is left. Name another pool."
            )
        pool.keep(~leaking, folder / "pool.arrow")
        write_json(folder / "counts.json", {"candidates": int(np.sum(~leaking)), "left_out_for_an_item": int(leaking.sum())})

    folder = stage(workdir / f"candidates-{whole.name}-{fingerprint(settings)}", settings, make)
    return Corpus.open(folder / "pool.arrow")


def _pieces(text: str) -> Iterator[str]:
    """Yields runs of `WORDS_PER_PIECE` words, one after another; what is shorter than one, at the end, is passed over."""
    words = WORD.findall(text.lower())
    for start in range(0, len(words) - WORDS_PER_PIECE + 1, WORDS_PER_PIECE):
        yield " ".join(words[start : start + WORDS_PER_PIECE])
