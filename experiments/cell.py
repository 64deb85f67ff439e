"""One cell of a table: the pipeline from texts to a score, each step a stage on disk that is made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments import cell_models, relevance, stages
from experiments.cell_data import CellData, Shared
from experiments.endings import ENDINGS
from experiments.endings.ending import Ending, ProblemTexts
from gotd_jax import provenance
from gotd_jax.artifacts import made_with, say_outdated, seconds_of
from gotd_jax.data.corpus import Corpus
from gotd_jax.files import read_json
from gotd_jax.methods import METHODS, Problem, check_budget


def check_names(config) -> None:
    """Raises ValueError unless the config's method and evaluation exist."""
    for kind, name, known in (("method", config.method, METHODS), ("evaluation", config.evaluation, ENDINGS)):
        if name not in known:
            raise ValueError(f"There is no {kind} {name!r}. There are: {', '.join(known)}.")


def check(config, workdir: Path, shared: Shared | None = None) -> None:
    """Raises ValueError for whatever would stop the cell later: method, models, task, prompts, scorers, pool, budget.

    Args:
      config: a config without a sweep.
      workdir: where every stage is kept.
      shared: what was read for other cells of the run.
    """
    say_outdated(workdir)
    check_names(config)
    cell_models.check(config)
    data = CellData(config, workdir, shared)
    ending = ENDINGS[config.evaluation](data)
    if config.target.domains and config.evaluation != "selection":
        raise ValueError("A target of domains has no labels to train on. Set --config.evaluation=selection.")
    texts = ending.texts
    relevance.check(config, texts.candidates)
    check_budget(Problem(texts.candidates, texts.target, data.embedded), config.budget)
    _check_has_what_it_reads(config, texts)
    ending.settings()  # reads what is measured on
    if config.ot.published and config.ot.sample is not None:
        raise ValueError("config.ot.published is the notebook's call, of the whole pool. Leave out --config.ot.sample.")


def run(config, workdir: Path, shared: Shared | None = None, *, awaited: bool = False) -> dict:
    """Returns the row of one cell: what was run, its scores, and how they came about.

    Args:
      config: a config without a sweep; see `configs/common.py`.
      workdir: where every stage is kept; a stage that lies there already is not made again.
      shared: what was read for other cells of the run.
      awaited: whether other cells have yet to train from this one's model, so that it stays whatever `config.keep_models` says.
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
        "read": data.coverage({"pool": problem.pool, "target": problem.target}),
        "seconds": _seconds(selected, scored),
        "protocol": list(config.protocol),
        **_made_with(selected, scored),
    }


def _check_has_what_it_reads(config, texts: ProblemTexts) -> None:
    if (config.method == "contrast" and texts.away is None) or (config.method == "rtp" and texts.chooser is None):
        raise ValueError(
            f"The method {config.method} reads toxic texts or toxicity, which only --config.evaluation=toxicity has. Take "
            "that, or another method."
        )
    if config.method == "dapt" and not config.task.home:
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
    found = dict.fromkeys(provenance.STEPS, 0.0) | seconds_of(selected)
    scoring = seconds_of(scored, besides=selected)
    found["pre_finetune"] += scoring.pop("pre_finetune", 0.0)
    found["evaluate"] += sum(scoring.values())
    return {step: round(found[step], 3) for step in provenance.STEPS}
