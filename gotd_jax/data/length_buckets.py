"""Texts of similar length in one batch: padded rectangles of few possible shapes, so that few programs are compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import jax
import numpy as np

WIDTH_STEP = 16  # batch widths are multiples of it: 16 shapes up to 256 tokens, and 14 % padding on mixed lengths
TOKENS_PER_BATCH = 2048  # measured best on a CPU, per device
COARSE_STEP = 32  # of the widths of batches that mix texts of many lengths, as in training


def batches_by_width(lengths: np.ndarray, at_once: Callable[[int], int] | None = None) -> Iterator[tuple[np.ndarray, int, int]]:
    """Yields (rows, width, height) that cover all texts: rows of similar length, a rectangle of few possible shapes.

    The height depends on the width alone and is a multiple of the number of devices, so that each width compiles once.

    Args:
      lengths: tokens of each text, int [n].
      at_once: returns, for a width, the tokens of a batch on each device, at most, or one text's; `TOKENS_PER_BATCH` for all
        by default.
    """
    widths = widths_of(lengths)
    order = np.argsort(widths, kind="stable")
    for width in np.unique(widths):
        tokens = at_once(int(width)) if at_once else TOKENS_PER_BATCH
        height = max(tokens // int(width), 1) * jax.device_count()
        rows = order[np.searchsorted(widths[order], width) : np.searchsorted(widths[order], width, side="right")]
        for start in range(0, len(rows), height):
            yield rows[start : start + height], int(width), height


def widths_of(lengths: np.ndarray) -> np.ndarray:
    """Returns the width of the batch that each text of so many tokens comes into, int [n]."""
    return np.maximum(-(-lengths // WIDTH_STEP), 1) * WIDTH_STEP


def batch_width(longest: int, max_length: int) -> int:
    """Returns the width of a batch of any texts whose longest has `longest` tokens: few widths, few compiled programs."""
    return min(-(-longest // COARSE_STEP) * COARSE_STEP, max_length)
