"""Steps that every cell has, each a folder in the workdir that is whole or absent and is named after all that made it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from experiments import embeddings, losses, models
from experiments.training import label
from gotd_jax import methods, ot
from gotd_jax.artifacts import fingerprint, stage, write_json
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.methods import Problem
from gotd_jax.models import named


def selected(problem: Problem, config, workdir: Path, scorer: Scorer | None = None) -> Path:
    """Returns the folder of what the config's method selects: `rows.npy`, `values.npy`, `info.json`, `selected.jsonl`.

    Args:
      problem: what the method is given.
      config: of the cell.
      workdir: where stages are kept.
      scorer: what the problem's toxicity is by; None where it has none.
    """
    options = _options(config)
    settings = {
        "pool": problem.pool.fingerprint,
        "target": problem.target.fingerprint,
        "method": config.method,
        "budget": config.budget,
        "seed": config.seed,
        "options": options,
        "encoder": embeddings.encoder_settings(config),
    }
    if problem.away is not None:
        settings["away"] = problem.away.fingerprint
    if scorer is not None:
        settings["scorer"] = [scorer.name, scorer.version]
    if config.method in ("dapt", "all_domains"):
        settings["domains"] = problem.pool.count_domains()  # which the fingerprint of the texts does not tell
        settings["home"] = list(problem.home)
    if config.method == "loss_difference":
        settings["losses"] = losses.settings(problem.pool, config)

    def make(folder: Path) -> None:
        selection = methods.select(config.method, problem, config.budget, seed=config.seed, **options)
        np.save(folder / "rows.npy", selection.rows)
        if selection.values is not None:
            np.save(folder / "values.npy", selection.values)
        write_json(folder / "info.json", selection.info)
        chosen = enumerate(problem.pool.take(selection.rows))
        write_lines(
            folder / "selected.jsonl",
            ({"rank": rank} | {key: record[key] for key in ("id", "domain", "text")} for rank, record in chosen),
        )

    return stage(workdir / "selections" / f"{label(config)}-{fingerprint(settings)}", settings, make)


def scored(ending, warm: Callable[[], Path], selection: Path, config, workdir: Path) -> Path:
    """Returns the folder of a cell's scores: `scores.json` and what else its evaluation leaves.

    Args:
      ending: how the cell ends; see `experiments.cell.ENDINGS`.
      warm: returns the folder of the model to start from; called only if there are no scores yet, and the ending is of a
        model: another scores the folder of the selection.
      selection: the folder that `selected` returned.
      config: of the cell.
      workdir: where stages are kept.
    """
    settings = {
        **ending.settings(config, workdir),
        "selection": selection.name if config.method != "none" else None,
        "seed": config.seed,
    }
    if models.is_trained(config):
        settings |= {
            "model": named.fingerprint_of(config.model),
            "compute_dtype": config.compute_dtype,
            "pre_finetune": config.pre_finetune.to_dict(),
        }

    def make(folder: Path) -> None:
        trained = models.is_trained(config) and config.method != "none"
        scored = warm() if models.is_trained(config) else selection
        ending.score(scored, folder, config, workdir)
        if trained and not config.keep_models:
            shutil.rmtree(scored.parent)

    return stage(workdir / "scores" / f"{label(config)}-{fingerprint(settings)}", settings, make)


def write_lines(path: Path, records: Iterable[dict]) -> None:
    """Writes JSON Lines into a stage that is not whole yet."""
    with open(path, "w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def _options(config) -> dict:
    """Returns the arguments that are the method's own."""
    if config.method not in methods.SOLVING:
        return {}
    options = config.ot.to_dict()
    return ot.PUBLISHED if options.pop("published") else options
