"""`python -m experiments.benchmark decoders`: reading, sampling and training against the published PyTorch models.

Both sides run the same weights in float32 on all cores, in turns, each in a process of its own, with programs compiled
before. Tokens a second are medians over rounds; the ratio is the median of the rounds' ratios, above 1 where ours is faster.
"""

from __future__ import annotations

import dataclasses
import functools
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.benchmarks.measure import alternated, own_processes, write_rows
from gotd_jax import devices, models
from gotd_jax.artifacts import stage
from gotd_jax.devices import describe, prepare
from gotd_jax.models.config_json import from_hf
from gotd_jax.models.generation import generate
from gotd_jax.models.model import Loaded
from gotd_jax.models.packaged import model_folder
from gotd_jax.training.objectives import CausalLanguageModel
from gotd_jax.training.recipe import Recipe
from gotd_jax.training.step import compiled_start, compiled_step, placed
from third_party.torch_writers import TorchWriter

RECIPE = Recipe(learning_rate=2e-5, weight_decay=0.1, beta2=0.95, adam_epsilon=1e-5)  # the paper's for detoxification
GPT2 = {"model_type": "gpt2", "vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12}
CONTINUATIONS, NEW_TOKENS, TOP_P = 25, 20, 0.9
UNMEASURED_STEPS = 8  # until a virtual machine has found all the memory that the two sides' steps ask for in turns
LEAST_VOCABULARY = 49_152  # of the models, SmolLM2's
MODELS = ("SmolLM2-135M-Instruct", "GPT-2")


def run(workdir: Path, parts: list[str] | None, *, small: bool) -> list[Path]:
    """Measures the models named in `parts`, `MODELS` by default, prints each one's table and returns their folders.

    Args:
      workdir: where measurements and models are kept.
      parts: of `MODELS`.
      small: whether to read a tenth as much, once.
    """
    if unknown := set(parts or ()) - set(MODELS):
        raise SystemExit(f"There is no part {', '.join(sorted(unknown))}. There are: {', '.join(MODELS)}.")
    made = []
    for name in parts or MODELS:
        settings = {"model": name, "small": small, "device": describe()}
        folder = workdir / f"decoders-{name}{'-small' if small else ''}"
        compare = functools.partial(_compare, of=functools.partial(_folder, name, workdir), small=small)
        made.append(stage(folder, settings, compare, kind="benchmarks"))
    return made


def _folder(name: str, workdir: Path) -> Path:
    """Returns the folder of a packaged model, or of one of GPT-2's size with random weights, which compute as fast."""
    if name != "GPT-2":
        return model_folder(name)
    folder = workdir / "models" / name
    return folder if folder.exists() else models.save(folder, models.initialise(from_hf(GPT2)))


def _compare(folder: Path, of: Callable[[], Path], small: bool) -> None:
    rows, tasks, model = [], _Tasks(small), of()
    with own_processes(
        {"ours": functools.partial(_ours, model, tasks), "PyTorch": functools.partial(_theirs, model, tasks)}
    ) as call:
        for what, tokens in tasks.tokens.items():
            sides = {side: functools.partial(call, side, what) for side in ("ours", "PyTorch")}
            unmeasured = UNMEASURED_STEPS if what == tasks.names[-1] and not small else 1
            seconds = alternated(sides, rounds=1 if small else 5, unmeasured=unmeasured)
            ratio = statistics.median(b / a for a, b in zip(seconds["ours"], seconds["PyTorch"]))
            rates = {f"{name}, tokens/s": f"{tokens / statistics.median(took):.0f}" for name, took in seconds.items()}
            rows.append({"what": what, **rates, "ours / PyTorch": f"{ratio:.2f}"})
    write_rows(folder, rows)


class _Tasks:
    """The tasks of both sides, in tokens drawn at random.

    Args:
      small: whether a tenth of it.
    """

    def __init__(self, small: bool):
        scale = 4 if small else 1
        draw = functools.partial(np.random.default_rng(0).integers, 10, LEAST_VOCABULARY)
        self.many, self.few = draw((8, 256 // scale)), draw((4, 16))
        self.block = draw((4 // scale, 256)).astype(np.int32)
        self.written = {"continuations": CONTINUATIONS, "new_tokens": NEW_TOKENS // scale, "top_p": TOP_P}
        continued = len(self.few) * CONTINUATIONS * self.written["new_tokens"]
        self.names = (
            f"prompts, 8 of {self.many.shape[1]} tokens",
            f"sampling, 4 prompts of 16 tokens, {CONTINUATIONS} continuations of {self.written['new_tokens']}",
            f"training, a step on {len(self.block)} blocks of 256",
        )
        self.tokens = dict(zip(self.names, (self.many.size, continued, self.block.size)))


def _ours(folder: Path, tasks: _Tasks) -> dict[str, Callable]:
    prepare()
    model = models.load(folder)
    calls = (
        functools.partial(generate, model, tasks.many.tolist(), seed=0, continuations=1, new_tokens=1, temperature=0.0),
        functools.partial(generate, _endless(model), tasks.few.tolist(), seed=0, **tasks.written),
        functools.partial(_training(model), tasks.block),
    )
    return dict(zip(tasks.names, calls))


def _theirs(folder: Path, tasks: _Tasks) -> dict[str, Callable]:
    model = TorchWriter(folder)
    calls = (
        functools.partial(model.next_tokens, tasks.many),
        functools.partial(model.sample, tasks.few, **tasks.written),
        functools.partial(model.training(**_torch_options()), tasks.block),
    )
    return dict(zip(tasks.names, calls))


def _endless(model: Loaded) -> Loaded:
    """Returns the model without tokens that end a text, so that every continuation is as long as every other."""
    config = dataclasses.replace(model.config, end_ids=())
    return dataclasses.replace(model, config=config, definition=models.blueprint(config)[0])


def _torch_options() -> dict:
    return {
        "lr": RECIPE.learning_rate,
        "betas": (RECIPE.beta1, RECIPE.beta2),
        "eps": RECIPE.adam_epsilon,
        "weight_decay": RECIPE.weight_decay,
        "clip_norm": RECIPE.clip_norm,
    }


def _training(model: Loaded) -> Callable:
    """Returns a function from ids [B, T] to the loss of one step of AdamW, which it makes; the loop's own step."""
    take_step = compiled_step(CausalLanguageModel(model.definition), RECIPE.optimiser)
    params = placed(model.params, False)
    state = {"params": params, "moments": compiled_start(RECIPE.optimiser)(params)}

    def step(ids: np.ndarray) -> float:
        nonlocal state
        batch = devices.split_batch({"ids": ids, "mask": np.ones(ids.shape, bool)})
        state, metrics = take_step(state, {}, batch, None, np.float32(RECIPE.learning_rate))
        return float(metrics["loss"])

    return step
