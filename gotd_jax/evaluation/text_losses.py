"""The loss of each text under a language model, a mean over its tokens."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import lax
from jax.sharding import PartitionSpec as P

from gotd_jax import devices
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.length_buckets import batches_by_width
from gotd_jax.data.tokens import Tokens, tokenise
from gotd_jax.evaluation.context_pairs import Pair, encode, prefix_id, rolling
from gotd_jax.files import whole_file
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import Vocabulary, tokenizer_of
from gotd_jax.progress import progress

TEXTS_PER_BLOCK = 4096  # whose tokens are held at once; a stopped run reads its last block again
LOGITS_AT_ONCE = 1 << 24  # numbers, 64 MiB
WINDOW = {"ids": np.int32, "mask": bool, "labels": np.int32, "weights": np.float32}
MASK_SHARE = 0.15  # of a text's tokens (Devlin et al. 2019, Section 3.1)


def losses(
    model: Loaded,
    corpus: Corpus,
    *,
    params: dict | None = None,
    max_length: int,
    seed: int,
    folder: Path | None = None,
) -> np.ndarray:
    """Returns the mean loss per predicted token of every text, nats, float32 [n].

    A causal model predicts every token of a text once, in windows of `max_length`: exp(loss) is
    the `gotd_jax.evaluation.perplexity` of the text alone. A masked one reads the first `max_length` tokens. Of these 15 %,
    at least one, become the mask token and are predicted; which ones depends on `seed` and the text, so that two models
    predict the same tokens, whatever the batches and the devices. (In training, a fifth of the predicted tokens are not
    masked. Here all are: the tokens left in place say little about the model.)

    A text without a token to predict has loss 0, as a batch without one has in training.

    Args:
      model: a causal or masked language model; its tokeniser is used too.
      corpus: n texts; a masked model reads both sentences of a pair.
      params: to use instead of the model's own.
      max_length: tokens that are read at once; the model's positions, where they are fewer.
      seed: of the masks.
      folder: where the losses of each block of texts are kept, so that a stopped run of the same arguments resumes from there.

    Raises:
      ValueError: the model is no language model, or its tokeniser lacks the mask token or the token before a text.
    """
    kinds = {"causal_lm": _causal_losses, "masked_lm": _masked_losses}
    if model.head not in kinds:
        raise ValueError(f"The model's head is {model.head}, and only a causal or masked language model has losses of texts.")
    tokenizer = tokenizer_of(model)
    params = jax.device_put(model.params if params is None else params, devices.replicated())
    found = np.zeros(len(corpus), np.float32)
    with progress(total=len(corpus), unit="texts", step="losses") as bar:
        for start in range(0, len(corpus), TEXTS_PER_BLOCK):
            rows = np.arange(start, min(start + TEXTS_PER_BLOCK, len(corpus)))
            kept = None if folder is None else folder / f"losses-{start:09d}.npy"
            if kept and kept.exists():
                found[rows] = np.load(kept)
            else:
                found[rows] = kinds[model.head](model, tokenizer, corpus.take(rows), params, max_length, seed)
                if kept:
                    _keep(found[rows], kept)
            bar.update(len(rows))
    return found


def _keep(losses: np.ndarray, path: Path) -> None:
    with whole_file(path) as partial, open(partial, "wb") as file:
        np.save(file, losses)


def _causal_losses(model: Loaded, tokenizer, corpus: Corpus, params: dict, max_length: int, seed: int) -> np.ndarray:
    prefix, width = prefix_id(tokenizer), min(max_length, model.config.max_positions)
    windows = [list(rolling(encode(tokenizer, text, special=False), prefix, width)) for text in corpus.texts()]
    text = np.repeat(np.arange(len(corpus)), [len(of_text) for of_text in windows])
    pairs = [pair for of_text in windows for pair in of_text]
    run, nats = _causal_program(model.definition), np.zeros(len(corpus))
    for rows, batch in _windows(pairs):
        np.add.at(nats, text[rows], devices.gathered(run(params, jax.device_put(batch, devices.split_rows())))[: len(rows)])
    tokens = np.bincount(text, [len(continuation) for _, continuation in pairs], len(corpus))
    return nats / np.maximum(tokens, 1)


def _windows(pairs: Sequence[Pair]) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields (rows, arrays): `ids`, `mask` of the tokens read, `labels` of those after them, `weights` of these [B, T]."""
    lengths = np.array([len(context) + len(continuation) - 1 for context, continuation in pairs])  # the last is not read
    for rows, width, height in batches_by_width(lengths):
        batch = {name: np.zeros((height, width), dtype) for name, dtype in WINDOW.items()}
        for place, (context, continuation) in enumerate(pairs[row] for row in rows):
            tokens, size = [*context, *continuation], lengths[rows[place]]
            batch["ids"][place, :size], batch["labels"][place, :size] = tokens[:-1], tokens[1:]
            batch["mask"][place, :size], batch["weights"][place, len(context) - 1 : size] = True, 1
        batch["mask"][len(rows) :, 0] = True  # rows of padding read one token
        yield rows, batch


def _masked_losses(model: Loaded, tokenizer, corpus: Corpus, params: dict, max_length: int, seed: int) -> np.ndarray:
    vocabulary, run = Vocabulary.of(tokenizer), _program(model.definition)
    tokens = tokenise(tokenizer, corpus, min(max_length, model.config.max_length))
    masked = masked_columns(tokens, corpus.hashes, vocabulary, seed)
    found = np.zeros(len(corpus), np.float32)
    for rows, batch in masked_batches(tokens, masked, vocabulary):
        found[rows] = devices.gathered(run(params, jax.device_put(batch, devices.split_rows())))[: len(rows)]
    return found


def masked_columns(tokens: Tokens, hashes: np.ndarray, vocabulary: Vocabulary, seed: int) -> list[np.ndarray]:
    """Returns the columns of each text that are predicted, int [k], drawn by the seed and the text's hash."""
    maskable = ~np.isin(tokens.ids, vocabulary.special_ids)
    contents = np.frombuffer(hashes.tobytes(), np.uint64).reshape(-1, 2).tolist()
    found = []
    for start, stop, content in zip(tokens.offsets, tokens.offsets[1:], contents):
        columns = np.flatnonzero(maskable[start:stop])
        random = np.random.default_rng([seed, *content])
        found.append(random.choice(columns, min(_predicted(len(columns)), len(columns)), replace=False))
    return found


def _predicted(tokens: int) -> int:
    """Returns how many of a text's tokens are predicted."""
    return max(round(tokens * MASK_SHARE), 1)


def masked_batches(
    tokens: Tokens, masked: list[np.ndarray], vocabulary: Vocabulary, at_once: Callable[[int], int] | None = None
) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields (rows, arrays): `ids`, `mask`, `types` [B, T], and `columns`, `labels`, `weights` [B, K] of predicted tokens.

    Args:
      tokens: of n texts.
      masked: the columns of each text that are predicted.
      vocabulary: of the tokeniser.
      at_once: as for `batches_by_width`.
    """
    for rows, width, height in batches_by_width(tokens.lengths, at_once):
        batch = tokens.pad(rows, width, height=height, pad_id=vocabulary.pad_id)
        columns = np.zeros((height, _predicted(width)), np.int32)
        weights = np.zeros(columns.shape, np.float32)
        for place, row in enumerate(rows):
            columns[place, : len(masked[row])] = masked[row]
            weights[place, : len(masked[row])] = 1
        labels = np.take_along_axis(batch["ids"], columns, axis=1)
        place, slot = np.nonzero(weights)
        batch["ids"][place, columns[place, slot]] = vocabulary.mask_id
        yield rows, batch | {"columns": columns, "labels": labels, "weights": weights}


@functools.lru_cache(maxsize=8)
def _causal_program(definition: nnx.GraphDef):
    """Returns the compiled function of (params, batch): the summed loss of each row's tokens of weight 1, float32 [B]."""

    def per_device(params, batch):
        model = nnx.merge(definition, params)
        hidden, _ = model.decoder(batch["ids"], batch["mask"])

        def of_rows(part):
            states, labels, weights = part
            losses = optax.softmax_cross_entropy_with_integer_labels(model.logits(states), labels)
            return jnp.sum(losses * weights)

        vocabulary = model.logits(hidden[:1, :1]).shape[-1]
        at_once = max(LOGITS_AT_ONCE // (batch["ids"].shape[1] * vocabulary), 1)
        return lax.map(of_rows, (hidden, batch["labels"], batch["weights"]), batch_size=at_once)

    specs = P(), P(devices.AXIS)
    return jax.jit(jax.shard_map(per_device, mesh=devices.mesh(), in_specs=specs, out_specs=P(devices.AXIS), check_vma=False))


@functools.lru_cache(maxsize=8)
def _program(definition: nnx.GraphDef):
    """Returns the compiled function of (params, batch): the mean loss of each row's predicted tokens, float32 [B]."""

    def per_device(params, batch):
        rows, width = batch["ids"].shape
        positions = jnp.arange(rows)[:, None] * width + batch["columns"]
        logits = nnx.merge(definition, params)(batch["ids"], batch["mask"], batch["types"], positions.reshape(-1))
        found = optax.softmax_cross_entropy_with_integer_labels(logits, batch["labels"].reshape(-1))
        weights = batch["weights"]
        return jnp.sum(found.reshape(weights.shape) * weights, axis=1) / jnp.maximum(jnp.sum(weights, axis=1), 1.0)

    specs = P(), P(devices.AXIS)
    return jax.jit(jax.shard_map(per_device, mesh=devices.mesh(), in_specs=specs, out_specs=P(devices.AXIS), check_vma=False))
