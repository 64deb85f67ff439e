"""One cell of a table: the pipeline from texts to a score, each step a stage on disk that is made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments import cell_models, relevance, stages
from experiments.cell_data import CellData, Shared
from experiments.endings import ENDINGS
from experiments.endings.ending import Ending, ProblemTexts
from gotd_jax import methods, provenance
from gotd_jax.artifacts import made_with, say_outdated, seconds_of
from gotd_jax.data.corpus import Corpus
from gotd_jax.files import read_json
from gotd_jax.methods import METHODS, Problem

# How a config gives the optional inputs of a method.
REMEDIES = {
    "home": "Name them: --config.task.home=\"('news',)\".",
    "away": "--config.evaluation=toxicity has toxic ones.",
    "toxicity": "--config.evaluation=toxicity has a scorer.",
    "losses": "Name the model: --config.model.",
}


def check_names(config) -> None:
    """Raises ValueError unless the config's method and evaluation exist."""
    methods.find(config.method)
    if config.evaluation not in ENDINGS:
        raise ValueError(f"There is no evaluation {config.evaluation!r}. There are: {', '.join(ENDINGS)}.")


def check(config, workdir: Path, shared: Shared | None = None) -> None:
    """Raises ValueError for whatever would stop the cell later: method, models, task, prompts, scorers, pool, budget.

    Args:
      config: a config without a sweep.
      workdir: where every stage is kept.
      shared: inputs that the cells of the run share.
    """
    say_outdated(workdir)
    check_names(config)
    cell_models.check(config)
    data = CellData(config, workdir, shared)
    ending = ENDINGS[config.evaluation](data)
    if config.target.domains and not ending.takes_domains:
        raise ValueError("A target of domains has no labels to train on. Set --config.evaluation=selection, or loss.")
    texts = ending.texts
    relevance.check(config, texts.candidates)
    _check_problem(config, texts, data)
    ending.settings()  # reads the texts that scores are made on
    if config.ot.published and config.ot.sample is not None:
        raise ValueError("config.ot.published is the notebook's call, of the whole pool. Leave out --config.ot.sample.")


def run(config, workdir: Path, shared: Shared | None = None, *, awaited: bool = False) -> dict:
    """Returns the row of one cell: its settings, its scores, and their provenance.

    Args:
      config: a config without a sweep; see `configs/common.py`.
      workdir: where every stage is kept; a stage that lies there already is not made again.
      shared: inputs that the cells of the run share.
      awaited: whether other cells have yet to train from this one's model, so that it stays in spite of `config.keep_models`.
    """
    say_outdated(workdir)
    ending = ENDINGS[config.evaluation](CellData(config, workdir, shared))
    selected = stages.selected(ending)
    chosen = ending.problem.pool.take(np.load(selected / "rows.npy"))
    scored = stages.scored(ending, chosen, selected, keep_model=config.keep_models or awaited)
    return _row(ending, chosen, selected, scored)


def _row(ending: Ending, chosen: Corpus, selected: Path, scored: Path) -> dict:
    config, data, texts, problem = ending.config, ending.data, ending.texts, ending.problem
    scores = read_json(scored / "scores.json")
    return {
        "cell": scored.name,
        "method": config.method,
        "budget": config.budget,
        "seed": config.seed,
        **ending.row(scores),
        "scores": scores,
        "pool": texts.candidates.count_domains(),
        "pool_contents": data.pool_contents,
        **data.left_out(texts.pool, texts.tested),
        "relevance": ending.relevance.described() if ending.relevance else None,
        "targets": len(problem.target),
        "target_domains": problem.target.count_domains(),
        "selected": chosen.count_domains(),
        "selection": read_json(selected / "info.json"),
        "read": _coverage(ending),
        "seconds": _seconds(selected, scored),
        "protocol": list(config.protocol),
        **_made_with(selected, scored),
    }


def _coverage(ending: Ending) -> dict[str, dict[str, int]]:
    """Returns how much of the texts of pool and target the encoder read, where the method reads embeddings."""
    if "embeddings" not in METHODS[ending.config.method].reads:
        return {}
    corpora = {"pool": ending.problem.pool, "target": ending.problem.target}
    covered = {name: ending.embedder.kept_coverage(corpus) for name, corpus in corpora.items()}
    return {name: found.summary() for name, found in covered.items() if found is not None}


def _check_problem(config, texts: ProblemTexts, data: CellData) -> None:
    """Raises ValueError unless the problem has the method's inputs, and as many candidates as the budget."""
    given = {"home": config.task.home, "away": texts.away, "toxicity": texts.chooser}
    problem = Problem(texts.candidates, texts.target, data.embedded)
    if config.budget_unit not in ("chunks", "tokens"):
        raise ValueError(f"config.budget_unit is {config.budget_unit!r}. It can be: chunks, tokens.")
    if config.budget_unit == "chunks":
        methods.check_budget(problem, config.budget)
    methods.find(config.method).check_given({"losses"} | {name for name, value in given.items() if value}, REMEDIES)


def _made_with(selected: Path, scored: Path) -> dict:
    """Returns the provenance of the score; by name also that of the stages behind it which were made otherwise."""
    made = made_with(selected) | made_with(scored)
    own = made[f"{scored.parent.name}/{scored.name}"]
    return {**own, "made_otherwise": {name: other for name, other in made.items() if other != own}}


def _seconds(selected: Path, scored: Path) -> dict[str, float]:
    """Returns the seconds of the steps to a cell's score, by step, whenever they were made.

    Seconds of the selection alone count as `select`; those of reading and embedding text for the scores alone, as `evaluate`.
    """
    found = dict.fromkeys(provenance.STEPS, 0.0) | seconds_of(selected)
    scoring = seconds_of(scored, besides=selected)
    found["pre_finetune"] += scoring.pop("pre_finetune", 0.0)
    found["evaluate"] += sum(scoring.values())
    return {step: round(found[step], 3) for step in provenance.STEPS}
