"""One cell of a table: the pipeline from texts to a score, each step a stage on disk that is made once."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from experiments import choosing, detox, embeddings, finetuning, models, stages, training
from gotd_jax.artifacts import read_json, seconds_of
from gotd_jax.methods import METHODS, Problem, check_budget
from gotd_jax.report.results import provenance

# How a cell ends, by `config.evaluation`: a module of check, problem, scorer, settings, score and row.
ENDINGS = {"finetune": finetuning, "toxicity": detox, "choices": choosing}


def check(config, workdir: Path) -> None:
    """Raises ValueError for whatever would stop the cell later: method, models, task, prompts, scorers, pool, budget."""
    if config.method not in METHODS:
        raise ValueError(f"There is no method {config.method!r}. There are: {', '.join(METHODS)}.")
    models.check(config)
    ending = ENDINGS[config.evaluation]
    ending.check(config)
    problem = ending.problem(config, workdir, embed=None)
    check_budget(problem, config.budget)
    _check_has_what_it_reads(config.method, problem, ending.scorer(config))


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

    warm = functools.partial(training.pre_finetuned, chosen, problem.pool, config, workdir)
    scored = stages.scored(ending, warm, selected, config, workdir)

    scores = read_json(scored / "scores.json")
    return {
        "cell": scored.name,
        "method": config.method,
        "budget": config.budget,
        "seed": config.seed,
        **ending.row(scores, config),
        "scores": scores,
        "pool": problem.pool.count_domains(),
        "targets": len(problem.target),
        "selected": chosen.count_domains(),
        "selection": read_json(selected / "info.json"),
        "seconds": _seconds(selected, scored, [embeddings.folder(side, config, workdir) for side in _sides(problem)]),
        **provenance(),
    }


def _sides(problem: Problem) -> list:
    return [side for side in (problem.pool, problem.target, problem.away) if side is not None]


def _check_has_what_it_reads(method: str, problem: Problem, scorer) -> None:
    if (method == "contrast" and problem.away is None) or (method == "rtp" and scorer is None):
        raise ValueError(
            f"The method {method} reads toxic texts or toxicity, which only --config.evaluation=toxicity has. Take that, or "
            "another method."
        )


def _seconds(selected: Path, scored: Path, embedded: list[Path]) -> dict[str, float]:
    """Returns how long each stage of a cell took to make, whenever that was, in seconds."""
    embedding = sum(seconds_of(folder) for folder in embedded if folder.exists())
    warming = read_json(scored / "warming.json")["seconds"]
    selecting = seconds_of(selected)
    return {"embed": embedding, "select": selecting, "pre_finetune": warming, "evaluate": seconds_of(scored) - warming}
