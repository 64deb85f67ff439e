"""Progress on a terminal: what is done, the rate, the time left. Quiet where the output is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable


def progress(iterable: Iterable | None = None, *, total: int | None = None, unit: str = "it", what: str = ""):
    """Returns `iterable` wrapped to show its progress, or (without one) a bar to `update(count)` and `close()` by hand."""
    from tqdm import tqdm

    return tqdm(
        iterable,
        total=total,
        unit=f" {unit}",
        desc=what,
        disable=not sys.stderr.isatty(),
        unit_scale=total is not None and total >= 10_000,
        dynamic_ncols=True,
        leave=False,
    )
