"""Embeddings: a mean over a text's real tokens of a model's last hidden states, mapped over all devices.

`per_device` is the program that each device runs on its rows of a batch; rows are independent, so it has no collectives.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
from flax import nnx
from jax.sharding import PartitionSpec as P

from gotd_jax.artifacts import stage, whole_file
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import Tokens, tokenise
from gotd_jax.devices import AXIS, mesh, split_rows
from gotd_jax.models.published import Loaded
from gotd_jax.models.vocabulary import tokenizer_of
from gotd_jax.progress import progress

WIDTH_STEP = 16  # batch widths are multiples of it: 16 shapes up to 256 tokens, and 14 % padding on mixed lengths
TOKENS_PER_BATCH = 2048  # measured best on a CPU, per device
TEXTS_PER_BLOCK = 4096  # what a stop can lose

# What each real token counts, of `real`, float32 [B, T], 1 at real tokens and 0 at padding.
POOLINGS = {
    "mean": lambda real: real,
    "position": lambda real: real * jnp.cumsum(real, axis=1),  # 1 to T: a decoder's later tokens have read more of the text
}


def embed(
    corpus: Corpus,
    encoder: Loaded,
    folder: str | Path,
    *,
    max_length: int = 256,
    pooling: str = "mean",
    normalise: bool = False,
) -> np.ndarray:
    """Returns the embeddings of every text of `corpus`, memory-mapped, float32 [n, d], row i for text i.

    An embedding is sum_t w_t h_t over the text's T real tokens, h_t their last hidden states. w_t is 1/T ('mean'), or
    proportional to t = 1..T ('position': SGPT, Muennighoff 2022; with the language model's own states, RDS+, Ivison et al.
    2025). A text without tokens, which only a decoder's tokeniser makes, has an embedding of zeros.

    They are kept in `folder` with the ids and the settings that made them, are made once, and go on from the last block
    where they were stopped. Equal texts are embedded once.

    Args:
      corpus: n texts; of a pair, both sentences are read as one input.
      encoder: an encoder without head, or a causal language model.
      folder: where the embeddings lie.
      max_length: tokens of a text that are read.
      pooling: one of `POOLINGS`.
      normalise: whether to scale each embedding to unit length.

    Raises:
      ValueError: there is no such pooling, or `folder` holds the embeddings of another corpus, model or setting.
    """
    check_pooling(pooling)
    settings = {
        "corpus": corpus.fingerprint,
        "texts": len(corpus),
        "model": encoder.fingerprint,
        "compute_dtype": encoder.config.compute_dtype,
        "max_length": max_length,
        "normalise": normalise,
        "pooling": pooling,
    }

    def make(partial: Path) -> None:
        unique, places = _distinct(corpus)
        _embed_blocks(unique, encoder, partial, max_length, pooling=pooling, normalise=normalise)
        _join_blocks(partial, places, encoder.config.width)
        _write_ids(partial / "ids.arrow", corpus)

    return np.load(stage(folder, settings, make) / "embeddings.npy", mmap_mode="r")


def check_pooling(name: str) -> None:
    """Raises ValueError unless there is a pooling called `name`."""
    if name not in POOLINGS:
        raise ValueError(f"There is no pooling {name!r}. There are: {', '.join(POOLINGS)}.")


def embed_tokens(
    tokens: Tokens, encoder: Loaded, *, pooling: str = "mean", normalise: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields (rows, embeddings float32 [rows, d]) of `tokens` batch by batch, shortest texts first.

    Whatever the batches, each text's embedding is the same to rounding.
    """
    run = _mapped(encoder.definition, encoder.head, pooling)
    for rows, width, height in batches_by_width(tokens.lengths):
        batch = tokens.pad(rows, width, height=height)
        batch = jax.device_put((batch["ids"], batch["mask"], batch["types"]), split_rows())
        vectors = np.asarray(run(encoder.params, *batch))[: len(rows)]
        if normalise:
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = vectors / np.where(lengths > 0, lengths, 1.0)
        yield rows, vectors


def batches_by_width(lengths: np.ndarray) -> Iterator[tuple[np.ndarray, int, int]]:
    """Yields (rows, width, height) that cover all texts: rows of like length, a rectangle of few possible shapes.

    The height depends on the width alone and is a multiple of the number of devices, so that each width compiles once.
    """
    widths = widths_of(lengths)
    order = np.argsort(widths, kind="stable")
    for width in np.unique(widths):
        height = max(TOKENS_PER_BATCH // int(width), 1) * jax.device_count()
        rows = order[np.searchsorted(widths[order], width) : np.searchsorted(widths[order], width, side="right")]
        for start in range(0, len(rows), height):
            yield rows[start : start + height], int(width), height


def widths_of(lengths: np.ndarray) -> np.ndarray:
    """Returns the width of the batch that each text of so many tokens comes into, int [n]."""
    return np.maximum(-(-lengths // WIDTH_STEP), 1) * WIDTH_STEP


@functools.lru_cache(maxsize=8)
def _mapped(definition: nnx.GraphDef, head: str | None, pooling: str):
    def per_device(params, ids, mask, types):
        model = nnx.merge(definition, params)
        hidden = model.decoder(ids, mask)[0] if head == "causal_lm" else model(ids, mask, types)
        weights = POOLINGS[pooling](mask.astype(hidden.dtype))[:, :, None]
        return jnp.sum(hidden * weights, axis=1) / jnp.maximum(jnp.sum(weights, axis=1), 1.0)

    return jax.jit(
        jax.shard_map(per_device, mesh=mesh(), in_specs=(P(), P(AXIS), P(AXIS), P(AXIS)), out_specs=P(AXIS), check_vma=False)
    )


def _distinct(corpus: Corpus) -> tuple[Corpus, np.ndarray]:
    """Returns the corpus of distinct texts and, for every row, its place there, int [n]."""
    _, first, inverse = np.unique(corpus.hashes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return corpus.take(first[order]), place[inverse]


def _embed_blocks(corpus: Corpus, encoder: Loaded, folder: Path, max_length: int, **options) -> None:
    tokenizer = tokenizer_of(encoder)
    began, done, read, padded = time.perf_counter(), 0, 0, 0
    with progress(total=len(corpus), unit="texts", what="embedding") as bar:
        for start in range(0, len(corpus), TEXTS_PER_BLOCK):
            path = _block_path(folder, start)
            block = corpus.take(np.arange(start, min(start + TEXTS_PER_BLOCK, len(corpus))))
            if path.exists():
                bar.update(len(block))
                continue
            tokens = tokenise(tokenizer, block, max_length)
            vectors = np.empty((len(block), encoder.config.width), np.float32)
            for rows, found in embed_tokens(tokens, encoder, **options):
                vectors[rows] = found
                bar.update(len(rows))
            with whole_file(path) as partial, open(partial, "wb") as file:
                np.save(file, vectors)
            done, read = done + len(block), read + int(tokens.lengths.sum())
            padded += sum(width * height for _, width, height in batches_by_width(tokens.lengths))
    if done:
        seconds = time.perf_counter() - began
        print(
            f"Embedded {done:,} texts in {seconds:.1f} s: {done / seconds:,.0f} texts/s, {read / seconds:,.0f} tokens/s, "
            f"{read / padded:.0%} of the positions real.",
            file=sys.stderr,
        )


def _join_blocks(folder: Path, places: np.ndarray, dimensions: int) -> None:
    paths = sorted(folder.glob("block-*.npy"))
    unique = sum(len(np.load(path, mmap_mode="r")) for path in paths)
    vectors = np.lib.format.open_memmap(folder / "distinct.npy", "w+", np.float32, (unique, dimensions))
    start = 0
    for path in paths:
        block = np.load(path)
        vectors[start : start + len(block)] = block
        start += len(block)
    joined = np.lib.format.open_memmap(folder / "embeddings.npy", "w+", np.float32, (len(places), dimensions))
    for start in range(0, len(places), TEXTS_PER_BLOCK):
        joined[start : start + TEXTS_PER_BLOCK] = vectors[places[start : start + TEXTS_PER_BLOCK]]
    joined.flush()
    for path in (*paths, folder / "distinct.npy"):
        path.unlink()


def _block_path(folder: Path, start: int) -> Path:
    return folder / f"block-{start // TEXTS_PER_BLOCK:06d}.npy"


def _write_ids(path: Path, corpus: Corpus) -> None:
    table = corpus.table.select(["id", "hash"])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
