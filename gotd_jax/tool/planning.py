"""The cost of a selection: seconds, memory and disk of each stage, before any of it is spent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gotd_jax import models
from gotd_jax.data import readers
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.leaks import search
from gotd_jax.data.sampling import spread
from gotd_jax.data.tokens import load_tokenizer
from gotd_jax.methods import METHODS
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.tool import advisor, model_reading
from gotd_jax.tool.budget import Budget
from gotd_jax.tool.plan_table import Plan
from gotd_jax.tool.request import Request
from gotd_jax.tool.request_texts import remarks, target_places
from gotd_jax.tool.source_names import name_and_place, names_and_places
from gotd_jax.tool.stage_costs import Job, stages_of
from gotd_jax.tool.target_health import overlap_warning
from gotd_jax.tool.text_sizes import Extent, Reading, extent_of, read_beginnings

SAMPLED = 2000  # chunks of the pool that the stages are timed on


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
    pool_read = read_beginnings(sources, request.characters, domain_field=request.domain_field, **fields)
    fields["text_field"] = request.target_text_field or request.text_field
    target_read = read_beginnings(targets, request.characters, **fields)
    beside = read_beginnings(list(map(name_and_place, (*request.away, *request.reference))), request.characters, **fields)
    tested = [readers.read(place, **fields) for _, place in map(name_and_place, request.leak_check)]
    embedder = Embedder(work=Path(), **request.embedding)
    embedder.check()
    tokenizer = load_tokenizer(models.folder_of(request.tokenizer)) if request.tokenizer else tokenizer_of(embedder.loaded)
    pool, target = extent_of(pool_read, tokenizer), extent_of(target_read, tokenizer)
    budget = Budget.parse(request.budget)
    chosen, notes = _chunks_of(budget, pool)
    pool_chunks, target_chunks = _chunks(pool_read), _chunks(target_read)
    sample = pool_chunks.take(spread(len(pool_chunks), SAMPLED))
    job = Job(request, embedder, pool, target, extent_of(beside, tokenizer).chunks, chosen, sample, target_chunks, tested)
    max_length, in_pool = embedder.how.max_length, search(pool_chunks, target_chunks).held
    read = {"pool": _coverage(pool_read, embedder), "targets": _coverage(target_read, embedder)}
    notes += (
        *model_reading.warnings(read["pool"], read["targets"], max_length),
        *overlap_warning(in_pool, len(target_chunks), "the target"),
        *remarks(request),
        *_advice(job),
    )
    return Plan(
        method=request.method,
        pool=pool,
        target=target,
        budget=str(budget),
        budget_chunks=chosen,
        stages=stages_of(job),
        read={"max_length": max_length, **read},
        notes=notes,
        in_pool=in_pool,
        left_out=len(readers.left_out([place for _, place in sources + targets])),
    )


def _chunks(readings: Sequence[Reading]) -> Corpus:
    return Corpus.concatenate([reading.chunks for reading in readings])


def _advice(job: Job) -> tuple[str, ...]:
    """Returns which options of got_d matter for this pool and target, tried on a few hundred texts; nothing for others."""
    method = METHODS[job.request.method]
    if not method.solves or "target" not in method.reads:
        return ()
    return advisor.for_plan(
        job.pool_sample, job.target_sample, job.vectors_of, job.chosen / job.pool.chunks, seed=job.request.seed
    )


def _coverage(readings: Sequence[Reading], embedder: Embedder) -> dict[str, dict[str, int]]:
    """Returns `Coverage.summary` of each source by its name, scaled up from up to 2,000 of its chunks."""
    found = {}
    for reading in readings:
        scale = len(reading.chunks) / reading.share / len(reading.sample)
        counts = embedder.count_coverage(reading.sample).summary()
        found[reading.name] = {key: round(scale * count) for key, count in counts.items()}
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
