"""The cost of each stage of a selection: a rate, measured on the real programs in a few seconds, times all that it works on."""

from __future__ import annotations

import dataclasses
import functools
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gotd_jax import methods
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.leaks import leaks
from gotd_jax.data.length_buckets import widths_of
from gotd_jax.data.near_duplicates import near_duplicates
from gotd_jax.data.sampling import spread
from gotd_jax.data.tokens import tokenise
from gotd_jax.evaluation import text_losses, toxicity
from gotd_jax.methods import METHODS, Problem
from gotd_jax.models.embedding import tokens_at_once
from gotd_jax.models.model import Loaded
from gotd_jax.models.scaling import RELATIVE
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.ot.solve import SEMIDUAL_FROM
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.tool.language_model import losses_of
from gotd_jax.tool.plan_table import Stage
from gotd_jax.tool.report_inputs import SAMPLE
from gotd_jax.tool.request import Request
from gotd_jax.tool.text_sizes import Extent
from gotd_jax.training.base_model import HEAD_TEXTS

BATCHES = 2  # that a model reads to be timed
PRODUCT_ROWS, TARGETS = 4096, 512  # of a product of candidates and targets to be timed
# A whole solve, in products of all candidates with all targets, at an epsilon of 1 % of the mean cost: `python -m
# experiments.benchmark ot` (10,007 candidates, 2,000 targets: 1.20 and 6.63 s, at 87 GFLOP/s). At 5 % it is a third.
SEMIDUAL_PRODUCTS, SINKHORN_PRODUCTS = 7, 37
BY_EPSILON = 0.68  # -log(1/3) / log(5)
PROGRAMS_BYTES = 200 << 20  # of programs and buffers when a selection is made and reported, measured on 1,200 texts
TRAINING = 3  # the cost of a step, in losses of its texts: a backward pass is two forward ones
SIGNATURE_BYTES = 800  # of a chunk while near duplicates are looked for: 128 numbers of MinHash, a band, its order
CANDIDATE_BYTES = 9  # of a chunk on disk: the first of its near duplicates, and whether it holds tested text
ROW_BYTES = 64  # of a chunk otherwise: hash, value, position, order
REPORT_SECONDS = 15.0  # 10,020 passages and 500 targets, on two cores
REPORT_ROWS = 2000  # of the pool that a report embeds besides the sample, for its map, its curve and its comparisons


@dataclasses.dataclass(frozen=True, eq=False)
class Job:
    """A selection to be made, with its request.

    Attributes:
      pool: how much text is chosen from, `chosen` chunks or about as many.
      target: how much text the targets have.
      beside: chunks of other texts that the method reads: to move away from, or a reference.
      pool_sample: chunks of the pool that stages are timed on.
      target_sample: chunks of the targets.
      tested: texts to be tested on, of each source.
    """

    request: Request
    embedder: Embedder
    pool: Extent
    target: Extent
    beside: int
    chosen: int
    pool_sample: Corpus
    target_sample: Corpus
    tested: list[Corpus]

    @property
    def width(self) -> int:
        """Dimensions of an embedding."""
        return self.embedder.width

    @property
    def embedded(self) -> int:
        """Number of texts that are embedded."""
        whole = "embeddings" in METHODS[self.request.method].reads
        of_pool = self.pool.chunks if whole else min(self.pool.chunks, SAMPLE + REPORT_ROWS)
        return of_pool + self.target.chunks + self.beside

    @property
    def vectors_bytes(self) -> int:
        """Bytes of all embeddings; while they are used, their pages are memory that the system may take back."""
        return self.embedded * self.width * np.dtype(self.request.embedding_dtype).itemsize

    def vectors_of(self, texts: Corpus) -> np.ndarray:
        """Returns the embeddings of a few texts, float32 [n, d], made now and kept nowhere."""
        vectors = np.zeros((len(texts), self.width), np.float32)
        tokens = tokenise(tokenizer_of(self.embedder.loaded), texts, self.embedder.how.max_length)
        for rows, found in self.embedder.vectors_of(tokens, texts):
            vectors[rows] = found
        return vectors

    def per_second(self, work: Callable[[Corpus], object], *, unmeasured: int = 0) -> float:
        """Returns the chunks a second of `work`, a function of a corpus, after `unmeasured` runs; the first compiles."""
        return len(self.pool_sample) / _seconds(lambda: work(self.pool_sample), unmeasured)


def stages_of(job: Job) -> tuple[Stage, ...]:
    """Returns all stages of a selection, in order; each has a function, whose memory is that besides today's process."""
    found = [stage(job) for stage in (_reading, _comparing, _embedding, _selecting, _reporting, _writing)]
    process = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux; the model and its programs are in it
    return tuple(dataclasses.replace(stage, memory_bytes=process + stage.memory_bytes) for stage in found)


def _reading(job: Job) -> Stage:
    seconds = job.pool.reading_seconds + job.target.reading_seconds
    return Stage("read", seconds, 0, job.pool.kept_bytes, "measured on what was read")


def _comparing(job: Job) -> Stage:
    chunks, speed = job.pool.chunks, job.per_second(lambda chunks: near_duplicates(chunks, job.request.near_duplicates))
    seconds = chunks / speed
    for texts in (*job.tested, job.target_sample):
        seconds += chunks / job.per_second(functools.partial(leaks, held_out=texts))
    why = f"measured: {speed:,.0f} chunks/s" + ", and the leak check" * bool(job.tested)
    return Stage("near duplicates", seconds, chunks * SIGNATURE_BYTES, chunks * CANDIDATE_BYTES, why)


def _embedding(job: Job) -> Stage:
    model, length = job.embedder.loaded, job.embedder.how.max_length
    speed, shapes, compiling = _reading_speed(job, model, length, job.vectors_of)
    trained = min(HEAD_TEXTS, job.pool.chunks) if model.fresh else 0  # the head of a model whose gradients are read
    kept = job.vectors_bytes * (
        2 if job.request.normalise in RELATIVE else 1
    )  # as the model makes them, and scaled by the pool
    why = f"measured: {speed:,.0f} texts/s, {job.embedded:,} texts at most; {shapes} programs of {compiling:.1f} s to compile"
    seconds = (job.embedded + trained) / speed + shapes * compiling
    return Stage("embed", seconds, job.pool.chunks * ROW_BYTES, kept, why)


def _selecting(job: Job) -> Stage:
    method = METHODS[job.request.method]
    ways = {"toxicity": _by_toxicity, "losses": _by_losses}
    way = next((ways[noun] for noun in ways if noun in method.reads), _by_transport if method.solves else _by_pairs)
    seconds, why = way(job)
    return Stage("select", seconds, _running_bytes(job), 0, why)


def _running_bytes(job: Job) -> int:
    return job.pool.chunks * ROW_BYTES + PROGRAMS_BYTES + job.vectors_bytes


def _by_toxicity(job: Job) -> tuple[float, str]:
    scorer = toxicity.load(job.request.scorer)
    speed = job.per_second(lambda chunks: scorer.score(chunks.texts()), unmeasured=1)
    return job.pool.chunks / speed, f"measured: {speed:,.0f} chunks/s are scored"


def _by_losses(job: Job) -> tuple[float, str]:
    losses = losses_of(job.request, Path())
    model, length = losses.published(), losses.recipe.max_length
    read = functools.partial(text_losses.losses, model, max_length=length, seed=0)
    speed, _, _ = _reading_speed(job, model, length, read)
    trained = job.target.chunks + (min(HEAD_TEXTS, job.pool.chunks) if model.fresh else 0)
    texts = job.pool.chunks * (1 + len(job.request.target)) + TRAINING * trained
    return texts / speed, f"measured: losses of {speed:,.0f} texts/s, before and after training on the target"


def _by_transport(job: Job) -> tuple[float, str]:
    # Timed is one product of candidates and targets in float32, as a Sinkhorn pass makes it.
    targets, pairs = min(job.target.chunks, TARGETS), job.pool.chunks * (job.target.chunks + _own_targets(job))
    rows = np.random.default_rng(0).standard_normal((PRODUCT_ROWS + targets, job.width), np.float32)
    multiply = jax.jit(lambda x, y: jnp.matmul(x, y.T, precision=lax.Precision.HIGHEST))
    x, y = jax.device_put((rows[:PRODUCT_ROWS], rows[PRODUCT_ROWS:]))
    speed = 2 * PRODUCT_ROWS * targets * job.width / _seconds(lambda: multiply(x, y).block_until_ready(), unmeasured=1)
    products = SINKHORN_PRODUCTS if pairs <= SEMIDUAL_FROM else SEMIDUAL_PRODUCTS
    products *= (0.01 / job.request.epsilon) ** BY_EPSILON
    why = f"measured: {speed / 1e9:,.0f} GFLOP/s; about {products:.0f} products of all pairs"
    return 2 * pairs * job.width / speed * products, why


def _own_targets(job: Job) -> int:
    """Returns how many candidates stand for the pool where its own potential is subtracted."""
    return min(job.request.arguments.get("debias", 0), job.pool.chunks)


def _by_pairs(job: Job) -> tuple[float, str]:
    # Timed is the method on a sample, with random embeddings, and with the target for texts to move away from.
    random, request, pool = np.random.default_rng(0), job.request, job.pool_sample
    target = job.target_sample.take(spread(len(job.target_sample), TARGETS))
    given = {"away": target, "home": list(pool.count_domains())}
    problem = Problem(pool, target, lambda of: random.standard_normal((len(of), job.width), np.float32), **given)
    budget = min(max(1, round(job.chosen / job.pool.chunks * len(pool))), len(pool))
    choose = functools.partial(methods.select, request.method, problem, budget, seed=request.seed, **request.arguments)
    each = _seconds(choose, unmeasured=1) / len(pool) / len(target)
    return job.pool.chunks * job.target.chunks * each, "measured on a sample"


def _reporting(job: Job) -> Stage:
    return Stage("report", REPORT_SECONDS, _running_bytes(job), 0, "its parts are of samples, whatever the pool")


def _writing(job: Job) -> Stage:
    speed = job.per_second(_as_lines)
    written = job.chosen * float(np.mean([len(line.encode()) for line in _as_lines(job.pool_sample)]))
    values = 4 * job.pool.chunks * len(job.request.target)
    why = f"measured: {speed:,.0f} chunks/s"
    return Stage("write", job.chosen / speed, job.pool.chunks * ROW_BYTES, round(written) + values, why)


def _as_lines(chunks: Corpus) -> list[str]:
    """Returns the chunks as lines of JSON, as a selection writes them."""
    rows = ({"id": row["id"], "text": row["text"], "domain": row["domain"], "value": 0.0, "rank": 0} for row in chunks)
    return [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]


def _reading_speed(job: Job, model: Loaded, max_length: int, read: Callable[[Corpus], object]) -> tuple[float, int, float]:
    """Returns the texts of the pool a second that a model reads, its number of programs, and the seconds to compile one.

    The speed is that of two whole batches of the commonest width; each width is a program.

    Args:
      job: of the pool.
      model: the one that reads them.
      max_length: tokens of a text that are read.
      read: a function of texts that has the model read them.
    """
    widths = widths_of(tokenise(tokenizer_of(model), job.pool_sample, max_length).lengths)
    width = int(np.bincount(widths).argmax())
    height = max(tokens_at_once(model.config, width) // width, 1) * jax.device_count()
    texts = job.pool_sample.take(np.resize(np.flatnonzero(widths == width), BATCHES * height))
    first, second = _seconds(lambda: read(texts)), _seconds(lambda: read(texts))
    return len(texts) * width / float(widths.mean()) / second, len(np.unique(widths)), max(first - second, 0.0)


def _seconds(work: Callable[[], object], unmeasured: int = 0) -> float:
    for _ in range(unmeasured):
        work()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
