"""A budget in tokens: a method is asked for as many chunks as fill it, however long those are that it prefers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from gotd_jax.methods.problem import Selection

ROUNDS = 8  # in which the number of chunks is found
SURPLUS = 0.02  # of the chunks asked for, which may not fit


def within_tokens(select: Callable[[int], Selection], lengths: np.ndarray, tokens: float, *, nested: bool = False) -> Selection:
    """Returns the selection of a method whose chunks, best first, have `tokens` tokens, to within the next chunk.

    How many chunks that are depends on the lengths that the method prefers, and what it selects may depend on how many it is
    asked for. So it is asked again until hardly a chunk that it was asked for is left over; one whose smaller selections begin
    its larger ones, until they are enough, which twice as many chunks as the budget holds of mean length nearly always are.

    Args:
      select: returns the selection of so many chunks.
      lengths: tokens of every candidate, int [n].
      tokens: the budget.
      nested: whether what it selects, best first, does not depend on how many it is asked for.

    Raises:
      ValueError: all candidates together have fewer tokens, or the first chunk has more.
    """
    if lengths.sum() < tokens:
        raise ValueError(
            f"The budget of {tokens:,.0f} tokens exceeds the {lengths.sum():,} of the {len(lengths):,} candidates. Lower it or "
            "add to the pool."
        )
    count = _within((2 if nested else 1) * tokens / lengths.mean(), len(lengths))
    for _ in range(ROUNDS):
        selection = select(count)
        sums = np.cumsum(lengths[selection.rows])
        fit = int(np.searchsorted(sums, tokens, side="right"))
        left_over = len(sums) - fit
        enough = left_over and (nested or left_over <= 1 + SURPLUS * len(sums))
        if enough or (not left_over and count == len(lengths)):
            break
        count = fit + 1 if left_over else _within(count * tokens / sums[-1] + 1, len(lengths))
    if fit == 0:
        raise ValueError(f"The budget of {tokens:,.0f} tokens is less than the {sums[0]:,} of the best chunk. Raise it.")
    used = {"tokens": int(sums[fit - 1]), "asked_for": len(sums)}
    return dataclasses.replace(selection, rows=selection.rows[:fit], info=selection.info | used)


def _within(count: float, most: int) -> int:
    return min(max(int(np.ceil(count)), 1), most)
