"""Pairs of context and continuation in batches: pairs of one context together, in rectangles of few shapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import jax
import numpy as np

from gotd_jax.evaluation.context_pairs import Pair

TOKENS_PER_BATCH = 2048  # read at once on each device
PADDED_TO = 3  # rows are padded to at most so many times their tokens, to share a program and not compile one to use once
SHARING = 8  # continuations of a context that are scored together, at most


class Shape(NamedTuple):
    """The sizes that a program is compiled for.

    Attributes:
      context: columns of the contexts.
      fed: columns of the continuations that are read: all but the last.
      shared: continuations a context.
    """

    context: int
    fed: int
    shared: int

    @property
    def cost(self) -> int:
        """Tokens that a row reads, or a quarter of the columns that its cache repeats, where that is more."""
        return max(self.context + self.shared * self.fed, self.shared * (self.context + self.fed) // 4)

    @property
    def fit(self) -> int:
        """Rows of a full batch, a context each, on all devices."""
        return max(TOKENS_PER_BATCH // self.cost, 1) * jax.device_count()

    def height(self, groups: int) -> int:
        """Returns the rows of a batch on all devices: those of a full one, or a power of two a device that holds `groups`."""
        needed = -(-groups // jax.device_count())
        return min(self.fit, (1 << (needed - 1).bit_length()) * jax.device_count())

    def joined(self, other: Shape) -> Shape:
        """Returns the least shape that holds the rows of both."""
        return Shape(*map(max, self, other))


class Batch(NamedTuple):
    """Arrays of B contexts, each with K continuations.

    Attributes:
      context: token ids, int32 [B, C], padded on the left.
      context_mask: bool [B, C], true at tokens.
      continuation: token ids, int32 [B, K, F + 1], padded on the right.
      continuation_mask: bool [B, K, F + 1].
    """

    context: np.ndarray
    context_mask: np.ndarray
    continuation: np.ndarray
    continuation_mask: np.ndarray


def batches(pairs: Iterable[Pair], positions: int) -> Iterator[tuple[Shape, list[list[Pair]], Batch]]:
    """Yields (shape, groups, arrays) that cover all pairs; row r of the arrays is group r, pairs of one context.

    Args:
      pairs: tuples of token ids, all different, none longer than `positions` and one token.
      positions: of the model.
    """
    for shape, groups in sorted(_merged(_by_shape(pairs, positions), positions).items()):
        height = shape.height(len(groups))
        for start in range(0, len(groups), height):
            batch = groups[start : start + height]
            yield shape, batch, _arrays(batch, shape, height)


def rounded(width: int) -> int:
    """Returns the next of 0, 4, 8, 16, 24, 32, 48, 64, 96, ...: two widths an octave, so that few programs are compiled."""
    if width <= 8:
        return -(-width // 4) * 4
    whole = 1 << (width - 1).bit_length()
    return whole * 3 // 4 if whole > 16 and width <= whole * 3 // 4 else whole


def _by_shape(pairs: Iterable[Pair], positions: int) -> dict[Shape, list[list[Pair]]]:
    sharing: dict[tuple, list[Pair]] = {}
    for pair in pairs:
        sharing.setdefault(pair[0], []).append(pair)
    shapes: dict[Shape, list[list[Pair]]] = {}
    for context, together in sharing.items():
        together.sort(key=lambda pair: len(pair[1]))
        for start in range(0, len(together), SHARING):
            group = together[start : start + SHARING]
            shape = _shape(len(context), len(group[-1][1]) - 1, len(group), positions)
            shapes.setdefault(shape, []).append(group)
    return shapes


def _shape(context: int, fed: int, shared: int, positions: int) -> Shape:
    columns, more = rounded(context), rounded(fed)
    if columns + more > positions:  # the rounding is taken back, from the context first
        columns = max(positions - more, context)
        more = min(more, positions - columns)
    return Shape(columns, more, shared)


def _merged(shapes: dict[Shape, list], positions: int) -> dict[Shape, list]:
    """Returns the shapes, those that fill no batch merged into others that hold their rows: compiling a program costs more."""
    rest, kept = dict(shapes), {}
    while rest:
        least = min(rest, key=lambda shape: (shape.cost, shape))
        groups = rest.pop(least)
        joints = [
            (joint.cost, joint, other) for other in rest if (joint := least.joined(other)).context + joint.fed <= positions
        ]
        cost, joint, other = min(joints, default=(0, least, least))
        if len(groups) < least.fit and joints and cost <= PADDED_TO * least.cost:
            groups = rest.pop(other) + groups
            rest[joint] = rest.get(joint, []) + groups
        else:
            kept[least] = groups
    return kept


def _arrays(groups: list[list[Pair]], shape: Shape, height: int) -> Batch:
    context = np.zeros((height, shape.context), np.int32)
    context_mask = np.zeros(context.shape, bool)
    context_mask[:, -1] = True  # rows without a context read one token
    continuation = np.zeros((height, shape.shared, shape.fed + 1), np.int32)
    continuation_mask = np.zeros(continuation.shape, bool)
    for row, group in enumerate(groups):
        tokens = group[0][0]
        context[row, shape.context - len(tokens) :] = tokens
        context_mask[row, shape.context - len(tokens) :] = True
        for slot, (_, tokens) in enumerate(group):
            continuation[row, slot, : len(tokens)] = tokens
            continuation_mask[row, slot, : len(tokens)] = True
    return Batch(context, context_mask, continuation, continuation_mask)
