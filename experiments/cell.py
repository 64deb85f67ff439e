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
from gotd_jax.artifacts import made_with, say_outdated, seconds_of
from gotd_jax.files import read_json
from gotd_jax.methods import METHODS, Problem, check_budget

# How a cell ends, by `config.evaluation`: a module of check, problem, tested, scorer, settings, score and row.
ENDINGS = {"finetune": finetuning, "toxicity": detox, "choices": choosing, "selection": selecting}

STEPS = ("embed", "losses", "select", "pre_finetune", "evaluate")  # what the seconds of a row are told apart by


def check_names(config) -> None:
    """Raises ValueError unless the config's method and evaluation exist."""
    for kind, name, known in (("method", config.method, METHODS), ("evaluation", config.evaluation, ENDINGS)):
        if name not in known:
            raise ValueError(f"There is no {kind} {name!r}. There are: {', '.join(known)}.")


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
    check_budget(problem, config.budget)
    _check_has_what_it_reads(config.method, problem, ending.scorer(config))
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


def _check_has_what_it_reads(method: str, problem: Problem, scorer) -> None:
    if (method == "contrast" and problem.away is None) or (method == "rtp" and scorer is None):
        raise ValueError(
            f"The method {method} reads toxic texts or toxicity, which only --config.evaluation=toxicity has. Take that, or "
            "another method."
        )
    if method == "dapt" and not problem.home:
        raise ValueError("The method dapt draws from the task's own domain. Name it: --config.task.home=\"('news',)\".")


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
    found = dict.fromkeys(STEPS, 0.0) | seconds_of(selected)
    scoring = seconds_of(scored, besides=selected)
    found["pre_finetune"] += scoring.pop("pre_finetune", 0.0)
    found["evaluate"] += sum(scoring.values())
    return {step: round(found[step], 3) for step in STEPS}
