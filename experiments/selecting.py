"""The ending of a cell that trains nothing: how good the selection itself is."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np

from experiments import domain_targets, embeddings, finetuning, inputs, leaking, losses, measuring, relevance
from gotd_jax.artifacts import fingerprint, read_json, stage, write_json
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.samples import drawn
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.methods import METHODS, Problem
from gotd_jax.methods.problem import lowest
from gotd_jax.report import measures


def check(config) -> None:
    """Raises ValueError for what this ending cannot work with."""
    settings = config.selection
    if not METHODS[config.method].selects:
        raise ValueError(
            f"The method {config.method} selects nothing that could be measured. Leave it out, or set another evaluation."
        )
    if not 0 < settings.mass <= 1 or settings.held_out < 1 or settings.exact < 1:
        raise ValueError(
            f"selection.mass is {settings.mass}, held_out {settings.held_out} and exact {settings.exact}. The mass of the "
            "selection lies above 0 and at most at 1; the others are at least 1."
        )
    if importlib.util.find_spec("ot") is None:
        raise ValueError("The evaluation selection measures with POT, which is missing. Get it: pip install 'pot>=0.9.7'.")
    if config.target.domains:
        domain_targets.check(config)
    else:
        finetuning.check(config)


def problem(config, workdir: Path, embed) -> Problem:
    """Returns what the method is given: as for fine-tuning, or a pool that the domains of the target are held out of."""
    if not config.target.domains:
        return finetuning.problem(config, workdir, embed)
    parts = domain_targets.parts(config, workdir)
    clean = leaking.candidates(parts.pool, parts.held_out, workdir)
    pool = relevance.relevant(clean, parts.target, embed, config, workdir)
    read = losses.asked_for(pool, parts.target, config, workdir)
    return Problem(pool, parts.target, embed, home=tuple(config.task.home), losses=read)


def tested(config, workdir: Path) -> Corpus:
    """Returns the texts that the measures are made on."""
    return domain_targets.parts(config, workdir).held_out if config.target.domains else inputs.tested(config)


def scorer(config) -> Scorer | None:
    """Returns what the problem's toxicity is by: nothing."""
    return None


def settings(config, workdir: Path) -> dict:
    """Returns what the measures depend on beside the selection."""
    return {
        "evaluation": "selection",
        "measured": config.selection.to_dict(),
        "held_out": _held_out(config, workdir).fingerprint,
        "home": list(config.task.home),
        "encoder": embeddings.encoder_settings(config),
        "seed": config.pool.seed,
    }


def score(selection: Path, folder: Path, config, workdir: Path) -> None:
    """Measures what `selection` holds and writes its `scores.json` into `folder`."""
    given = problem(config, workdir, functools.partial(embeddings.embedded, config=config, workdir=workdir))
    rows, info = np.load(selection / "rows.npy"), read_json(selection / "info.json")
    reference = _reference(given, config, workdir)
    exact = lowest(np.load(reference / "values.npy"), len(rows))
    sample, chosen = _sample(len(given.pool), config), rows[_sample(len(rows), config)]
    held_out = embeddings.embedded(_held_out(config, workdir), config, workdir)
    mixed = measuring.effective_cost(given.candidates[sample], given.candidates[chosen], held_out, config.selection.mass)
    domains = given.pool.domains
    scores = {
        "exact_share": measuring.shared(rows, exact),
        "exact_solved_on": len(sample),
        "held_out_cost": mixed,
        "held_out_cost_of_pool": read_json(reference / "cost.json")["pool"],
        "held_out": len(held_out),
        "mass": config.selection.mass,
        "home": {name: float(np.mean(domains[rows] == name)) for name in config.task.home},
        "others": bool(set(np.unique(domains)) - set(config.task.home)),
        "solve": {name: info[name] for name in ("marginal_error", "passes", "seconds") if name in info},
    }
    write_json(folder / "scores.json", scores)


def row(scores: dict, config) -> dict:
    """Returns what a row of results says of this ending's measures."""
    return {"task": config.task.name, "measures": measures.of_selection(scores)}


def _held_out(config, workdir: Path) -> Corpus:
    """Returns texts of the target that no method sees: of the task's test split, in chunks, or of the target's domains."""
    if config.target.domains:
        return domain_targets.parts(config, workdir).held_out
    chunks = inputs.chunked(inputs.task(config).test.corpus, config)
    return inputs.drawn(chunks, config.selection.held_out, config.task.seed)


def _reference(given: Problem, config, workdir: Path) -> Path:
    """Returns the folder of what all selections from a pool for a target are measured by: exact values, the pool's cost."""
    held_out = _held_out(config, workdir)
    settings = {
        "pool": given.pool.fingerprint,
        "target": given.target.fingerprint,
        "held_out": held_out.fingerprint,
        "exact": config.selection.exact,
        "seed": config.pool.seed,
        "encoder": embeddings.encoder_settings(config),
    }

    def make(folder: Path) -> None:
        sample = _sample(len(given.pool), config)
        np.save(folder / "values.npy", measuring.exact_values(given.candidates, given.targets, sample))
        pool, texts = given.candidates[sample], embeddings.embedded(held_out, config, workdir)
        write_json(folder / "cost.json", {"pool": measuring.effective_cost(pool, pool, texts, 0.0)})

    return stage(workdir / "exact" / fingerprint(settings), settings, make, kind="exact")


def _sample(size: int, config) -> np.ndarray:
    """Returns which of `size` texts exact problems are solved on, ascending: all, or as many as are affordable."""
    return drawn(size, config.selection.exact, config.pool.seed)
