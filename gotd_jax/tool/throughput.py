"""The speed of this machine at each step of a selection, measured in a few seconds on the real programs."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gotd_jax import methods
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.length_buckets import widths_of
from gotd_jax.data.sampling import spread
from gotd_jax.data.tokens import tokenise
from gotd_jax.methods import Problem
from gotd_jax.models.embedding import tokens_at_once
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.tool.request import Request

SAMPLED = 2000  # chunks that are compared, scored, selected from or written
BATCHES = 2  # that a model reads
PRODUCT_ROWS, TARGETS = 4096, 512  # of a product of candidates and targets


@dataclasses.dataclass(frozen=True)
class Speed:
    """The speed at which a model reads texts.

    Attributes:
      texts_per_second: for texts as long as the sampled ones.
      shapes: number of widths of their batches, each a program to compile.
      compile_seconds: of one program.
    """

    texts_per_second: float
    shapes: int
    compile_seconds: float


def speed(chunks: Corpus, model: Loaded, max_length: int, work: Callable[[Corpus], object]) -> Speed:
    """Returns the speed at which `model` reads texts like `chunks`, by two whole batches of the commonest width.

    Args:
      chunks: of the pool.
      model: the one that reads them.
      max_length: tokens of a text that are read.
      work: a function of texts that has the model read them.
    """
    sample = _some(chunks, SAMPLED)
    widths = widths_of(tokenise(tokenizer_of(model), sample, max_length).lengths)
    width = int(np.bincount(widths).argmax())
    height = max(tokens_at_once(model.config, width) // width, 1) * jax.device_count()
    texts = sample.take(np.resize(np.flatnonzero(widths == width), BATCHES * height))
    first, second = _seconds(lambda: work(texts)), _seconds(lambda: work(texts))
    return Speed(len(texts) * width / float(widths.mean()) / second, len(np.unique(widths)), max(first - second, 0.0))


def product(targets: int, dimensions: int) -> float:
    """Returns float32 operations a second of one product of candidates and targets, as a Sinkhorn pass makes them."""
    targets = min(targets, TARGETS)
    rows = np.random.default_rng(0).standard_normal((PRODUCT_ROWS + targets, dimensions), np.float32)
    multiply = jax.jit(lambda x, y: jnp.matmul(x, y.T, precision=lax.Precision.HIGHEST))
    x, y = jax.device_put((rows[:PRODUCT_ROWS], rows[PRODUCT_ROWS:]))
    return 2 * PRODUCT_ROWS * targets * dimensions / _seconds(lambda: multiply(x, y).block_until_ready(), unmeasured=1)


def seconds_per_pair(request: Request, chunks: Corpus, target: Corpus, share: float, dimensions: int) -> float:
    """Returns the seconds that a method takes for a pair of a candidate and a target chunk, measured on a sample of both.

    Args:
      request: names the method, one that reads neither toxicity nor losses, its options and its seed.
      chunks: of the pool; random embeddings stand in for theirs, and the target for texts to move away from.
      target: chunks.
      share: of the pool that is selected.
      dimensions: of the embeddings.
    """
    random = np.random.default_rng(0)
    pool, target = _some(chunks, SAMPLED), _some(target, TARGETS)
    given = {"away": target, "home": list(pool.count_domains())}
    problem = Problem(pool, target, lambda of: random.standard_normal((len(of), dimensions), np.float32), **given)
    budget = min(max(1, round(share * len(pool))), len(pool))
    seconds = _seconds(
        lambda: methods.select(request.method, problem, budget, seed=request.seed, **request.arguments), unmeasured=1
    )
    return seconds / len(pool) / len(target)


def per_second(chunks: Corpus, work: Callable[[Corpus], object], *, unmeasured: int = 0) -> float:
    """Returns the chunks a second of `work`, a function of a corpus, after `unmeasured` runs of which the first compiles."""
    sample = _some(chunks, SAMPLED)
    return len(sample) / _seconds(lambda: work(sample), unmeasured=unmeasured)


def as_lines(chunks: Corpus) -> list[str]:
    """Returns the chunks as lines of JSON, as a selection writes them."""
    rows = ({"id": row["id"], "text": row["text"], "domain": row["domain"], "value": 0.0, "rank": 0} for row in chunks)
    return [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]


def bytes_of_line(chunks: Corpus) -> float:
    """Returns the mean bytes of a chunk as a line of JSON."""
    return float(np.mean([len(line.encode()) for line in as_lines(_some(chunks, SAMPLED))]))


def _some(corpus: Corpus, most: int) -> Corpus:
    return corpus.take(spread(len(corpus), most))


def _seconds(work: Callable[[], object], unmeasured: int = 0) -> float:
    for _ in range(unmeasured):
        work()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
