"""What every method is given and what it returns."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from gotd_jax.data.corpus import Corpus


class Problem:
    """A candidate pool, a target set, and a way to embed both that costs nothing until it is asked for.

    Args:
      pool: the candidate pool, n chunks.
      target: the task's own training text, unlabelled, m chunks.
      embed: returns the embeddings of a corpus, float32 [rows, d]; called once for each side, when first needed.
    """

    def __init__(self, pool: Corpus, target: Corpus, embed: Callable[[Corpus], np.ndarray]):
        self.pool = pool
        self.target = target
        self._embed = embed

    @functools.cached_property
    def candidates(self) -> np.ndarray:
        """The pool's embeddings, float32 [n, d]."""
        return self._embed(self.pool)

    @functools.cached_property
    def targets(self) -> np.ndarray:
        """The target's embeddings, float32 [m, d]."""
        return self._embed(self.target)


@dataclasses.dataclass(frozen=True)
class Selection:
    """The rows that a method chose.

    Attributes:
      rows: positions in the pool, int64 [k], best first, distinct.
      values: the method's number for every candidate, float32 [n], lower is better; None where it has none.
      info: what the method says of its work (convergence, counts, seconds), JSON-like.
    """

    rows: np.ndarray
    values: np.ndarray | None = None
    info: dict = dataclasses.field(default_factory=dict)


def check_budget(problem: Problem, budget: int) -> None:
    """Raises ValueError unless `budget` chunks can be selected from the pool toward the target."""
    size = len(problem.pool)
    if size == 0:
        raise ValueError("The candidate pool is empty. Name files with text in them, or chunk it shorter.")
    if len(problem.target) == 0:
        raise ValueError("The target set is empty. Name files with text in them.")
    if budget <= 0:
        raise ValueError(f"The budget is {budget} chunks. It must be at least 1.")
    if budget > size:
        raise ValueError(f"The budget of {budget:,} chunks exceeds the pool of {size:,}. Lower the budget or add to the pool.")


def lowest(values: np.ndarray, budget: int) -> np.ndarray:
    """Returns the positions of the `budget` lowest `values`, lowest first; equal values in pool order. int64 [budget]."""
    return np.argsort(values, kind="stable")[:budget].astype(np.int64)
