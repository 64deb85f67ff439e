"""Steps that every cell has, each a folder in the workdir, whole or absent, and named by a hash of its settings."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import numpy as np

from experiments.cell_labels import method_label
from experiments.endings.ending import Ending
from gotd_jax import artifacts, methods, ot
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.files import write_json, write_json_lines
from gotd_jax.methods import METHODS
from gotd_jax.models.loading import fingerprint_of
from gotd_jax.pipeline.token_budget import within_tokens


def selected(ending: Ending) -> Path:
    """Returns the folder of a cell's selection: `rows.npy`, `values.npy`, `info.json`, `selected.jsonl`."""
    problem, data, config, scorer = ending.problem, ending.data, ending.config, ending.texts.chooser
    method, options = METHODS[config.method], _options(config)
    settings = {
        "pool": problem.pool.fingerprint_with_domains,
        "target": problem.target.fingerprint,
        "method": method.identity,
        "budget": config.budget,
        "seed": config.seed,
        "options": options,
    }
    if config.budget_unit == "tokens":
        settings["tokeniser"] = fingerprint_of(data.model)
    if "embeddings" in method.reads:
        settings["encoder"] = data.encoder_settings
    if "away" in method.reads:
        settings["away"] = problem.away.fingerprint
    if "toxicity" in method.reads:
        settings["scorer"] = [scorer.name, scorer.version]
    if "home" in method.reads:
        settings["home"] = list(problem.home)
    if "reference" in method.may_read & problem.given:
        settings["reference"] = problem.reference.fingerprint
    if "losses" in method.reads:
        settings["losses"] = data.losses.settings(problem.pool)

    def make(folder: Path) -> None:
        select = functools.partial(methods.select, config.method, problem, seed=config.seed, **options)
        if config.budget_unit == "tokens" and method.selects:
            selection = within_tokens(select, data.tokens_of(problem.pool), config.budget)
        else:
            selection = select(config.budget if method.selects else 1)
        np.save(folder / "rows.npy", selection.rows)
        if selection.values is not None:
            np.save(folder / "values.npy", selection.values)
        write_json(folder / "info.json", selection.info)
        chosen = enumerate(problem.pool.take(selection.rows))
        write_json_lines(
            folder / "selected.jsonl",
            ({"rank": rank} | {key: record[key] for key in ("id", "domain", "text")} for rank, record in chosen),
        )

    folder = data.workdir / "selections" / f"{data.label}-{fingerprint(settings)}"
    return stage(folder, settings, make, kind="selections", step="select")


def scored(ending: Ending, chosen: Corpus, selection: Path, *, keep_model: bool) -> Path:
    """Returns the folder of a cell's scores: `scores.json` and the other files of its ending.

    Args:
      ending: of the cell.
      chosen: the selected texts, which the model is pre-fine-tuned on where the ending trains one.
      selection: the folder that `selected` returned; it is itself scored where the ending trains no model.
      keep_model: whether the pre-fine-tuned model stays when it has been scored.
    """
    data, config = ending.data, ending.config
    whole = ending.texts.candidates  # a head is trained on the pool before the relevance test, the same for all methods
    settings, model = {**ending.settings(), "seed": config.seed}, None
    if ending.trains is not None:
        model = data.pre_finetuned(chosen, whole)
        settings |= {"model": model.settings(), "compute_dtype": config.compute_dtype}
    else:
        settings |= {"selection": selection.name, "chosen": chosen.fingerprint_with_domains}

    def make(folder: Path) -> None:
        artifacts.note(selection)
        made = model.folder(data.workdir, method_label(config)) if model else selection
        ending.score(made, folder)
        if model and len(chosen) and not keep_model:
            shutil.rmtree(made.parent)

    folder = data.workdir / "scores" / f"{data.label}-{fingerprint(settings)}"
    return stage(folder, settings, make, kind="scores", step="evaluate")


def _options(config) -> dict:
    """Returns the options of the method: its own, its ranking's, and the transport solver's where it solves a problem."""
    method = METHODS[config.method]
    own = config[method.name].to_dict() if method.own_options else {}
    own |= {name: value for name, value in config.ranking.to_dict().items() if name in method.options}
    if not method.solves:
        return own
    solver = config.ot.to_dict()
    return own | (ot.PUBLISHED if solver.pop("published") else solver)
