"""A sweep's cells run in turn, all in one process or a share in each of several, with how many are done and the time left."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from experiments import cell, cell_labels, config_fields, gaps, missing_inputs
from experiments.cell_data import Shared
from gotd_jax import provenance
from gotd_jax.artifacts import fingerprint
from gotd_jax.progress import interval
from gotd_jax.report import figures, results, table
from gotd_jax.terminal import say


def check(config, cells: Sequence[tuple], workdir: Path, shared: Shared | None = None) -> None:
    """Raises ValueError for whatever would stop a sweep: first for faults found in seconds, then for those that take a pool.

    Args:
      config: of the sweep.
      cells: (config, swept values) of each, as `experiments.sweep.cells_of` yields them.
      workdir: where every stage is kept.
      shared: inputs that the cells share; read again by default.
    """
    figures.check(config.figure, config_fields.swept(config))
    gaps.check(config)
    configs, shared = [of_cell for of_cell, _ in cells], shared or Shared()
    for of_cell in configs:
        cell.check_names(of_cell)
        config_fields.check_recipes(of_cell)
    missing_inputs.check(config, configs, workdir)
    for of_cell in configs:
        cell.check(of_cell, workdir, shared)


def share(cells: Sequence, shard: str) -> list:
    """Returns the cells that shard `i/n` runs: the i-th of every n, so that the shards hold every cell once.

    Raises:
      ValueError: `shard` is not `i/n` with 1 <= i <= n, or n exceeds the number of cells.
    """
    numbers = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", shard)
    place, count = map(int, numbers.groups()) if numbers else (1, 0)
    if place > count:
        raise ValueError(f"The shard is {shard!r}. Write i/n, the i-th of n shares, as in --shard=2/4.")
    if count > len(cells):
        raise ValueError(
            f"The sweep has {len(cells):,} cells and is split in {count:,}: some shares are empty. Split it in fewer."
        )
    return list(cells[place - 1 :: count])


def run(
    cells: Sequence[tuple], workdir: Path, shared: Shared | None = None, *, shard: str = "1/1", earlier: Sequence[dict] = ()
) -> list[dict]:
    """Runs a shard of `cells` and returns the rows of all that have been run so far, whichever process ran them.

    Rows go to `results.jsonl` in the workdir one by one. Shards may run at once in one workdir: a stage that several cells need
    is made by the first that asks for it, while the rest wait.

    Args:
      cells: (config, swept values) of each, as `experiments.sweep.cells_of` yields them.
      workdir: where every stage is kept.
      shared: inputs that the cells share; read again by default.
      shard: `i/n`; see `share`.
      earlier: rows of a run elsewhere; those of these cells, if today's code made them, are taken as they are.
    """
    identities, shared = [_identity(config) for config, _ in cells], shared or Shared()
    taken = {row["config"]: row for row in earlier if row.get("code") == _code() and row["config"] in identities}
    for row in taken.values():
        results.write(workdir / "results.jsonl", row)
    own = [(config, swept) for config, swept in share(cells, shard) if _identity(config) not in taken]
    known = {row["config"] for row in found(workdir, [_identity(config) for config, _ in own])}
    took, to_make = [], len(own) - len(known)
    for config, swept in own:
        began, awaited = time.perf_counter(), not config.keep_models and _is_awaited(config, cells, workdir)
        row = {**cell.run(config, workdir, shared, awaited=awaited), **swept, "config": _identity(config), "code": _code()}
        results.write(workdir / "results.jsonl", row)
        if row["config"] not in known:
            took.append(time.perf_counter() - began)
        rows = found(workdir, identities)
        gaps.stop_unless_passed(rows, config)
        done = len(rows)
        say(f"[{done}/{len(cells)}{time_left(took, to_make)}] {table.describe(row)}")
    return found(workdir, identities)


def found(workdir: Path, identities: Iterable[str]) -> list[dict]:
    """Returns the rows in the workdir of the configs with `identities`, in that order, that the code of today made."""
    path = workdir / "results.jsonl"
    rows = {row.get("config"): row for row in results.read(path) if row.get("code") == _code()} if path.exists() else {}
    return [rows[identity] for identity in identities if identity in rows]


def _identity(config) -> str:
    return fingerprint(config.to_dict())


def _code() -> str:
    """Returns a fingerprint that tells the code of today from earlier and later code."""
    return fingerprint(dict(provenance.VERSIONS))


def _is_awaited(config, cells: Sequence[tuple], workdir: Path) -> bool:
    """Returns whether another cell of the sweep, without a row so far, trains from this cell's pre-fine-tuned model."""
    sharing = {
        _identity(other) for other, _ in cells if cell_labels.model_fingerprint(other) == cell_labels.model_fingerprint(config)
    }
    sharing.discard(_identity(config))
    return len(found(workdir, sharing)) < len(sharing)


def time_left(took: Sequence[float], count: int) -> str:
    """Returns ", 12:30 left", the time for the rest of `count` cells if each takes as long as the median of those made so far.

    It is not their mean, since the first cells also make the stages that later cells find.
    """
    if not took or len(took) == count:
        return ""
    return f", {interval(statistics.median(took) * (count - len(took)))} left"
