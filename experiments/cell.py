"""One cell of a table: the pipeline from texts to a score, each step a stage on disk that is made once."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from experiments import (
    choosing,
    detox,
    domain_targets,
    embeddings,
    finetuning,
    inputs,
    leaking,
    models,
    relevance,
    selecting,
    stages,
)
from gotd_jax import methods
from gotd_jax.artifacts import made_with, read_json, say_outdated, seconds_of

# How a cell ends, by `config.evaluation`: a module of check, problem, tested, scorer, settings, score and row.
ENDINGS = {"finetune": finetuning, "toxicity": detox, "choices": choosing, "selection": selecting}

# How a config gives what a method reads and a problem may be without.
REMEDIES = {
    "home": "Name them: --config.task.home=\"('news',)\".",
    "away": "--config.evaluation=toxicity has toxic ones.",
    "toxicity": "--config.evaluation=toxicity has a scorer.",
    "losses": "Name the model: --config.model.",
}

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
    methods.find(config.method)
    if config.evaluation not in ENDINGS:
        raise ValueError(f"There is no evaluation {config.evaluation!r}. There are: {', '.join(ENDINGS)}.")


def check(config, workdir: Path) -> None:
    """Raises ValueError for whatever would stop the cell later: method, models, task, prompts, scorers, pool, budget."""
    say_outdated(workdir)
    check_names(config)
    models.check(config)
    ending = ENDINGS[config.evaluation]
    ending.check(config)
    if config.target.domains and config.evaluation != "selection":
        raise ValueError("A target of domains has no labels to train on. Set --config.evaluation=selection.")
    problem = ending.problem(config, workdir, embed=None)
    relevance.check(config, problem.pool)
    methods.check_budget(problem, config.budget)
    methods.find(config.method).check_given(problem.given, REMEDIES)
    if config.ot.published and config.ot.sample is not None:
        raise ValueError("config.ot.published is the notebook's call, of the whole pool. Leave out --config.ot.sample.")


def run(config, workdir: Path, *, awaited: bool = False) -> dict:
    """Returns the row of one cell: what was run, its scores, and how they came about.

    Args:
      config: a config without a sweep; see `configs/common.py`.
      workdir: where every stage is kept; a stage that lies there already is not made again.
      awaited: whether other cells have yet to train from this one's model, so that it stays whatever `config.keep_models` says.
    """
    say_outdated(workdir)
    ending = ENDINGS[config.evaluation]
    problem = ending.problem(config, workdir, functools.partial(embeddings.embedded, config=config, workdir=workdir))
    selected = stages.selected(problem, config, workdir, ending.scorer(config))
    chosen = problem.pool.take(np.load(selected / "rows.npy"))

    whole = ending.problem(config, workdir, embed=None).pool  # before the relevance test
    keep_model = config.keep_models or awaited
    scored = stages.scored(ending, chosen, whole, selected, config, workdir, keep_model=keep_model)

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
        **_left_out(ending, config, workdir),
        "relevance": relevance.described(whole, problem.target, config, workdir),
        "targets": len(problem.target),
        "target_domains": problem.target.count_domains(),
        "selected": chosen.count_domains(),
        "selection": read_json(selected / "info.json"),
        "read": embeddings.read({"pool": problem.pool, "target": problem.target}, config, workdir),
        "seconds": _seconds(selected, scored),
        "protocol": list(config.protocol),
        **_made_with(selected, scored),
    }


def _left_out(ending, config, workdir: Path) -> dict[str, int]:
    """Returns how many texts are tested on, and how many chunks of the pool were left out for them."""
    pool = domain_targets.parts(config, workdir).pool if config.target.domains else inputs.pool(config, workdir)
    return leaking.counts(pool, ending.tested(config, workdir), workdir)


def _made_with(selected: Path, scored: Path) -> dict:
    """Returns what the score was made with, when it was made; by name, that of stages before it which were made otherwise."""
    made = made_with(selected) | made_with(scored)
    own = made[f"{scored.parent.name}/{scored.name}"]
    return {**own, "made_otherwise": {name: other for name, other in made.items() if other != own}}


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
