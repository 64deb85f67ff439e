"""The cost of a selection: seconds, memory and disk of each stage, before any of it is spent."""

from __future__ import annotations

import dataclasses
import functools
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from gotd_jax import models
from gotd_jax.data import readers
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.leaks import leaks, search
from gotd_jax.data.near_duplicates import near_duplicates
from gotd_jax.data.tokens import load_tokenizer, tokenise
from gotd_jax.evaluation import text_losses, toxicity
from gotd_jax.methods import METHODS
from gotd_jax.models.scaling import RELATIVE
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.ot.solve import SEMIDUAL_FROM
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.tool import model_reading, throughput
from gotd_jax.tool.budget import Budget
from gotd_jax.tool.language_model import losses_of
from gotd_jax.tool.plan_table import Plan, Stage
from gotd_jax.tool.report_inputs import SAMPLE
from gotd_jax.tool.request import Request
from gotd_jax.tool.request_texts import remarks, target_places
from gotd_jax.tool.source_names import name_and_place, names_and_places
from gotd_jax.tool.target_health import overlap_warning
from gotd_jax.tool.text_sizes import Extent, Reading, extent_of, read_beginnings
from gotd_jax.training.base_model import HEAD_TEXTS

# A whole solve, in products of all candidates with all targets, at an epsilon of 1 % of the mean cost: `python -m
# experiments.benchmark ot` (10,007 candidates, 2,000 targets: 1.20 and 6.63 s, at 87 GFLOP/s). At 5 % it is a third.
SEMIDUAL_PRODUCTS = 7
SINKHORN_PRODUCTS = 37
BY_EPSILON = 0.68  # -log(1/3) / log(5)
PROGRAMS_BYTES = 200 << 20  # of programs and buffers when a selection is made and reported, measured on 1,200 texts
TRAINING = 3  # the cost of a step, in losses of its texts: a backward pass is two forward ones
SIGNATURE_BYTES = 800  # of a chunk while near duplicates are looked for: 128 numbers of MinHash, a band, its order
CANDIDATE_BYTES = 9  # of a chunk on disk: the first of its near duplicates, and whether it holds tested text
ROW_BYTES = 64  # of a chunk otherwise: hash, value, position, order
REPORT_SECONDS = 15.0  # 10,020 passages and 500 targets, on two cores
REPORT_ROWS = 2000  # of the pool that a report embeds besides the sample, for its map, its curve and its comparisons


def plan(request: Request) -> Plan:
    """Returns the plan of the selection of `request` on this machine, in well under a minute.

    Sources of up to 16 MiB are read whole; larger ones are estimated from the beginnings of up to 16 files of each. The
    work that takes the most time is measured here on a sample: reading, near duplicates, embedding, products.

    Raises:
      ValueError: `select` would refuse the request: a source, a field, a model or a method does not exist, or a counted pool
        holds less than the budget.
    """
    sources, targets = names_and_places(request.pool), target_places(request)
    fields = {"text_field": request.text_field, "id_field": request.id_field}
    pool_read = read_beginnings(_places(sources), request.characters, domain_field=request.domain_field, **fields)
    fields["text_field"] = request.target_text_field or request.text_field
    target_read = read_beginnings(_places(targets), request.characters, **fields)
    tested = [readers.read(place, **fields) for _, place in map(name_and_place, request.leak_check)]
    embedder = Embedder(work=Path(), **request.embedding)
    embedder.check()
    tokenizer = load_tokenizer(models.folder_of(request.tokenizer)) if request.tokenizer else tokenizer_of(embedder.loaded)
    pool, target = extent_of(pool_read, tokenizer), extent_of(target_read, tokenizer)
    budget = Budget.parse(request.budget)
    chunks, notes = _chunks_of(budget, pool)
    samples = _Samples(_chunks(pool_read), _chunks(target_read), tested)
    stages = tuple(_stages(request, pool, target, chunks, samples, embedder))
    of_pool, of_targets = _coverage(sources, pool_read, embedder), _coverage(targets, target_read, embedder)
    read = {"max_length": embedder.how.max_length, "pool": of_pool, "targets": of_targets}
    in_pool = search(samples.pool, samples.target).held
    notes += (
        *model_reading.warnings(of_pool, of_targets, embedder.how.max_length),
        *overlap_warning(in_pool, len(samples.target), "the target"),
        *remarks(request),
    )
    left_out = sum(len(readers.left_out(place)) for place in _places(sources + targets))
    return Plan(request.method, pool, target, str(budget), chunks, stages, read, notes, in_pool, left_out)


@dataclasses.dataclass(frozen=True)
class _Samples:
    """Chunks of the pool and of the target that were read, and texts to be tested on."""

    pool: Corpus
    target: Corpus
    tested: list[Corpus]


def _places(named_places: Sequence[tuple[str, str]]) -> list[str]:
    return [place for _, place in named_places]


def _chunks(readings: Sequence[Reading]) -> Corpus:
    return Corpus.concatenate([reading.chunks for reading in readings])


def _coverage(named_places: Sequence[tuple[str, str]], readings: Sequence[Reading], embedder: Embedder) -> dict[str, dict]:
    """Returns `Coverage.summary` of all sources of a name, by that name, scaled up from up to 2,000 chunks of each."""
    found: dict[str, dict[str, int]] = {}
    for (name, _), reading in zip(named_places, readings, strict=True):
        scale = len(reading.chunks) / reading.share / len(reading.sample)
        counts, before = embedder.count_coverage(reading.sample).summary(), found.get(name, {})
        found[name] = {key: before.get(key, 0) + round(scale * count) for key, count in counts.items()}
    return found


def _chunks_of(budget: Budget, pool: Extent) -> tuple[int, tuple[str, ...]]:
    """Returns about how many chunks of the pool a budget is, and a note where that is more than an estimated pool holds."""
    held, unit = (pool.tokens, "tokens") if budget.unit == "tokens" else (pool.chunks, "chunks")
    wanted = budget.amount if unit == "tokens" else budget.chunks_of(pool.chunks)
    if wanted <= held:
        return max(int(wanted / held * pool.chunks), 1) if unit == "tokens" else int(wanted), ()
    message = f"The budget of {wanted:,.0f} {unit} exceeds the {{}}{held:,} of the pool. Lower it or add to the pool."
    if pool.counted and unit == "chunks":
        raise ValueError(message.format(""))
    return pool.chunks, (message.format("about "),)


def _stages(request, pool: Extent, target: Extent, chosen: int, samples: _Samples, embedder: Embedder) -> Iterator[Stage]:
    whole = "embeddings" in METHODS[request.method].reads
    embedded = (pool.chunks if whole else min(pool.chunks, SAMPLE + REPORT_ROWS)) + target.chunks
    width = embedder.width
    vectors_bytes = embedded * width * np.dtype(request.embedding_dtype).itemsize
    kept_bytes = vectors_bytes * (2 if request.normalise in RELATIVE else 1)  # as the model makes them, and scaled by the pool
    speed = throughput.speed(samples.pool, embedder.loaded, embedder.how.max_length, functools.partial(_embed, embedder))
    compared = throughput.per_second(samples.pool, lambda chunks: near_duplicates(chunks, request.near_duplicates))
    kept_out = [functools.partial(leaks, held_out=texts) for texts in (*samples.tested, samples.target)]
    leak_seconds = sum(pool.chunks / throughput.per_second(samples.pool, leaking) for leaking in kept_out)
    select_seconds, select_why = _selecting(request, pool, target, chosen / pool.chunks, samples, width)
    written = throughput.per_second(samples.pool, throughput.as_lines)
    written_bytes = round(chosen * throughput.bytes_of_line(samples.pool)) + 4 * pool.chunks * len(request.target)
    process = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux; the model and its programs are in it
    rows = process + pool.chunks * ROW_BYTES
    running = rows + PROGRAMS_BYTES + vectors_bytes  # pages of the embeddings' file, which the system may take back

    yield Stage("read", pool.reading_seconds + target.reading_seconds, process, pool.kept_bytes, "measured on what was read")
    yield Stage(
        "near duplicates",
        pool.chunks / compared + leak_seconds,
        process + pool.chunks * SIGNATURE_BYTES,
        CANDIDATE_BYTES * pool.chunks,
        f"measured: {compared:,.0f} chunks/s" + (", and the leak check" if samples.tested else ""),
    )
    trained = min(HEAD_TEXTS, pool.chunks) if embedder.loaded.fresh else 0  # the head of a model whose gradients are read
    yield Stage(
        "embed",
        (embedded + trained) / speed.texts_per_second + speed.shapes * speed.compile_seconds,
        rows,
        kept_bytes,
        f"measured: {speed.texts_per_second:,.0f} texts/s, {embedded:,} texts at most; {speed.shapes} programs of "
        f"{speed.compile_seconds:.1f} s to compile",
    )
    yield Stage("select", select_seconds, running, 0, select_why)
    yield Stage("report", REPORT_SECONDS, running, 0, "its parts are of samples, whatever the pool")
    yield Stage("write", chosen / written, rows, written_bytes, f"measured: {written:,.0f} chunks/s")


def _embed(embedder: Embedder, texts: Corpus) -> list:
    tokens = tokenise(tokenizer_of(embedder.loaded), texts, embedder.how.max_length)
    return list(embedder.vectors_of(tokens, texts))


def _selecting(request, pool: Extent, target: Extent, share: float, samples: _Samples, width: int) -> tuple[float, str]:
    """Returns the seconds of selecting for all targets, and where they come from."""
    method, entries = METHODS[request.method], pool.chunks * target.chunks
    if "toxicity" in method.reads:
        scorer = toxicity.load(request.scorer)
        speed = throughput.per_second(samples.pool, lambda chunks: scorer.score(chunks.texts()), unmeasured=1)
        return pool.chunks / speed, f"measured: {speed:,.0f} chunks/s are scored"
    if "losses" in method.reads:
        losses = losses_of(request, Path())
        model, length = losses.published(), losses.recipe.max_length
        read = functools.partial(text_losses.losses, model, max_length=length, seed=0)
        speed = throughput.speed(samples.pool, model, length, read).texts_per_second
        trained = target.chunks + (min(HEAD_TEXTS, pool.chunks) if model.fresh else 0)
        texts = pool.chunks * (1 + len(request.target)) + TRAINING * trained
        return texts / speed, f"measured: losses of {speed:,.0f} texts/s, before and after training on the target"
    if not method.solves:
        each = throughput.seconds_per_pair(request, samples.pool, samples.target, share, width)
        return entries * each, "measured on a sample"
    speed = throughput.product(target.chunks, width)
    passes = SINKHORN_PRODUCTS if entries <= SEMIDUAL_FROM else SEMIDUAL_PRODUCTS
    passes *= (0.01 / request.epsilon) ** BY_EPSILON
    return (
        2 * entries * width / speed * passes,
        f"measured: {speed / 1e9:,.0f} GFLOP/s; about {passes:.0f} products of all pairs",
    )
