"""The steps of a cell, each a folder in the workdir that is whole or absent and is named after all that made it."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments import inputs
from gotd_jax import methods, ot
from gotd_jax.artifacts import fingerprint, seconds_of, stage, write_json
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tasks import Task
from gotd_jax.embed import embed
from gotd_jax.methods import Problem
from gotd_jax.models import published
from gotd_jax.models.published import Loaded
from gotd_jax.training.evaluate import evaluate
from gotd_jax.training.finetune import finetune
from gotd_jax.training.pre_finetune import pre_finetune, warm_up_head
from gotd_jax.training.recipe import Recipe


def embedded(corpus: Corpus, config, workdir: Path) -> np.ndarray:
    """Returns the embeddings of `corpus` by the config's encoder, float32 [n, d], memory-mapped."""
    settings = config.embed
    return embed(
        corpus,
        _encoder(config, workdir),
        embeddings_folder(corpus, config, workdir),
        max_length=settings.max_length,
        normalise=settings.normalise,
    )


def embeddings_folder(corpus: Corpus, config, workdir: Path) -> Path:
    """Returns where the embeddings of `corpus` lie, made or not."""
    return workdir / "embeddings" / fingerprint([corpus.fingerprint, _encoder_settings(config)])


def selected(problem: Problem, config, workdir: Path) -> Path:
    """Returns the folder of what the config's method selects: `rows.npy`, `values.npy`, `info.json`, `selected.jsonl`."""
    options = _options(config)
    settings = {
        "pool": problem.pool.fingerprint,
        "target": problem.target.fingerprint,
        "method": config.method,
        "budget": config.budget,
        "seed": config.seed,
        "options": options,
        "encoder": _encoder_settings(config),
    }

    def make(folder: Path) -> None:
        selection = methods.select(config.method, problem, config.budget, seed=config.seed, **options)
        np.save(folder / "rows.npy", selection.rows)
        if selection.values is not None:
            np.save(folder / "values.npy", selection.values)
        write_json(folder / "info.json", selection.info)
        with open(folder / "selected.jsonl", "w", encoding="utf-8") as file:
            for rank, record in enumerate(problem.pool.take(selection.rows)):
                line = {"rank": rank, "id": record["id"], "domain": record["domain"], "text": record["text"]}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    return _stage(workdir / "selections", _label(config), settings, make)


def pre_finetuned(chosen: Corpus, pool: Corpus, config, workdir: Path) -> Path:
    """Returns the folder of the model trained on `chosen`, or of the published one where nothing was chosen."""
    base = inputs.model_folder(config.model)
    if len(chosen) == 0:
        return base
    settings = {
        "chosen": chosen.fingerprint,
        "model": inputs.model_fingerprint(config.model),
        "compute_dtype": config.compute_dtype,
        "head": config.head.to_dict(),
        "head_texts": pool.fingerprint,
        "recipe": config.pre_finetune.to_dict(),
        "seed": config.seed,
    }

    def make(folder: Path) -> None:
        model = _with_masked_lm_head(pool, config, workdir)
        recipe = Recipe(**config.pre_finetune)
        _keep_trained(folder, model, functools.partial(pre_finetune, model, chosen, recipe, seed=config.seed))

    return _stage(workdir / "pre_finetuned", _label(config), settings, make) / "model"


def scored(task: Task, warm: Callable[[], Path], selection: Path, config, workdir: Path) -> Path:
    """Returns the folder of the model's scores on the task after fine-tuning: `scores.json`.

    Args:
      task: what to fine-tune and evaluate on.
      warm: returns the folder of the model to start from; called only if there are no scores yet.
      selection: the folder that `selected` returned.
      config: of the cell.
      workdir: where stages are kept.
    """
    settings = {
        "task": config.task.to_dict(),
        "train": task.train.corpus.fingerprint,
        "test": task.test.corpus.fingerprint,
        "selection": selection.name if config.method != "none" else None,
        "model": inputs.model_fingerprint(config.model),
        "compute_dtype": config.compute_dtype,
        "head": config.head.to_dict(),
        "pre_finetune": config.pre_finetune.to_dict(),
        "finetune": config.finetune.to_dict(),
        "seed": config.seed,
    }

    def make(folder: Path) -> None:
        warmed = warm()
        model = published.load(warmed, "classifier", outputs=task.outputs, seed=config.seed, compute_dtype=config.compute_dtype)
        recipe = Recipe(**config.finetune)
        params = finetune(model, task, recipe, seed=config.seed, folder=folder / "training", save_last=False)
        write_json(folder / "scores.json", evaluate(model, params, task.test, task.metrics, recipe))
        warming = seconds_of(warmed.parent) if config.method != "none" else 0.0
        write_json(folder / "warming.json", {"seconds": warming})
        if config.method != "none" and not config.keep_models:
            shutil.rmtree(warmed.parent)
        shutil.rmtree(folder / "training")

    return _stage(workdir / "scores", _label(config), settings, make)


def _encoder_settings(config) -> dict:
    """Returns what embeddings depend on: with an encoder fine-tuned on the task first, on the task as well."""
    settings = config.embed.to_dict() | {"weights": inputs.model_fingerprint(config.embed.model)}
    if config.embed.finetuned:
        return settings | {"task": inputs.task(config).train.corpus.fingerprint, "seed": config.task.seed}
    return {key: value for key, value in settings.items() if key != "finetune"}


def _encoder(config, workdir: Path) -> Loaded:
    folder = inputs.model_folder(config.embed.model)
    if config.embed.finetuned:
        folder = _finetuned_encoder(config, workdir)
    return published.load(folder, compute_dtype=config.embed.compute_dtype)


def _finetuned_encoder(config, workdir: Path) -> Path:
    """Returns the folder of the encoder after supervised training on the task (App. C.2)."""
    settings = _encoder_settings(config)

    def make(folder: Path) -> None:
        task = inputs.task(config)
        base = inputs.model_folder(config.embed.model)
        model = published.load(base, "classifier", outputs=task.outputs, seed=config.task.seed)
        recipe = Recipe(**config.embed.finetune)
        _keep_trained(folder, model, functools.partial(finetune, model, task, recipe, seed=config.task.seed))

    return _stage(workdir / "encoders", config.task.name, settings, make) / "model"


def _with_masked_lm_head(pool: Corpus, config, workdir: Path) -> Loaded:
    """Returns the model with a masked-LM head: its own, or one warmed up on texts of the pool that no method chose."""
    load = functools.partial(published.load, head="masked_lm", compute_dtype=config.compute_dtype)
    base = inputs.model_folder(config.model)
    model = load(base, seed=config.pool.seed)
    if not model.fresh:
        return model
    settings = {
        "model": model.fingerprint,
        "compute_dtype": config.compute_dtype,
        "pool": pool.fingerprint,
        "seed": config.pool.seed,
        "head": config.head.to_dict(),
    }

    def make(folder: Path) -> None:
        texts = inputs.drawn(pool, config.head.chunks, config.pool.seed)
        recipe = Recipe(**config.head.recipe)
        _keep_trained(folder, model, functools.partial(warm_up_head, model, texts, recipe, seed=config.pool.seed))

    return load(_stage(workdir / "heads", "masked_lm", settings, make) / "model")


def _keep_trained(folder: Path, model: Loaded, train: Callable[..., dict]) -> None:
    """Writes the model, with the parameters that `train` returns, into a stage's folder; goes on where it was stopped."""
    if not (folder / "model").exists():
        params = train(folder=folder / "training", save_last=False)
        published.save(folder / "model", model, params)
    shutil.rmtree(folder / "training", ignore_errors=True)


def _options(config) -> dict:
    """Returns the arguments that are the method's own."""
    if config.method != "got_d":
        return {}
    options = config.ot.to_dict()
    return {**ot.PUBLISHED, "sample": options["sample"]} if options.pop("published") else options


def _label(config) -> str:
    return f"{config.task.name}-{config.method}-{config.budget}-{config.seed}"


def _stage(parent: Path, label: str, settings: dict, make: Callable[[Path], None]) -> Path:
    return stage(parent / f"{label}-{fingerprint(settings)}", settings, make)
