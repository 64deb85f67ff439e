"""The gradient of a language model's loss of each text in its parameters, projected to few numbers: a text's vector."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import jax
import numpy as np
from flax import nnx
from jax import lax
from jax.sharding import PartitionSpec as P

from gotd_jax import devices
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import Tokens
from gotd_jax.evaluation.text_losses import masked_batches, masked_columns
from gotd_jax.models.embedding import Vectors, batches_of, tokens_at_once
from gotd_jax.models.model import Loaded
from gotd_jax.models.scaling import unit_length
from gotd_jax.models.tokenizer import Vocabulary, tokenizer_of
from gotd_jax.training.objectives import CausalLanguageModel, MaskedLanguageModel
from gotd_jax.training.projection import Signs, draw_signs, project

GRADIENT = "gradient"  # the name of this way to a vector, beside the poolings of hidden states
SIZE = 1024
BYTES_AT_ONCE = 1 << 28  # of gradients before they are projected, on each device, or one gradient


def text_gradients(
    tokens: Tokens, texts: Corpus, model: Loaded, *, size: int = SIZE, layers: int | None = None, seed: int, normalise: bool
) -> Vectors:
    """Yields (rows, projected gradients float32 [rows, size]) of texts batch by batch, shortest first.

    The loss is the one that the model is trained by, a mean over a text's predicted tokens, without dropout: of a causal model
    each token but the first, of a masked one 15 % of the text's tokens, which all become the mask token; which ones depends on
    the seed and the text (`gotd_jax.evaluation.text_losses`). A step of plain gradient descent on one text lowers the loss of
    another by the learning rate times the inner product of their gradients (Pruthi et al. 2020); the projection keeps it
    (`projection.project`). Of length one, it is the cosine by which LESS (Xia et al. 2024, arXiv 2402.04333) compares texts;
    they take Adam's step for the pool's, and sum over checkpoints.

    Whatever the batches, each text's gradient is the same to rounding. A text without a token to predict has zeros.

    Args:
      tokens: of the texts, cut to the length that is read.
      texts: n texts.
      model: a causal or masked language model.
      size: of the projection, a power of two.
      layers: last layers of the model whose parameters count; None for all parameters, embeddings of tokens and head too.
      seed: of the projection and of the masks.
      normalise: whether gradients are scaled to length one.
    """
    check(model, layers)
    part = _part(model.params, layers)
    run = _program(model.definition, model.head, layers, max(BYTES_AT_ONCE // _bytes(part), 1))
    signs = draw_signs(part, size, seed)
    params, before, after = jax.device_put((model.params, signs.before, signs.after), devices.replicated())
    for rows, batch in _batches(tokens, texts, model, seed):
        found = devices.gathered(run(params, before, after, jax.device_put(batch, devices.split_rows())))[: len(rows)]
        yield rows, unit_length(found) if normalise else found


def check(model: Loaded, layers: int | None) -> None:
    """Raises ValueError unless a model has a loss of texts and as many as `layers` last layers to take its gradient of."""
    if model.head not in _OBJECTIVES:
        raise ValueError(f"The model's head is {model.head}, and only a causal or masked language model has losses of texts.")
    if layers is not None and not 1 <= layers <= model.config.layers:
        raise ValueError(f"The model has {model.config.layers} layers, and the gradient of the last {layers} was asked for.")


_OBJECTIVES = {"causal_lm": CausalLanguageModel, "masked_lm": MaskedLanguageModel}


def _batches(tokens: Tokens, texts: Corpus, model: Loaded, seed: int) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields (rows, arrays [B, ...]): of each row the batch of one text that the model's objective takes."""
    if model.head == "causal_lm":
        for rows, width, height in batches_of(tokens, model):
            batch = tokens.pad(rows, width, height=height)
            yield rows, {name: batch[name] for name in ("ids", "mask")}
        return
    vocabulary = Vocabulary.of(tokenizer_of(model))
    masked = masked_columns(tokens, texts.hashes, vocabulary, seed)
    for rows, batch in masked_batches(tokens, masked, vocabulary, functools.partial(tokens_at_once, model.config)):
        yield rows, batch | {"positions": batch.pop("columns")}  # columns of a batch of one text


@functools.lru_cache(maxsize=8)
def _program(definition: nnx.GraphDef, head: str, layers: int | None, at_once: int):
    """Returns the compiled function of (params, signs before and after, batch): projected gradients, float32 [B, size]."""
    objective = _OBJECTIVES[head](definition)

    def per_device(params, before, after, batch):
        def of_text(row):
            one = {name: array[None] if name in ("ids", "mask", "types") else array for name, array in row.items()}
            gradient = jax.grad(lambda part: objective(_with_part(params, part, layers), one, None)[0])(_part(params, layers))
            return project(gradient, Signs(before, after))

        rows = len(batch["ids"])
        parts = next(parts for parts in range(1, rows + 1) if rows % parts == 0 and rows // parts <= at_once)
        return lax.map(of_text, batch, batch_size=rows // parts)

    specs = P(), P(), P(), P(devices.AXIS)
    return jax.jit(jax.shard_map(per_device, mesh=devices.mesh(), in_specs=specs, out_specs=P(devices.AXIS), check_vma=False))


def _part(params: dict, layers: int | None) -> dict:
    """Returns the parameters of the last `layers` layers, by their numbers; all parameters where it is None."""
    if layers is None:
        return params
    blocks = params[_body(params)]["layers"]
    return {number: blocks[number] for number in sorted(blocks)[len(blocks) - layers :]}


def _with_part(params: dict, part: dict, layers: int | None) -> dict:
    """Returns `params` with the part that `_part` takes out replaced."""
    if layers is None:
        return part
    body = _body(params)
    return params | {body: params[body] | {"layers": params[body]["layers"] | part}}


def _body(params: dict) -> str:
    return "decoder" if "decoder" in params else "encoder"


def _bytes(part: dict) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(part))
