"""One cell of a table: the pipeline from texts to a score, each step a stage on disk that is made once."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from experiments import choosing, detox, embeddings, finetuning, inputs, models, relevance, selecting, stages, training
from gotd_jax.artifacts import read_json, seconds_of
from gotd_jax.methods import METHODS, Problem, check_budget
from gotd_jax.report.results import provenance

# How a cell ends, by `config.evaluation`: a module of check, problem, scorer, settings, score and row.
ENDINGS = {"finetune": finetuning, "toxicity": detox, "choices": choosing, "selection": selecting}

# What a stage's time is for, by the folder that it lies in.
STEPS = {
    "embeddings": "embed",
    "encoders": "embed",
    "losses": "losses",
    "target_models": "losses",
    "heads": "pre_finetune",
    "pre_finetuned": "pre_finetune",
}


def check_names(config) -> None:
    """Raises ValueError unless the config's method and evaluation exist."""
    for kind, name, known in (("method", config.method, METHODS), ("evaluation", config.evaluation, ENDINGS)):
        if name not in known:
            raise ValueError(f"There is no {kind} {name!r}. There are: {', '.join(known)}.")


def check(config, workdir: Path) -> None:
    """Raises ValueError for whatever would stop the cell later: method, models, task, prompts, scorers, pool, budget."""
    check_names(config)
    models.check(config)
    ending = ENDINGS[config.evaluation]
    ending.check(config)
    if config.target.domains and config.evaluation != "selection":
        raise ValueError("A target of domains has no labels to train on. Set --config.evaluation=selection.")
    problem = ending.problem(config, workdir, embed=None)
    relevance.check(config, problem.pool)
    check_budget(problem, config.budget)
    _check_has_what_it_reads(config.method, problem, ending.scorer(config))
    if config.ot.published and config.ot.sample is not None:
        raise ValueError("config.ot.published is the notebook's call, of the whole pool. Leave out --config.ot.sample.")


def run(config, workdir: Path) -> dict:
    """Returns the row of one cell: what was run, its scores, and how they came about.

    Args:
      config: a config without a sweep; see `configs/common.py`.
      workdir: where every stage is kept; a stage that lies there already is not made again.
    """
    ending = ENDINGS[config.evaluation]
    problem = ending.problem(config, workdir, functools.partial(embeddings.embedded, config=config, workdir=workdir))
    selected = stages.selected(problem, config, workdir, ending.scorer(config))
    chosen = problem.pool.take(np.load(selected / "rows.npy"))

    whole = ending.problem(config, workdir, embed=None).pool  # before the relevance test: the head's texts, for all methods
    warm = functools.partial(training.pre_finetuned, chosen, whole, config, workdir)
    scored = stages.scored(ending, warm, selected, config, workdir)

    scores = read_json(scored / "scores.json")
    return {
        "cell": scored.name,
        "method": config.method,
        "budget": config.budget,
        "seed": config.seed,
        **ending.row(scores, config),
        "scores": scores,
        "pool": whole.count_domains(),
        "pool_contents": inputs.pool_contents(config, workdir),
        "relevance": relevance.described(whole, problem.target, config, workdir),
        "targets": len(problem.target),
        "target_domains": problem.target.count_domains(),
        "selected": chosen.count_domains(),
        "selection": read_json(selected / "info.json"),
        "seconds": _seconds(selected, scored),
        "protocol": list(config.protocol),
        **provenance(),
    }


def _check_has_what_it_reads(method: str, problem: Problem, scorer) -> None:
    if (method == "contrast" and problem.away is None) or (method == "rtp" and scorer is None):
        raise ValueError(
            f"The method {method} reads toxic texts or toxicity, which only --config.evaluation=toxicity has. Take that, or "
            "another method."
        )
    if method == "dapt" and not problem.home:
        raise ValueError("The method dapt draws from the task's own domain. Name it: --config.task.home=\"('news',)\".")


def _seconds(selected: Path, scored: Path) -> dict[str, float]:
    """Returns what the steps to a cell's score took, whenever they were made, in seconds, by step.

    What the selection alone took counts as `select`; reading and embedding text that only the scores are measured on, as
    `evaluate`.
    """
    found = dict.fromkeys(("embed", "losses", "select", "pre_finetune", "evaluate"), 0.0)
    selecting, scoring = seconds_of(selected), seconds_of(scored)
    for name, seconds in (selecting | scoring).items():
        step = STEPS.get(name.split("/")[0], "select" if name in selecting else "evaluate")
        found[step if name in selecting or step == "pre_finetune" else "evaluate"] += seconds
    return {step: round(seconds, 3) for step, seconds in found.items()}
