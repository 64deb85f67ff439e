"""The one training loop: any objective, any parameters, resumable, bitwise the same after a stop as without one."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gotd_jax import devices
from gotd_jax.progress import progress
from gotd_jax.training.checkpoints import Checkpoints
from gotd_jax.training.metrics_log import MetricsLog
from gotd_jax.training.recipe import Recipe
from gotd_jax.training.signals import DelayedSignals
from gotd_jax.training.step import compiled_start, compiled_step, placed


def train(
    objective: Callable,
    params: dict,
    batches: Any,
    recipe: Recipe,
    *,
    seed: int,
    folder: str | Path | None = None,
    trainable: Sequence[str] | None = None,
    validate: Callable[[dict], float] | None = None,
    save_every: int = 1000,
    save_last: bool = True,
    label: str = "training",
    log: Callable[[dict], None] | None = None,
    tensorboard: bool = False,
) -> dict:
    """Returns the parameters after one step of AdamW on each batch.

    Step t: parameters -= learning_rate(t) * direction(clip(gradient)), see `AdamW` and `Recipe.learning_rate_at`. Batches
    are split over all devices; parameters are whole on each, or laid over them (`recipe.shard_weights`). The mean of the
    loss is over the whole batch, so neither the devices nor the parts it is read in (`recipe.accumulate`) change anything
    but rounding.

    Args:
      objective: `(params, batch, key) -> (loss, metrics)`, hashable; see `objectives`.
      params: nested dict of float32 arrays; left as it is.
      batches: `len(batches)` steps, `batches[step]` a dict of arrays that is a pure function of `step`, among them
        `mask` [B, T], or [parts, B / parts, T] where it is read in parts; also `steps_per_epoch` and `fingerprint`.
      recipe: the optimiser and the schedule.
      seed: of dropout.
      folder: where the run keeps `checkpoints`, `run.json` and `metrics.jsonl`. If it holds a stopped run, that run is resumed.
        None keeps nothing.
      trainable: top-level keys of `params` to train; the rest stays as it is. All by default.
      validate: returns a score of parameters, higher is better. With it, the parameters of the best epoch are returned
        (the earliest of equals) instead of those of the last.
      save_every: steps between checkpoints. The state is also saved on Ctrl-C, on SIGTERM and at the end.
      save_last: whether to save at the end too; a caller that keeps the returned parameters need not.
      label: names the training on the progress bar and in messages.
      log: is called with every entry of `metrics.jsonl`.
      tensorboard: whether the folder gets event files for TensorBoard too.

    Raises:
      ValueError: there are no batches, no such `trainable` parts, or the folder holds a run of other settings.
      RuntimeError: the loss or the gradient is not finite.
      KeyboardInterrupt, SystemExit: the run was stopped; the state is saved.
    """
    steps = len(batches)
    trained, frozen = _split(params, trainable, recipe.shard_weights)
    if steps == 0:
        raise ValueError(f"There is nothing to train on ({label}): 0 batches. Give at least one text.")
    settings = {} if folder is None else _settings(objective, params, batches, recipe, seed, sorted(trained))
    take_step = compiled_step(objective, recipe.optimiser, recipe.accumulate, recipe.shard_weights)
    state = _first_state(trained, recipe, keep_best=validate is not None)
    dropout = jax.random.key(seed) if recipe.dropout else None
    with Checkpoints(folder, settings) as checkpoints, DelayedSignals() as signals:
        first, state = checkpoints.restore(state)
        with MetricsLog(folder, first=first, label=label, log=log, tensorboard=tensorboard) as metrics_log:
            for step in progress(range(first, steps), total=steps, done=first, unit="steps", step=label):
                batch = batches[step]
                learning_rate = recipe.learning_rate_at(step, steps)
                key = None if dropout is None else jax.random.fold_in(dropout, step)
                on_device = devices.split_batch(batch, recipe.accumulate)
                state["now"], metrics = take_step(state["now"], frozen, on_device, key, np.float32(learning_rate))
                metrics_log.add(step, learning_rate, int(batch["mask"].sum()), metrics)
                done = step + 1
                if validate is not None and done % batches.steps_per_epoch == 0:
                    metrics_log.flush()
                    score = validate({**frozen, **state["now"]["params"]})
                    metrics_log.write({"step": step, "validation": score})
                    state = _keep_better(state, score)
                if done % save_every == 0 or (done == steps and save_last) or signals.waiting:
                    metrics_log.flush()
                    checkpoints.save(done, state)
                signals.deliver()
            metrics_log.flush()
    return {**frozen, **state["now" if validate is None else "best"]["params"]}


def _split(params: dict, trainable: Sequence[str] | None, shard_weights: bool) -> tuple[dict, dict]:
    names = set(params if trainable is None else trainable)
    if not names or not names <= set(params):
        raise ValueError(f"The parts to train are {sorted(names)}; the parameters have {', '.join(sorted(params))}.")
    # Copied, because the step reuses the memory of its state and the caller's parameters must stay intact.
    trained = placed({name: params[name] for name in params if name in names}, shard_weights)
    frozen = placed({name: params[name] for name in params if name not in names}, shard_weights)
    return trained, frozen


def _first_state(trained: dict, recipe: Recipe, *, keep_best: bool) -> dict:
    moments = compiled_start(recipe.optimiser, recipe.shard_weights)(trained)
    state = {"now": {"params": trained, "moments": moments}}
    if keep_best:
        score = jax.device_put(np.float32(-np.inf), devices.replicated())
        state["best"] = {"params": jax.tree.map(jnp.copy, trained), "score": score}
    return state


def _keep_better(state: dict, score: float) -> dict:
    if not np.isfinite(score):
        raise RuntimeError(f"The validation gave {score}, so no epoch is best. Lower the learning rate or correct `validate`.")
    score = np.float32(score)  # as it is kept, so that equal scores compare equal
    if score <= np.float32(state["best"]["score"]):
        return state
    best = {"params": jax.tree.map(jnp.copy, state["now"]["params"]), "score": jax.device_put(score, devices.replicated())}
    return {**state, "best": best}


def _settings(objective, params: dict, batches: Any, recipe: Recipe, seed: int, trained: list[str]) -> dict:
    return {
        "objective": type(objective).__name__,
        "parameters": _fingerprint(params),
        "data": batches.fingerprint,
        "steps": len(batches),
        **dataclasses.asdict(recipe),
        "seed": seed,
        "trained": trained,
    }


def _fingerprint(params: dict) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path, array in jax.tree.leaves_with_path(params):
        digest.update(jax.tree_util.keystr(path).encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()
