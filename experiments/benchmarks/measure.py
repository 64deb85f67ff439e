"""How time and memory are measured: in alternation, and each in a process of its own."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path


def alternated(calls: Mapping[str, Callable[[], object]], rounds: int, unmeasured: int = 1) -> dict[str, list[float]]:
    """Returns the wall seconds of each call in each round, after `unmeasured` ones, of which the first compiles."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + unmeasured):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if number >= unmeasured:
                seconds[name].append(time.perf_counter() - began)
            print(f"  round {number}: {name} {time.perf_counter() - began:.2f} s", file=sys.stderr, flush=True)
    return seconds


@contextlib.contextmanager
def own_processes(
    sides: Mapping[str, Callable[[], Mapping[str, Callable[[], object]]]],
) -> Iterator[Callable[[str, str], None]]:
    """Yields `call(side, name)`, which makes one of a side's calls in the process that the side has to itself.

    So neither side's threads or memory are in the other's way. Each function in `sides` must be picklable; it is run in the
    new process and returns the side's calls by name, which stay there.
    """
    with contextlib.ExitStack() as stack:
        spawn, processes = multiprocessing.get_context("spawn"), {}
        for side, prepare in sides.items():
            process = ProcessPoolExecutor(1, spawn, initializer=_prepare, initargs=(prepare,))
            processes[side] = stack.enter_context(process)
        yield lambda side, name: processes[side].submit(_call, name).result()


_calls: dict[str, Callable[[], object]] = {}  # of the side whose process this is


def _prepare(prepare: Callable[[], Mapping[str, Callable[[], object]]]) -> None:
    _calls.update(prepare())


def _call(name: str) -> None:
    _calls[name]()


def alone(function: Callable, *arguments):
    """Returns the result of `function` in a new process; it and its arguments must be importable and picklable."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def extra_memory(
    call: Callable[[], object], unmeasured: Callable[[], object] | None = None, times: int = 1
) -> tuple[float, float]:
    """Returns the largest memory that `call` takes above that of the process before it, in MB, and its wall seconds.

    `unmeasured` (by default `call` itself) is called first, so that no figure has the memory of compiling. Medians of several
    `times`, as the allocator holds back more or less memory from earlier calls. On Linux alone.
    """
    (unmeasured or call)()
    memory, seconds = [], []
    for _ in range(times):
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        before = status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
        memory.append(status("VmHWM") - before)
    return statistics.median(memory), statistics.median(seconds)


def status(field: str) -> float:
    """Returns a field of this process's status in MB: VmRSS is its memory now, VmHWM the most it was."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1e3


def markdown(rows: list[dict]) -> str:
    """Returns `rows`, mappings of equal keys, as a Markdown table."""
    keys = list(rows[0])
    lines = [keys, ["---"] * len(keys), *([str(row[key]) for key in keys] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def write_rows(folder: Path, rows: list[dict]) -> None:
    """Writes `rows` into a stage's folder as JSON and as a Markdown table, and prints the table."""
    (folder / "rows.json").write_text(json.dumps(rows, indent=2) + "\n")
    (folder / "table.md").write_text(markdown(rows))
    print(f"\n{folder.name.removesuffix('.partial')}\n\n{markdown(rows)}", flush=True)
