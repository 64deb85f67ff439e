"""A classifier's outputs for every example, in the examples' order, and their metrics."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import jax
import numpy as np
from flax import nnx

from gotd_jax import devices
from gotd_jax.data.length_buckets import batch_width
from gotd_jax.data.tasks import Examples
from gotd_jax.data.tokens import Tokens, tokenise
from gotd_jax.evaluation.metrics import score
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import pad_id, tokenizer_of
from gotd_jax.progress import progress


def evaluate(
    model: Loaded, params: dict, examples: Examples, metrics: Sequence[str], *, batch_size: int, max_length: int
) -> dict[str, float]:
    """Returns each of `metrics` on labelled examples.

    Args:
      model: a loaded classifier; its `definition` and its tokeniser (in `source`) are used, not its parameters.
      params: the parameters to evaluate.
      examples: `corpus` and `labels`.
      metrics: names in `METRICS`.
      batch_size: examples at once, on all devices together.
      max_length: tokens of a text that are read.
    """
    tokenizer = tokenizer_of(model)
    tokens = tokenise(tokenizer, examples.corpus, max_length)
    sizes = {"batch_size": batch_size, "max_length": max_length}
    predictions = predict(model.definition, params, tokens, **sizes, pad_id=pad_id(tokenizer))
    return score(metrics, predictions, examples.labels)


def predict(
    definition: nnx.GraphDef, params: dict, tokens: Tokens, *, batch_size: int, max_length: int, pad_id: int = 0
) -> np.ndarray:
    """Returns a classifier's outputs without dropout, float32 [n, outputs], row i for text i.

    Texts of similar length share a batch, and all batches have the same number of rows, so that little is padded and few
    programs are compiled.

    Args:
      definition: of a `Classifier`.
      params: its parameters.
      tokens: the tokens of n texts.
      batch_size: texts at once, on all devices together.
      max_length: tokens of a text that are read.
      pad_id: id of the padding token.
    """
    forward = _compiled_forward(definition)
    params = jax.device_put(params, devices.replicated())
    order = np.argsort(tokens.lengths, kind="stable")
    outputs = []
    with progress(total=len(tokens), unit="texts", step="predicting") as bar:
        for start in range(0, len(tokens), batch_size):
            rows = order[start : start + batch_size]
            width = batch_width(int(tokens.lengths[rows].max()), max_length)
            batch = tokens.pad(rows, width, height=batch_size, pad_id=pad_id)
            outputs.append(forward(params, devices.split_batch(batch))[: len(rows)])
            if len(outputs) > 1:
                outputs[-2].block_until_ready()  # one is computed while the next is made, and the bar shows the finished ones
            bar.update(len(rows))
    predictions = np.concatenate([np.asarray(output) for output in outputs])
    return predictions[np.argsort(order)]


@functools.lru_cache(maxsize=16)
def _compiled_forward(definition: nnx.GraphDef) -> Callable:
    @jax.jit
    def forward(params, batch):
        return nnx.merge(definition, params)(batch["ids"], batch["mask"], batch["types"])

    return forward
