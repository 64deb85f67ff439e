"""`python -m experiments.benchmark decoders`: reading, sampling and training against the published PyTorch models.

Both sides run the same weights in float32 on all cores, in turns in one process, with programs compiled before. Tokens a
second are medians over rounds; the ratio is the median of the rounds' ratios, above 1 where ours is faster.
"""

from __future__ import annotations

import dataclasses
import functools
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.benchmarks.measure import alternated, write_rows
from gotd_jax.artifacts import stage
from gotd_jax.data.packages import model_folder
from gotd_jax.devices import describe
from gotd_jax.models import causal
from gotd_jax.models.decoder_families import from_hf
from gotd_jax.models.generation import generate
from gotd_jax.models.model import Loaded
from gotd_jax.training.batches import on_devices
from gotd_jax.training.objectives import CausalLanguageModel
from gotd_jax.training.recipe import Recipe
from gotd_jax.training.step import compiled_start, compiled_step, placed
from third_party.torch_writers import TorchWriter

RECIPE = Recipe(learning_rate=2e-5, weight_decay=0.1, beta2=0.95, adam_epsilon=1e-5)  # the paper's for detoxification
GPT2 = {"model_type": "gpt2", "vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12}
CONTINUATIONS, NEW_TOKENS, TOP_P = 25, 20, 0.9
MODELS = ("SmolLM2-135M-Instruct", "GPT-2")


def run(workdir: Path, parts: list[str] | None, *, small: bool) -> None:
    """Measures the models named in `parts`, `MODELS` by default, and prints each one's table.

    Args:
      workdir: where measurements and models are kept.
      parts: of `MODELS`.
      small: whether to read a tenth as much, once.
    """
    if unknown := set(parts or ()) - set(MODELS):
        raise SystemExit(f"There is no part {', '.join(sorted(unknown))}. There are: {', '.join(MODELS)}.")
    for name in parts or MODELS:
        settings = {"model": name, "small": small, "device": describe()}
        folder = workdir / f"decoders-{name}{'-small' if small else ''}"
        made = stage(folder, settings, lambda partial, name=name: _compare(partial, _folder(name, workdir), small))
        print(f"{made}/table.md")


def _folder(name: str, workdir: Path) -> Path:
    """Returns the folder of a packaged model, or of one of GPT-2's size with random weights, which compute as fast."""
    if name != "GPT-2":
        return model_folder(name)
    folder = workdir / "models" / name
    return folder if folder.exists() else causal.save(folder, causal.initialise(from_hf(GPT2)))


def _compare(folder: Path, model: Path, small: bool) -> None:
    ours, theirs = causal.load(model), TorchWriter(model)
    rows = []
    for what, tokens, mine, other in _tasks(ours, theirs, small):
        seconds = alternated({"ours": mine, "PyTorch": other}, rounds=1 if small else 5)
        ratio = statistics.median(b / a for a, b in zip(seconds["ours"], seconds["PyTorch"]))
        rates = {f"{name}, tokens/s": f"{tokens / statistics.median(took):.0f}" for name, took in seconds.items()}
        rows.append({"what": what, **rates, "ours / PyTorch": f"{ratio:.2f}"})
    write_rows(folder, rows)


def _tasks(ours: Loaded, theirs: TorchWriter, small: bool):
    """Yields (what, tokens, our call, PyTorch's call)."""
    draw = np.random.default_rng(0).integers
    scale = 4 if small else 1
    many, few = draw(10, ours.config.vocab_size, (8, 256 // scale)), draw(10, ours.config.vocab_size, (4, 16))
    read = functools.partial(generate, ours, seed=0, continuations=1, new_tokens=1, temperature=0.0)
    yield (
        f"prompts, 8 of {many.shape[1]} tokens",
        many.size,
        functools.partial(read, many.tolist()),
        functools.partial(theirs.next_tokens, many),
    )
    written = NEW_TOKENS // scale
    options = {"continuations": CONTINUATIONS, "new_tokens": written, "top_p": TOP_P}
    yield (
        f"sampling, 4 prompts of 16 tokens, {CONTINUATIONS} continuations of {written}",
        len(few) * CONTINUATIONS * written,
        functools.partial(generate, _endless(ours), few.tolist(), seed=0, **options),
        functools.partial(theirs.sample, few, **options),
    )
    block = draw(10, ours.config.vocab_size, (4 // scale, 256)).astype(np.int32)
    yield (
        f"training, a step on {block.shape[0]} blocks of 256",
        block.size,
        functools.partial(_training(ours), block),
        functools.partial(theirs.training(**_torch_options()), block),
    )


def _endless(model: Loaded) -> Loaded:
    """Returns the model without tokens that end a text, so that every continuation is as long as every other."""
    config = dataclasses.replace(model.config, end_ids=())
    return dataclasses.replace(model, config=config, definition=causal.blueprint(config)[0])


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
        batch = on_devices({"ids": ids, "mask": np.ones(ids.shape, bool)})
        state, metrics = take_step(state, {}, batch, None, np.float32(RECIPE.learning_rate))
        return float(metrics["loss"])

    return step
