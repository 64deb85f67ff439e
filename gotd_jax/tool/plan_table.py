"""`Plan`: how much a selection reads and how long it will take, and the table that is printed of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from gotd_jax.progress import interval
from gotd_jax.report.rendering import aligned
from gotd_jax.tool.text_sizes import Extent, in_bytes


@dataclasses.dataclass(frozen=True)
class Stage:
    """A step of a selection.

    Attributes:
      name: of the step.
      seconds: that it will take.
      memory_bytes: of the process, at most.
      disk_bytes: that it needs in the work folder, or in the folder that is written.
      why: where the numbers come from.
    """

    name: str
    seconds: float
    memory_bytes: int
    disk_bytes: int
    why: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The stage as a line of the table."""
        sizes = (in_bytes(size) if size else "" for size in (self.memory_bytes, self.disk_bytes))
        return (self.name, interval(max(self.seconds, 1)), *sizes, self.why)


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much a selection reads and how long it will take; `gotd plan` prints `str(plan)`.

    Attributes:
      method: of the request.
      pool: all sources of the pool.
      target: all targets.
      budget: as it was asked for.
      budget_chunks: about how many chunks that is.
      stages: in their order.
      read: by the model: `max_length`, and of each source of `pool` and of `targets`, by its name, about how many
        texts and tokens, read in part, not read and unknown.
      notes: sentences about departures from the request, and surprises.
      in_pool: chunks of the target that lie in the pool, among the chunks read of both.
      left_out: files in the folders of pool and target that are not read.
    """

    method: str
    pool: Extent
    target: Extent
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
        seconds, disk = (sum(getattr(stage, name) for stage in self.stages) for name in ("seconds", "disk_bytes"))
        return Stage("total", seconds, max(stage.memory_bytes for stage in self.stages), disk, "")

    def to_dict(self) -> dict:
        """Returns the plan JSON-like."""
        return {**dataclasses.asdict(self), "total": dataclasses.asdict(self.total)}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"pool    {self.pool}"
        yield f"target  {self.target}" + f"; {self.in_pool:,} of the chunks read lie in the pool themselves" * bool(
            self.in_pool
        )
        if self.left_out:
            yield f"left out {self.left_out:,} files of these folders"
        share = self.budget_chunks / self.pool.chunks
        yield f"budget  {self.budget} by {self.method}: {self.budget_chunks:,} chunks, {share:.1%} of the pool"
        yield f"read    {self._read('pool', 'chunks of the pool')}"
        yield f"read    {self._read('targets', 'texts of the target')}"
        yield ""
        grid = [("stage", "time", "memory", "disk", ""), *(stage.cells for stage in (*self.stages, self.total))]
        yield from map(str.rstrip, aligned(grid, left=(0, 4)))
        if self.notes:
            yield from ("", *self.notes)

    def _read(self, side: str, texts: str) -> str:
        sources = self.read[side].values()
        count = {key: sum(counts[key] for counts in sources) for key in next(iter(sources))}
        beyond = count["tokens_not_read"] / max(count["tokens"], 1)
        return (
            f"{count['read_in_part']:,} of {count['texts']:,} {texts} are read in part ({beyond:.1%} of all tokens lie beyond "
            f"{self.read['max_length']:,}), {count['mostly_unknown']:,} are mostly unknown tokens, "
            f"{count['unreadable']:,} wholly"
        )
