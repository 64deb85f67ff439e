"""How far a long step is: a bar on a terminal, and elsewhere, as in a log, a line a minute."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterable, Iterator

from gotd_jax.terminal import shown

SECONDS = 60  # between two lines, of any steps


class Log:
    """As much of tqdm's bar as the library uses, in lines: all steps of a process together print one a minute."""

    printed = time.monotonic()  # when the last line was, of any step

    def __init__(self, iterable: Iterable | None, total: int | None, done: int, unit: str, step: str):
        self._iterable, self._total, self._unit, self._step = iterable, total, unit, step
        self._first = self._done = done
        self._began = time.monotonic()

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __iter__(self) -> Iterator:
        for item in self._iterable:
            yield item
            self.update()

    def update(self, count: int = 1) -> None:
        """Counts `count` more as done, and prints how far the step is if the last line is a minute old."""
        self._done += count
        now = time.monotonic()
        if now - Log.printed >= SECONDS and self._done > self._first:
            Log.printed = now
            _print(f"{self._step}: {self._counted(now - self._began)}")

    def close(self) -> None:
        """Does nothing: the printed lines stay."""

    def _counted(self, seconds: float) -> str:
        if self._total is None:
            return f"{self._done:,} {self._unit} so far"
        left = seconds * (self._total - self._done) / (self._done - self._first)
        return f"{self._done:,} of {self._total:,} {self._unit}, {interval(left)} left"


def progress(iterable: Iterable | None = None, *, total: int | None = None, done: int = 0, unit: str = "it", step: str = ""):
    """Returns `iterable` wrapped to show its progress, or (without one) a bar to `update(count)` and `close()` by hand.

    Args:
      iterable: of the step's parts.
      total: how many there are; the length of `iterable` by default, if it has one.
      done: how many of them an earlier run has done.
      unit: of the parts, in the plural.
      step: its name, as it is printed.
    """
    if total is None and hasattr(iterable, "__len__"):
        total = len(iterable)
    if not sys.stderr.isatty():
        return Log(iterable, total, done, unit, step)
    from tqdm import tqdm

    return tqdm(
        iterable,
        total=total,
        initial=done,
        unit=f" {unit}",
        desc=step,
        unit_scale=total is not None and total >= 10_000,
        dynamic_ncols=True,
        leave=False,
    )


@contextlib.contextmanager
def waiting(step: str) -> Iterator[None]:
    """Prints once a minute, on a terminal too, how long the body has run: for one call that reports nothing before its end."""
    began, ended = time.monotonic(), threading.Event()

    def tell() -> None:
        while not ended.wait(SECONDS):
            Log.printed = time.monotonic()
            _print(f"{step}: {interval(Log.printed - began)} so far")

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _print(line: str) -> None:
    print(shown(line), file=sys.stderr, flush=True)


def interval(seconds: float) -> str:
    """Returns a duration as a clock shows it: `12:30`, `1:02:05`."""
    from tqdm import tqdm

    return tqdm.format_interval(seconds)
