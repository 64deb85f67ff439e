"""Evaluation: a classifier's outputs for every example, in the examples' order, and their metrics."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import jax
import numpy as np
from flax import nnx

from gotd_jax import devices
from gotd_jax.data.tasks import Examples
from gotd_jax.data.tokens import Tokens, tokenise
from gotd_jax.models.published import Loaded
from gotd_jax.models.vocabulary import tokenizer_of
from gotd_jax.progress import progress
from gotd_jax.training.batches import on_devices, pad_id, width_of
from gotd_jax.training.metrics import score
from gotd_jax.training.recipe import Recipe


def evaluate(model: Loaded, params: dict, examples: Examples, metrics: Sequence[str], recipe: Recipe) -> dict[str, float]:
    """Returns each of `metrics` on labelled examples.

    Args:
      model: a loaded classifier; its `definition` and its tokeniser (in `source`) are used, not its parameters.
      params: the parameters to evaluate.
      examples: `corpus` and `labels`.
      metrics: names in `METRICS`.
      recipe: `max_length` and `batch_size` are used.
    """
    tokenizer = tokenizer_of(model)
    tokens = tokenise(tokenizer, examples.corpus, recipe.max_length)
    predictions = predict(model.definition, params, tokens, recipe, pad_id=pad_id(tokenizer))
    return score(metrics, predictions, examples.labels)


def predict(definition: nnx.GraphDef, params: dict, tokens: Tokens, recipe: Recipe, *, pad_id: int = 0) -> np.ndarray:
    """Returns a classifier's outputs without dropout, float32 [n, outputs], row i for text i.

    Texts of like length share a batch, and all batches have the same number of rows, so that little is padded and few
    programs are compiled.

    Args:
      definition: of a `Classifier`.
      params: its parameters.
      tokens: the tokens of n texts.
      recipe: `max_length` and `batch_size` are used.
      pad_id: id of the padding token.
    """
    forward = _compiled_forward(definition)
    params = jax.device_put(params, devices.replicated())
    order = np.argsort(tokens.lengths, kind="stable")
    outputs = []
    with progress(total=len(tokens), unit="texts", what="predicting") as bar:
        for start in range(0, len(tokens), recipe.batch_size):
            rows = order[start : start + recipe.batch_size]
            width = width_of(int(tokens.lengths[rows].max()), recipe.max_length)
            batch = tokens.pad(rows, width, height=recipe.batch_size, pad_id=pad_id)
            outputs.append(forward(params, on_devices(batch))[: len(rows)])
            if len(outputs) > 1:
                outputs[-2].block_until_ready()  # one is computed while the next is made, and the bar shows what is done
            bar.update(len(rows))
    predictions = np.concatenate([np.asarray(output) for output in outputs])
    return predictions[np.argsort(order)]


@functools.lru_cache(maxsize=16)
def _compiled_forward(definition: nnx.GraphDef) -> Callable:
    @jax.jit
    def forward(params, batch):
        return nnx.merge(definition, params)(batch["ids"], batch["mask"], batch["types"])

    return forward
