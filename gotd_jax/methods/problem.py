"""What every method is given and what it returns."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from gotd_jax.data.corpus import Corpus


class Problem:
    """A candidate pool, a target set, and what methods ask of them; nothing costs anything until it is asked for.

    Args:
      pool: the candidate pool, n chunks.
      target: the task's own training text, unlabelled, m chunks.
      embed: returns the embeddings of a corpus, float32 [rows, d]; called once for each side, when first needed.
      away: texts to move away from, l chunks; None where there are none.
      toxicity: returns the toxicity of every candidate, float32 [n]; called once, when first needed. None where there is
        no scorer.
    """

    def __init__(
        self,
        pool: Corpus,
        target: Corpus,
        embed: Callable[[Corpus], np.ndarray],
        *,
        away: Corpus | None = None,
        toxicity: Callable[[], np.ndarray] | None = None,
    ):
        self.pool = pool
        self.target = target
        self.away = away
        self._embed = embed
        self._toxicity = toxicity

    @functools.cached_property
    def candidates(self) -> np.ndarray:
        """The pool's embeddings, float32 [n, d]."""
        return self._embed(self.pool)

    @functools.cached_property
    def targets(self) -> np.ndarray:
        """The target's embeddings, float32 [m, d]."""
        return self._embed(self.target)

    @functools.cached_property
    def negatives(self) -> np.ndarray:
        """The embeddings of the texts to move away from, float32 [l, d].

        Raises:
          ValueError: the problem has no such texts.
        """
        if self.away is None or len(self.away) == 0:
            raise ValueError(
                "This method moves away from texts, and the problem has none. Give them as Problem(..., away=corpus); in a "
                "config, evaluation='toxicity' does."
            )
        return self._embed(self.away)

    @functools.cached_property
    def toxicity(self) -> np.ndarray:
        """The toxicity of every candidate, float32 [n], higher is more toxic.

        Raises:
          ValueError: the problem has no scorer, or it does not give one finite number a candidate.
        """
        if self._toxicity is None:
            raise ValueError(
                "This method reads the candidates' toxicity, and the problem has no scorer. Give one as Problem(..., "
                "toxicity=function); in a config, evaluation='toxicity' does."
            )
        scores = np.asarray(self._toxicity(), np.float32)
        if scores.shape != (len(self.pool),) or not np.isfinite(scores).all():
            raise ValueError(
                f"The scorer gave {np.isfinite(scores).sum():,} finite numbers, shape {list(scores.shape)}, for a pool of "
                f"{len(self.pool):,}. It must give one for each candidate."
            )
        return scores


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


def lowest(values: np.ndarray, budget: int, *, seed: int | None = None) -> np.ndarray:
    """Returns the positions of the `budget` lowest `values`, lowest first, int64 [budget].

    Equal values stand in pool order, or with a `seed` in an order drawn by it, which no budget changes.
    """
    if seed is None:
        return np.argsort(values, kind="stable")[:budget].astype(np.int64)
    ties = np.random.default_rng(seed).permutation(len(values))
    return np.lexsort((ties, values))[:budget].astype(np.int64)
