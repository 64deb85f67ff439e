"""How fast this machine is at what a selection spends its time on: each measured in a few seconds, on the real programs."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gotd_jax import methods
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.leaks import leaks
from gotd_jax.data.length_buckets import TOKENS_PER_BATCH, batches_by_width, widths_of
from gotd_jax.data.near_duplicates import near_duplicates
from gotd_jax.data.sampling import spread
from gotd_jax.data.tokens import tokenise
from gotd_jax.evaluation import text_losses
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.methods import Problem
from gotd_jax.models.embedding import embed_tokens, tokens_at_once
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.tool.request import Request

EMBEDDED = 64  # texts, twice
ENOUGH_SECONDS = 3  # of embedding them
PRODUCT_ROWS = 4096  # candidates
TARGETS = 512
SAMPLED = 2000  # chunks that a method selects from, or that are compared


@dataclasses.dataclass(frozen=True)
class Embedding:
    """How fast a model embeds.

    Attributes:
      texts_per_second: of the chunks that were sampled, by their lengths.
      shapes: widths of batches among them, each a program to compile.
      compile_seconds: of one program.
    """

    texts_per_second: float
    shapes: int
    compile_seconds: float


def embedding(chunks: Corpus, encoder: Loaded, max_length: int) -> Embedding:
    """Returns how fast `encoder` embeds texts like `chunks`: batches of the commonest width are timed, after a warm-up."""
    tokenizer, sample = tokenizer_of(encoder), _some(chunks, SAMPLED)
    widths = widths_of(tokenise(tokenizer, sample, max_length).lengths)
    timed = tokenise(tokenizer, sample.take(_alike(widths)[:EMBEDDED]), max_length)
    _, width, height = next(batches_by_width(timed.lengths, functools.partial(tokens_at_once, encoder.config)))
    marks = [time.perf_counter()]
    for _ in itertools.chain(embed_tokens(timed, encoder), embed_tokens(timed, encoder)):
        marks.append(time.perf_counter())
        if len(marks) > 2 and marks[-1] - marks[1] > ENOUGH_SECONDS:
            break
    first, each = marks[1] - marks[0], (marks[-1] - marks[1]) / (len(marks) - 2)
    return Embedding(width * height / each / float(widths.mean()), len(np.unique(widths)), max(first - each, 0.0))


def product(targets: int, dimensions: int) -> float:
    """Returns float32 operations a second of one product of candidates and targets, as a Sinkhorn pass makes them."""
    rows = np.random.default_rng(0).standard_normal((PRODUCT_ROWS + targets, dimensions), np.float32)
    multiply = jax.jit(lambda x, y: jnp.matmul(x, y.T, precision=lax.Precision.HIGHEST))
    x, y = jax.device_put((rows[:PRODUCT_ROWS], rows[PRODUCT_ROWS:]))
    _, seconds = _twice(lambda: multiply(x, y).block_until_ready())
    return 2 * PRODUCT_ROWS * targets * dimensions / seconds


def selecting(request: Request, chunks: Corpus, target: Corpus, share: float, dimensions: int) -> float:
    """Returns the seconds a candidate and target chunk that a method takes, measured on a sample of both.

    Args:
      request: names a method that reads neither toxicity nor losses, with its options.
      chunks: of the pool; embeddings stand in for theirs that are drawn at random.
      target: chunks.
      share: of the pool that is selected.
      dimensions: of the embeddings.
    """
    random = np.random.default_rng(0)
    pool, target = _some(chunks, SAMPLED), _some(target, TARGETS)
    stand_ins = {"away": target, "home": list(pool.count_domains())}
    problem = Problem(pool, target, lambda of: random.standard_normal((len(of), dimensions), np.float32), **stand_ins)
    budget = min(max(1, round(share * len(pool))), len(pool))
    _, seconds = _twice(lambda: methods.select(request.method, problem, budget, seed=request.seed, **request.arguments))
    return seconds / len(pool) / len(target)


def scoring(scorer: Scorer, chunks: Corpus) -> float:
    """Returns the chunks a second whose toxicity is scored."""
    texts = _some(chunks, SAMPLED).texts()
    _, seconds = _twice(lambda: scorer.score(texts))
    return len(texts) / seconds


def losing(model: Loaded, chunks: Corpus, max_length: int) -> float:
    """Returns the texts like `chunks` a second whose losses a language model finds, by batches of the commonest width."""
    sample = _some(chunks, SAMPLED)
    widths = widths_of(tokenise(tokenizer_of(model), sample, max_length).lengths)
    alike = _alike(widths)
    width = int(widths[alike[0]])
    texts = sample.take(alike[: max(EMBEDDED, TOKENS_PER_BATCH // width)])
    _, seconds = _twice(lambda: text_losses.losses(model, texts, max_length=max_length, seed=0))
    return len(texts) * width / float(widths.mean()) / seconds


def comparing(chunks: Corpus, similarity: float) -> float:
    """Returns the chunks a second that near duplicates are looked for among."""
    sample = _some(chunks, SAMPLED)
    return len(sample) / _seconds(lambda: near_duplicates(sample, similarity))


def leaking(chunks: Corpus, held_out: Corpus) -> float:
    """Returns the chunks a second that texts to be tested on are looked for in."""
    sample = _some(chunks, SAMPLED)
    return len(sample) / _seconds(lambda: leaks(sample, held_out))


def writing(chunks: Corpus) -> tuple[float, float]:
    """Returns the chunks a second that are written as JSON Lines, and the bytes of one."""
    sample = list(_some(chunks, SAMPLED))
    rows = [{"id": row["id"], "text": row["text"], "source": row["domain"], "value": 0.0, "rank": 0} for row in sample]
    began = time.perf_counter()
    size = sum(len(json.dumps(row, ensure_ascii=False).encode()) + 1 for row in rows)
    return len(rows) / (time.perf_counter() - began), size / len(rows)


def _alike(widths: np.ndarray) -> np.ndarray:
    """Returns the rows of the commonest width."""
    found, counts = np.unique(widths, return_counts=True)
    return np.flatnonzero(widths == found[np.argmax(counts)])


def _some(corpus: Corpus, most: int) -> Corpus:
    return corpus.take(spread(len(corpus), most))


def _seconds(work: Callable) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _twice(work: Callable) -> tuple[float, float]:
    """Returns the seconds of a first and a second time: compiling is in the first alone."""
    return _seconds(work), _seconds(work)
