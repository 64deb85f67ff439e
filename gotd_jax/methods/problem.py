"""`Problem`, the input of every method, and `Selection`, its output."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence, Set

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.ot import Potentials

# The optional inputs of a problem, and how they are given.
MAY_LACK = {
    "home": "the names of the task's own domains",
    "away": "texts to move away from",
    "toxicity": "the toxicity of the candidates",
    "losses": "the losses of the candidates under a language model",
    "reference": "texts of the kind that the model was pre-trained on",
}
GIVEN_AS = {
    "home": "Give them as Problem(..., home=[domain]).",
    "away": "Give them as Problem(..., away=corpus).",
    "toxicity": "Give it as Problem(..., toxicity=function).",
    "losses": "Give them as Problem(..., losses=function); gotd_jax.evaluation.text_losses makes them.",
    "reference": "Give them as Problem(..., reference=corpus).",
}


class Problem:
    """A candidate pool, a target set, and the numbers about them that methods read, each computed when first asked for.

    Args:
      pool: the candidate pool, n chunks.
      target: the task's own training text, unlabelled, m chunks.
      embed: returns the embeddings of a corpus, float32 [rows, d]; called once for each corpus, when first needed.
      target_weights: the mass of each target text, float [m], positive, sum 1, for methods that solve; uniform by default.
      away: texts to move away from, l chunks; None where there are none.
      toxicity: returns the toxicity of every candidate, float32 [n]; called once, when first needed. None where there is
        no scorer.
      losses: returns the mean loss per token of every candidate under a language model before and after light training on
        the target, (float32 [n], float32 [n]); called once, when first needed. None where there is no model.
      reference: texts of the kind that the model was pre-trained on, r chunks, which stand for its distribution in place of the
        pool; None where the pool does.
      home: names of the pool's domains that a person holds to be the task's own; empty where none are named.
    """

    def __init__(
        self,
        pool: Corpus,
        target: Corpus,
        embed: Callable[[Corpus], np.ndarray],
        *,
        target_weights: np.ndarray | None = None,
        away: Corpus | None = None,
        toxicity: Callable[[], np.ndarray] | None = None,
        losses: Callable[[], tuple[np.ndarray, np.ndarray]] | None = None,
        reference: Corpus | None = None,
        home: Sequence[str] = (),
    ):
        self.pool = pool
        self.target = target
        self.target_weights = target_weights
        self.away = away
        self.reference = reference
        self.home = home
        self._embed = embed
        self._toxicity = toxicity
        self._losses = losses

    @property
    def given(self) -> frozenset[str]:
        """The optional inputs that it has, names in `MAY_LACK`."""
        has = {"home": self.home, "away": self.away, "toxicity": self._toxicity, "losses": self._losses}
        has["reference"] = self.reference
        return frozenset(name for name, value in has.items() if value)

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
          ValueError: the problem has no texts to move away from.
        """
        check_given({"away"}, self.given)
        return self._embed(self.away)

    @functools.cached_property
    def references(self) -> np.ndarray:
        """The embeddings of the texts that stand for the model's distribution, float32 [r, d].

        Raises:
          ValueError: the problem has no reference.
        """
        check_given({"reference"}, self.given)
        return self._embed(self.reference)

    @functools.cached_property
    def toxicity(self) -> np.ndarray:
        """The toxicity of every candidate, float32 [n], higher is more toxic.

        Raises:
          ValueError: the problem has no scorer, or it does not give one finite number a candidate.
        """
        check_given({"toxicity"}, self.given)
        scores = np.asarray(self._toxicity(), np.float32)
        if scores.shape != (len(self.pool),) or not np.isfinite(scores).all():
            raise ValueError(
                f"The scorer gave {np.isfinite(scores).sum():,} finite numbers, shape {list(scores.shape)}, for a pool of "
                f"{len(self.pool):,}. It must give one for each candidate."
            )
        return scores

    @functools.cached_property
    def losses(self) -> tuple[np.ndarray, np.ndarray]:
        """The mean loss per token of every candidate before and after training on the target, nats, float32 [n] each.

        Raises:
          ValueError: the problem has no language model, or it does not give two finite numbers a candidate.
        """
        check_given({"losses"}, self.given)
        losses = tuple(np.asarray(numbers, np.float32) for numbers in self._losses())
        if [numbers.shape for numbers in losses] != 2 * [(len(self.pool),)] or not np.isfinite(losses).all():
            finite = " and ".join(f"{np.isfinite(numbers).sum():,}" for numbers in losses)
            raise ValueError(
                f"The losses have {finite} finite numbers, shapes {[list(numbers.shape) for numbers in losses]}, for a pool of "
                f"{len(self.pool):,}. There must be one for each candidate before and one after training on the target."
            )
        return losses


@dataclasses.dataclass(frozen=True)
class Selection:
    """The rows that a method chose.

    Attributes:
      rows: positions in the pool, int64 [k], best first, distinct.
      values: the method's number for every candidate, float32 [n], lower is better; None where it has none.
      info: the method's own report (convergence, counts, seconds), JSON-like.
      potentials: of the transport problem that the method solved; None where it solves none.
    """

    rows: np.ndarray
    values: np.ndarray | None = None
    info: dict = dataclasses.field(default_factory=dict)
    potentials: Potentials | None = None


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


def check_given(
    reads: Set[str], given: Set[str], *, reader: str = "The method", remedies: Mapping[str, str] = GIVEN_AS
) -> None:
    """Raises ValueError unless all optional inputs that are read are also given.

    Args:
      reads: of `gotd_jax.methods.method.READABLE`.
      given: of `MAY_LACK`.
      reader: the subject of the message's sentence.
      remedies: a sentence for each of `MAY_LACK`: how to give it.
    """
    for name, noun in MAY_LACK.items():
        if name in reads and name not in given:
            raise ValueError(f"{reader} reads {noun}, and was given none. {remedies[name]}")


def lowest(values: np.ndarray, budget: int, *, seed: int | None = None) -> np.ndarray:
    """Returns the positions of the `budget` lowest `values`, lowest first, int64 [budget].

    Equal values stand in pool order, or with a `seed` in an order drawn by it, the same for every budget.
    """
    if seed is None:
        return np.argsort(values, kind="stable")[:budget].astype(np.int64)
    ties = np.random.default_rng(seed).permutation(len(values))
    return np.lexsort((ties, values))[:budget].astype(np.int64)


def drawn(values: np.ndarray, budget: int, *, seed: int) -> np.ndarray:
    """Returns `budget` positions drawn without replacement in proportion to exp(-value), in the order drawn, int64 [budget].

    They are the lowest of the values less Gumbel(0, 1) noise. Infinite values come last, in random order. A smaller budget
    of the same seed begins a larger one.
    """
    return lowest(values - np.random.default_rng(seed).gumbel(size=len(values)), budget, seed=seed)
