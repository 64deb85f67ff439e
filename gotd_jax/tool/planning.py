"""What a selection will take: seconds, memory and disk of each stage, before any of it is spent."""

from __future__ import annotations

import dataclasses
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from gotd_jax import models
from gotd_jax.data import readers
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.leaks import search
from gotd_jax.data.tokens import load_tokenizer
from gotd_jax.evaluation import toxicity
from gotd_jax.methods import READ_EMBEDDINGS, SOLVING
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.ot.solve import SEMIDUAL_FROM
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.report.rendering import aligned
from gotd_jax.tool import rates, reach
from gotd_jax.tool.budget import Budget
from gotd_jax.tool.choosing import check_method
from gotd_jax.tool.counting import Reading, Side, look_into, read_of, side_of
from gotd_jax.tool.health import own_text
from gotd_jax.tool.language_model import losses_of
from gotd_jax.tool.material import SAMPLE
from gotd_jax.tool.naming import named, named_apart
from gotd_jax.tool.request import Request
from gotd_jax.tool.sources import remarks, target_places
from gotd_jax.training.base_model import HEAD_TEXTS

# A whole solve, in products of all candidates with all targets, at an epsilon of 1 % of the mean cost: `python -m
# experiments.benchmark ot` (10,007 candidates, 2,000 targets: 1.20 and 6.63 s, at 87 GFLOP/s). At 5 % it is a third.
SEMIDUAL_PRODUCTS = 7
SINKHORN_PRODUCTS = 37
BY_EPSILON = 0.68  # -log(1/3) / log(5)
PROGRAMS_BYTES = 200 << 20  # of programs and buffers when a selection is made and reported, measured on 1,200 texts
TRAINING = 3  # what a step costs, in losses of its texts: a backward pass is two forward ones
SIGNATURE_BYTES = 800  # of a chunk while near duplicates are looked for: 128 numbers of MinHash, a band, its order
CANDIDATE_BYTES = 9  # of a chunk on disk: the first of its near duplicates, and whether it holds tested text
ROW_BYTES = 64  # of a chunk otherwise: hash, value, position, order
REPORT_SECONDS = 15.0  # 10,020 passages and 500 targets, on two cores
REPORT_ROWS = 2000  # of the pool that a report embeds beside them, for its map, its curve and its comparisons


@dataclasses.dataclass(frozen=True)
class Stage:
    """A step of a selection.

    Attributes:
      name: of the step.
      seconds: it will take.
      memory_bytes: of the process, at most.
      disk_bytes: it needs in the work folder, or in what is written.
      why: where the numbers come from.
    """

    name: str
    seconds: float
    memory_bytes: int
    disk_bytes: int
    why: str


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a selection reads and what it will take.

    Attributes:
      method: of the request.
      pool: all sources of the pool.
      target: all targets.
      budget: as it was asked for.
      budget_chunks: about how many chunks that is.
      stages: in their order.
      read: what the model reads: `max_length`, and of each source of `pool` and of `targets`, by its name, about how many
        texts and tokens, read in part, not read and unknown.
      notes: sentences about what will not go as asked, or not as expected.
      in_pool: chunks of the target that lie in the pool, of what was read of both.
      left_out: files in the folders of pool and target that are not read.
    """

    method: str
    pool: Side
    target: Side
    budget: str
    budget_chunks: int
    stages: tuple[Stage, ...]
    read: dict
    notes: tuple[str, ...] = ()
    in_pool: int = 0
    left_out: int = 0

    @property
    def total(self) -> Stage:
        """All stages together; disk as if none of it were given back."""
        return Stage(
            "total",
            sum(stage.seconds for stage in self.stages),
            max(stage.memory_bytes for stage in self.stages),
            sum(stage.disk_bytes for stage in self.stages),
            "",
        )

    def to_dict(self) -> dict:
        """Returns the plan JSON-like."""
        return {**dataclasses.asdict(self), "total": dataclasses.asdict(self.total)}

    def __str__(self) -> str:
        sides = [f"{name:8}{_side(side)}" for name, side in (("pool", self.pool), ("target", self.target))]
        share = f"{self.budget_chunks / self.pool.chunks:.1%} of the pool"
        budget = f"{'budget':8}{self.budget} by {self.method}: {self.budget_chunks:,} chunks, {share}"
        read = [f"{'read':8}{line}" for line in _read(self.read)]
        sides[1] += f"; {self.in_pool:,} of what was read lie in the pool themselves" if self.in_pool else ""
        lines = aligned([("stage", "time", "memory", "disk", ""), *map(_cells, (*self.stages, self.total))], left=(0, 4))
        left_out = [f"left out {self.left_out:,} files of these folders"] if self.left_out else []
        notes = ["", *self.notes] if self.notes else []
        return "\n".join([*sides, *left_out, budget, *read, "", *(line.rstrip() for line in lines), *notes])


def plan(request: Request) -> Plan:
    """Returns what the selection of `request` will take on this machine, in well under a minute.

    Sources of up to 16 MiB are read whole; larger ones are estimated from the beginnings of up to 16 files of each. What
    takes the most time is measured here on a sample: reading, near duplicates, embedding, products.

    Raises:
      ValueError: what `select` would refuse: a source, a field, a model or a method that is not there, or a budget that a
        counted pool does not hold.
    """
    check_method(request.method)
    fields = {"text_field": request.text_field, "id_field": request.id_field}
    places = [place for _, place in named_apart(request.pool)]
    pool_read = look_into(places, request.characters, domain_field=request.domain_field, **fields)
    fields["text_field"] = request.target_text_field or request.text_field
    target_read = look_into([place for _, place in target_places(request)], request.characters, **fields)
    tested = [readers.read(place, **fields) for _, place in map(named, request.leak_check)]
    embedder = Embedder(work=Path(), **request.embedding)
    embedder.check()
    tokenizer = load_tokenizer(models.folder_of(request.tokenizer)) if request.tokenizer else tokenizer_of(embedder.loaded)
    pool, target = side_of(pool_read, tokenizer), side_of(target_read, tokenizer)
    budget = Budget.parse(request.budget)
    chunks, notes = _chunks_of(budget, pool)
    samples = _Samples(_all(pool_read), _all(target_read), tested)
    stages = _stages(request, pool, target, chunks, samples, embedder)
    of_pool = read_of([name for name, _ in named_apart(request.pool)], pool_read, embedder)
    of_targets = read_of([name for name, _ in target_places(request)], target_read, embedder)
    read = {"max_length": embedder.how.max_length, "pool": of_pool, "targets": of_targets}
    in_pool = search(samples.pool, samples.target).held
    notes += (
        *reach.warnings(of_pool, of_targets, embedder.how.max_length),
        *own_text(in_pool, len(samples.target), "the target"),
        *remarks(request),
    )
    left_out = sum(len(readers.left_out(place)) for place in (*places, *(place for _, place in target_places(request))))
    return Plan(request.method, pool, target, str(budget), chunks, tuple(stages), read, notes, in_pool, left_out)


@dataclasses.dataclass(frozen=True)
class _Samples:
    """Chunks of the pool and of the target that were read, and texts to be tested on."""

    pool: Corpus
    target: Corpus
    tested: list[Corpus]


def _all(readings: Sequence[Reading]) -> Corpus:
    return Corpus.concatenate([reading.chunks for reading in readings])


def _chunks_of(budget: Budget, pool: Side) -> tuple[int, tuple[str, ...]]:
    """Returns about how many chunks of the pool a budget is, and a note where that is more than an estimated pool holds."""
    held, unit = (pool.tokens, "tokens") if budget.unit == "tokens" else (pool.chunks, "chunks")
    wanted = budget.amount if unit == "tokens" else budget.chunks_of(pool.chunks)
    chunks = max(int(wanted / pool.tokens * pool.chunks), 1) if unit == "tokens" else int(wanted)
    if wanted <= held:
        return chunks, ()
    message = f"The budget of {wanted:,.0f} {unit} exceeds the {{}}{held:,} of the pool. Lower it or add to the pool."
    if pool.counted and unit == "chunks":
        raise ValueError(message.format(""))
    return pool.chunks, (message.format("about "),)


def _stages(request, pool: Side, target: Side, chosen: int, samples: _Samples, embedder: Embedder) -> Iterator[Stage]:
    whole = request.method in READ_EMBEDDINGS
    embedded = (pool.chunks if whole else min(pool.chunks, SAMPLE + REPORT_ROWS)) + target.chunks
    width, bytes_of_number = embedder.loaded.config.width, np.dtype(request.embedding_dtype).itemsize
    speed = rates.embedding(samples.pool, embedder.loaded, embedder.how.max_length)
    compared = rates.comparing(samples.pool, request.near_duplicates)
    leaks = sum(pool.chunks / rates.leaking(samples.pool, texts) for texts in (*samples.tested, samples.target))
    select_seconds, select_why = _selecting(request, pool, target, chosen / pool.chunks, samples, width)
    written, row_bytes = rates.writing(samples.pool)
    process = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux; the model and its programs are in it
    rows = pool.chunks * ROW_BYTES

    yield Stage("read", pool.reading_seconds + target.reading_seconds, process, pool.kept_bytes, "measured on what was read")
    yield Stage(
        "near duplicates",
        pool.chunks / compared + leaks,
        process + pool.chunks * SIGNATURE_BYTES,
        CANDIDATE_BYTES * pool.chunks,
        f"measured: {compared:,.0f} chunks/s" + (", and the leak check" if samples.tested else ""),
    )
    yield Stage(
        "embed",
        embedded / speed.texts_per_second + speed.shapes * speed.compile_seconds,
        process + rows,
        embedded * width * bytes_of_number,
        f"measured: {speed.texts_per_second:,.0f} texts/s, {embedded:,} texts at most; {speed.shapes} programs of "
        f"{speed.compile_seconds:.1f} s to compile",
    )
    mapped = embedded * width * bytes_of_number  # pages of the embeddings' file, which the system may take back
    yield Stage("select", select_seconds, process + rows + PROGRAMS_BYTES + mapped, 0, select_why)
    yield Stage(
        "report", REPORT_SECONDS, process + rows + PROGRAMS_BYTES + mapped, 0, "its parts are of samples, whatever the pool"
    )
    size = round(chosen * row_bytes) + 4 * pool.chunks * len(request.target)
    yield Stage("write", chosen / written, process + rows, size, f"measured: {written:,.0f} chunks/s")


def _selecting(request, pool: Side, target: Side, share: float, samples: _Samples, width: int) -> tuple[float, str]:
    """Returns the seconds of selecting for all targets, and where they come from."""
    entries = pool.chunks * target.chunks
    if request.method == "dapt":
        return 0.0, "a draw"
    if request.method == "rtp":
        speed = rates.scoring(toxicity.load(request.scorer), samples.pool)
        return pool.chunks / speed, f"measured: {speed:,.0f} chunks/s are scored"
    if request.method == "loss_difference":
        losses = losses_of(request, Path())
        model = losses.published()
        speed = rates.losing(model, samples.pool, losses.recipe.max_length)
        trained = target.chunks + (min(HEAD_TEXTS, pool.chunks) if model.fresh else 0)
        texts = pool.chunks * (1 + len(request.target)) + TRAINING * trained
        return texts / speed, f"measured: losses of {speed:,.0f} texts/s, before and after training on the target"
    if request.method not in SOLVING:
        each = rates.selecting(request.method, samples.pool, samples.target, share, width, request.seed)
        return entries * each, "measured on a sample"
    speed = rates.product(min(target.chunks, rates.TARGETS), width)
    passes = SINKHORN_PRODUCTS if entries <= SEMIDUAL_FROM else SEMIDUAL_PRODUCTS
    passes *= (0.01 / request.epsilon) ** BY_EPSILON
    return (
        2 * entries * width / speed * passes,
        f"measured: {speed / 1e9:,.0f} GFLOP/s; about {passes:.0f} products of all pairs",
    )


def _side(side: Side) -> str:
    from tqdm import tqdm

    size = [tqdm.format_sizeof(number, "B") for number in (side.read_bytes, side.bytes)]
    how = "counted" if side.counted else f"estimated from {size[0]} of {size[1]}"
    about = "" if side.counted else "about "
    return f"{about}{side.texts:,} texts, {side.chunks:,} chunks, about {side.tokens:,} tokens ({how})"


def _read(read: dict) -> Iterator[str]:
    """Yields a line for the pool and one for the targets: how much of them the model reads."""
    for side, texts in (("pool", "chunks of the pool"), ("targets", "texts of the target")):
        count = {key: sum(found[key] for found in read[side].values()) for key in next(iter(read[side].values()))}
        tokens = max(count["tokens"], 1)
        yield (
            f"{count['read_in_part']:,} of {count['texts']:,} {texts} are read in part ("
            f"{count['tokens_not_read'] / tokens:.1%} of all tokens lie beyond {read['max_length']:,}), "
            f"{count['mostly_unknown']:,} are mostly unknown tokens, {count['unreadable']:,} wholly"
        )


def _cells(stage: Stage) -> tuple[str, ...]:
    from tqdm import tqdm

    sizes = (tqdm.format_sizeof(size, "B") if size else "" for size in (stage.memory_bytes, stage.disk_bytes))
    return (stage.name, tqdm.format_interval(max(stage.seconds, 1)), *sizes, stage.why)
