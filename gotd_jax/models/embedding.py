"""Embeddings: a mean over a text's real tokens of a model's last hidden states, mapped over all devices.

`per_device` is the program that each device runs on its rows of a batch; rows are independent, so it has no collectives.
"""

from __future__ import annotations

import concurrent.futures
import functools
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
from flax import nnx
from jax.sharding import PartitionSpec as P

from gotd_jax.artifacts import stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.coverage import Coverage, coverage_of
from gotd_jax.data.length_buckets import TOKENS_PER_BATCH, batches_by_width
from gotd_jax.data.tokens import Tokens, tokenise
from gotd_jax.data.vector_file import DTYPES, VECTORS, VectorFile
from gotd_jax.devices import AXIS, mesh, split_rows
from gotd_jax.models.model import Loaded
from gotd_jax.models.scaling import unit_length
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.ot.pool import device_bytes
from gotd_jax.progress import progress

TEXTS_PER_BLOCK = 4096  # at most lost when a run stops; up to `MOST_BLOCKS` times as many where more are embedded at once
MOST_BLOCKS = 16
MOST_TOKENS = 1 << 17  # of a batch on each device; more gains nothing
ACTIVATIONS = 1 / 4  # of a device's memory, for the activations of a batch

Vectors = Iterator[tuple[np.ndarray, np.ndarray]]  # rows, and their vectors float32 [rows, width]

# The weight of each token, of `real`, float32 [B, T], 1 at real tokens and 0 at padding.
POOLINGS = {
    "mean": lambda real: real,
    "position": lambda real: real * jnp.cumsum(real, axis=1),  # 1 to T: a decoder's later tokens have read more of the text
    "cls": lambda real: real * (jnp.cumsum(real, axis=1) == 1),
    "last": lambda real: real * (jnp.cumsum(real, axis=1) == jnp.sum(real, axis=1, keepdims=True)),
}


def embed(
    corpus: Corpus,
    encoder: Loaded,
    folder: str | Path,
    *,
    max_length: int = 256,
    pooling: str = "mean",
    normalise: bool = False,
    prompt: str = "",
    dtype: str = "float32",
) -> np.ndarray:
    """Returns the embeddings of every text of `corpus`, memory-mapped, float32 or float16 [n, d], row i for text i.

    An embedding is sum_t w_t h_t over the text's T real tokens, h_t their last hidden states. w_t is 1/T ('mean'), or
    proportional to t = 1..T ('position': SGPT, Muennighoff 2022; with the language model's own states, RDS+, Ivison et al.
    2025), or 1 for the first ('cls') or the last token ('last') and 0 for the rest. A text without tokens, which only a
    decoder's tokeniser makes, has an embedding of zeros.

    They are computed once and kept in `folder` with the ids and their settings; a stopped run resumes after its last block.
    Equal texts are embedded once. The counts of read tokens lie beside them (`kept_coverage`).

    Args:
      corpus: n texts; of a pair, both sentences are read as one input.
      encoder: an encoder without head, or a causal language model.
      folder: where the embeddings lie.
      max_length: tokens of a text that are read.
      pooling: one of `POOLINGS`.
      normalise: whether to scale each embedding to length one.
      prompt: put before every text.
      dtype: of the file: float32, or float16 in half the room, with three digits of each number.

    Raises:
      ValueError: there is no such pooling or dtype, or `folder` holds the embeddings of another corpus, model or setting.
      RuntimeError: a number is too large for float16.
    """
    check_pooling(pooling)
    check_dtype(dtype)
    settings = {
        "corpus": corpus.fingerprint,
        "texts": len(corpus),
        "model": encoder.fingerprint,
        "compute_dtype": encoder.config.compute_dtype,
        "max_length": max_length,
        "normalise": normalise,
        "pooling": pooling,
        "prompt": prompt,
        "dtype": dtype,
    }

    def vectors_of(tokens: Tokens, texts: Corpus) -> Vectors:
        return embed_tokens(tokens, encoder, pooling=pooling, normalise=normalise)

    return kept_vectors(corpus, encoder, folder, settings, vectors_of, encoder.config.width)


def kept_vectors(
    corpus: Corpus,
    model: Loaded,
    folder: str | Path,
    settings: Mapping[str, Any],
    vectors_of: Callable[[Tokens, Corpus], Vectors],
    width: int,
) -> np.ndarray:
    """Returns a vector of every text of `corpus`, made once and kept in `folder` as `embed` says, memory-mapped [n, width].

    Args:
      corpus: n texts.
      model: whose tokeniser cuts the texts.
      folder: where the vectors lie.
      settings: all that they depend on; `max_length`, `prompt` and `dtype` of them are read.
      vectors_of: returns (rows, vectors) batch by batch of the tokens of a block of texts, and of these texts.
      width: numbers of a vector.
    """
    max_length, prompt = settings["max_length"], settings["prompt"]

    def make(partial: Path) -> None:
        file = VectorFile(partial, corpus, width, settings["dtype"])
        _write_blocks(file, model, max_length, prompt, vectors_of, width)
        _write_ids(partial / "ids.arrow", corpus)
        file.finish()

    return np.load(stage(folder, settings, make, kind="embeddings", step="embed") / VECTORS, mmap_mode="r")


def check_pooling(name: str, known: Collection[str] = tuple(POOLINGS)) -> None:
    """Raises ValueError unless there is a pooling called `name`, one of those that are `known`."""
    if name not in known:
        raise ValueError(f"There is no pooling {name!r}. There are: {', '.join(known)}.")


def check_dtype(name: str) -> None:
    """Raises ValueError unless embeddings can be kept in the dtype called `name`."""
    if name not in DTYPES:
        raise ValueError(f"Embeddings are kept as {' or '.join(DTYPES)}, not {name!r}.")


def embed_tokens(tokens: Tokens, encoder: Loaded, *, pooling: str = "mean", normalise: bool = False) -> Vectors:
    """Yields (rows, embeddings float32 [rows, d]) of `tokens` batch by batch, shortest texts first.

    Whatever the batches, each text's embedding is the same to rounding. While the devices run one batch, the next is padded
    and laid on them.
    """
    run = _mapped(encoder.definition, encoder.head, pooling)
    running = None
    for rows, width, height in batches_of(tokens, encoder):
        batch = tokens.pad(rows, width, height=height)
        batch = jax.device_put((batch["ids"], batch["mask"], batch["types"]), split_rows())
        started = rows, run(encoder.params, *batch)  # comes back at once; the numbers are waited for when they are read
        if running is not None:
            yield _read(*running, normalise)
        running = started
    if running is not None:
        yield _read(*running, normalise)


def batches_of(tokens: Tokens, model: Loaded) -> Iterator[tuple[np.ndarray, int, int]]:
    """Yields (rows, width, height) of the batches that texts are read in, as many at once as the devices hold."""
    return batches_by_width(tokens.lengths, functools.partial(tokens_at_once, model.config))


def tokens_at_once(config, width: int) -> int:
    """Returns how many tokens a device embeds at once: as many as keep it busy and fit into a quarter of its memory.

    On a CPU `TOKENS_PER_BATCH`. Elsewhere the power of two, at most `MOST_TOKENS`, whose activations in float32 fit: for each
    token eight hidden states, two hidden layers of the MLP, and two rows of attention a head.

    Args:
      config: of the model, `EncoderConfig` or `DecoderConfig`.
      width: tokens of a text, padding included.
    """
    memory = device_bytes() / jax.device_count()
    if not memory:
        return TOKENS_PER_BATCH
    bytes_of_token = 4 * (8 * config.width + 2 * config.mlp_width + 2 * config.heads * int(width))
    fitting = int(memory * ACTIVATIONS / bytes_of_token)
    return min(max(1 << max(fitting.bit_length() - 1, 0), TOKENS_PER_BATCH), MOST_TOKENS)


@functools.lru_cache(maxsize=8)
def _mapped(definition: nnx.GraphDef, head: str | None, pooling: str):
    def per_device(params, ids, mask, types):
        model = nnx.merge(definition, params)
        hidden = model.decoder(ids, mask)[0] if head == "causal_lm" else model(ids, mask, types)
        weights = POOLINGS[pooling](mask.astype(jnp.float32))[:, :, None]
        return jnp.sum(hidden * weights, axis=1) / jnp.maximum(jnp.sum(weights, axis=1), 1.0)

    return jax.jit(
        jax.shard_map(per_device, mesh=mesh(), in_specs=(P(), P(AXIS), P(AXIS), P(AXIS)), out_specs=P(AXIS), check_vma=False)
    )


def _read(rows: np.ndarray, vectors: jax.Array, normalise: bool) -> tuple[np.ndarray, np.ndarray]:
    vectors = np.asarray(vectors)[: len(rows)]
    return rows, unit_length(vectors) if normalise else vectors


def _write_blocks(file: VectorFile, model: Loaded, max_length: int, prompt: str, vectors_of: Callable, width: int) -> None:
    began, before, read, padded = time.perf_counter(), file.done, 0, 0
    with progress(total=len(file.texts), done=before, unit="texts", step="embedding") as bar:
        for texts, tokens, counts in _one_ahead(_tokenised(file.texts, before, model, max_length, prompt)):
            vectors = np.empty((len(tokens), width), np.float32)
            for rows, found in vectors_of(tokens, texts):
                vectors[rows] = found
                bar.update(len(rows))
            file.write(vectors, counts)
            read += int(tokens.lengths.sum())
            padded += sum(columns * height for _, columns, height in batches_of(tokens, model))
    if done := file.done - before:
        seconds = time.perf_counter() - began
        print(
            f"Embedded {done:,} texts in {seconds:.1f} s: {done / seconds:,.0f} texts/s, {read / seconds:,.0f} tokens/s, "
            f"{read / padded:.0%} of the positions real.",
            file=sys.stderr,
        )


def _tokenised(
    texts: Corpus, start: int, model: Loaded, max_length: int, prompt: str
) -> Iterator[tuple[Corpus, Tokens, Coverage]]:
    """Yields the texts from `start` on, a block at a time, their tokens and their coverage."""
    tokenizer = tokenizer_of(model)
    at_once = tokens_at_once(model.config, max_length) * jax.device_count()
    height = TEXTS_PER_BLOCK * min(-(-at_once // TOKENS_PER_BATCH), MOST_BLOCKS)
    for first in range(start, len(texts), height):
        block = texts.take(np.arange(first, min(first + height, len(texts))))
        tokens = tokenise(tokenizer, block, max_length, prompt=prompt)
        yield block, tokens, coverage_of(tokenizer, block, tokens)


def _one_ahead(made: Iterator) -> Iterator:
    """Yields the items of `made`, while another thread makes the next one."""
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, made, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, made, None)
            yield item


def _write_ids(path: Path, corpus: Corpus) -> None:
    table = pa.table({name: corpus.column(name) for name in ("id", "hash")})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
