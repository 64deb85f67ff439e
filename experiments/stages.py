"""Steps that every cell has, each a folder in the workdir that is whole or absent and is named after all that made it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from experiments import embeddings, losses, models, training
from gotd_jax import artifacts, methods, ot
from gotd_jax.artifacts import fingerprint, stage, write_json
from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.methods import METHODS, Problem


def selected(problem: Problem, config, workdir: Path, scorer: Scorer | None = None) -> Path:
    """Returns the folder of what the config's method selects: `rows.npy`, `values.npy`, `info.json`, `selected.jsonl`.

    Args:
      problem: what the method is given.
      config: of the cell.
      workdir: where stages are kept.
      scorer: what the problem's toxicity is by; None where it has none.
    """
    method, options = METHODS[config.method], _options(config)
    settings = {
        "pool": problem.pool.fingerprint_with_domains,
        "target": problem.target.fingerprint,
        "method": method.identity,
        "budget": config.budget,
        "seed": config.seed,
        "options": options,
    }
    if "embeddings" in method.reads:
        settings["encoder"] = embeddings.encoder_settings(config)
    if "away" in method.reads:
        settings["away"] = problem.away.fingerprint
    if "toxicity" in method.reads:
        settings["scorer"] = [scorer.name, scorer.version]
    if "home" in method.reads:
        settings["home"] = list(problem.home)
    if "losses" in method.reads:
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

    folder = workdir / "selections" / f"{training.label(config)}-{fingerprint(settings)}"
    return stage(folder, settings, make, kind="selections")


def scored(ending, chosen: Corpus, whole: Corpus, selection: Path, config, workdir: Path, *, keep_model: bool) -> Path:
    """Returns the folder of a cell's scores: `scores.json` and what else its evaluation leaves.

    Args:
      ending: how the cell ends; see `experiments.cell.ENDINGS`.
      chosen: the selected texts, which the model is pre-fine-tuned on where the ending is of a model.
      whole: the pool before the domain relevance test, which a masked-LM head is warmed up on, the same for all methods.
      selection: the folder that `selected` returned; what is scored where the ending is of no model.
      config: of the cell.
      workdir: where stages are kept.
      keep_model: whether the pre-fine-tuned model stays when it has been scored.
    """
    trained, settings = models.is_trained(config), {**ending.settings(config, workdir), "seed": config.seed}
    if trained:
        settings |= {"model": training.settings(chosen, whole, config), "compute_dtype": config.compute_dtype}
    else:
        settings |= {"selection": selection.name, "chosen": chosen.fingerprint_with_domains}

    def make(folder: Path) -> None:
        artifacts.note(selection)
        scored = training.pre_finetuned(chosen, whole, config, workdir) if trained else selection
        ending.score(scored, folder, config, workdir)
        if trained and len(chosen) and not keep_model:
            shutil.rmtree(scored.parent)

    folder = workdir / "scores" / f"{training.label(config)}-{fingerprint(settings)}"
    return stage(folder, settings, make, kind="scores")


def write_lines(path: Path, records: Iterable[dict]) -> None:
    """Writes JSON Lines into a stage that is not whole yet."""
    with open(path, "w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def _options(config) -> dict:
    """Returns the options of the method: its own, and those of the transport solver where it solves a problem."""
    method = METHODS[config.method]
    own = config[method.name].to_dict() if method.own_options else {}
    if not method.solves:
        return own
    solver = config.ot.to_dict()
    return own | (ot.PUBLISHED if solver.pop("published") else solver)
