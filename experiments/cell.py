"""One cell of a table: the pipeline from texts to a score, each step a stage on disk that is made once."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from experiments import inputs, stages
from gotd_jax.artifacts import read_json, seconds_of
from gotd_jax.methods import Problem
from gotd_jax.report.results import provenance


def run(config, workdir: Path) -> dict:
    """Returns the row of one cell: what was run, its score, and how it came about.

    Args:
      config: a config without a sweep; see `configs/common.py`.
      workdir: where every stage is kept; a stage that lies there already is not made again.
    """
    task = inputs.task(config)
    pool = inputs.pool(config, workdir)
    target = inputs.target(config)

    embed = functools.partial(stages.embedded, config=config, workdir=workdir)
    selected = stages.selected(Problem(pool, target, embed), config, workdir)
    chosen = pool.take(np.load(selected / "rows.npy"))

    warm = functools.partial(stages.pre_finetuned, chosen, pool, config, workdir)
    scored = stages.scored(task, warm, selected, config, workdir)

    scores = read_json(scored / "scores.json")
    return {
        "cell": scored.name,
        "task": task.name,
        "method": config.method,
        "budget": config.budget,
        "seed": config.seed,
        "metric": task.metrics[0],
        "score": scores[task.metrics[0]],
        "scores": scores,
        "evaluated_on": task.test_split,
        "labels": len(task.train),
        "pool": pool.count_domains(),
        "targets": len(target),
        "selected": chosen.count_domains(),
        "selection": read_json(selected / "info.json"),
        "seconds": _seconds(selected, scored, [stages.embeddings_folder(side, config, workdir) for side in (pool, target)]),
        **provenance(),
    }


def _seconds(selected: Path, scored: Path, embeddings: list[Path]) -> dict[str, float]:
    """Returns how long each stage of a cell took to make, whenever that was, in seconds."""
    embedding = sum(seconds_of(folder) for folder in embeddings if folder.exists())
    warming = read_json(scored / "warming.json")["seconds"]
    selecting = seconds_of(selected)
    return {"embed": embedding, "select": selecting, "pre_finetune": warming, "finetune": seconds_of(scored) - warming}
