"""The allocation of a budget: each target's share of it, filled with the method's best candidates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from gotd_jax import methods
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, Selection
from gotd_jax.tool.budget import Budget, fitting
from gotd_jax.tool.request import Request


@dataclasses.dataclass(frozen=True, eq=False)
class Allocation:
    """The rows chosen among c candidates for t targets.

    Attributes:
      rows: positions among the candidates, int64 [k], best first, the targets taking turns by their shares.
      served: the number of the target that each row was chosen for, int64 [k].
      tokens: of each row, int64 [k].
      selections: the method's selection for each target.
    """

    rows: np.ndarray
    served: np.ndarray
    tokens: np.ndarray
    selections: tuple[Selection, ...]


def allocate(problems: Sequence[Problem], request: Request, tokens_of: Callable[[Corpus], np.ndarray]) -> Allocation:
    """Returns the rows that the request's method chooses for each of the `problems`, which have one pool.

    No chunk is chosen twice: a target passes over the chunks of the targets before it and goes on with its next best.

    Args:
      problems: one for each target.
      request: method, options, budget, shares, seed.
      tokens_of: returns the tokens of each text of a corpus, int64 [n].

    Raises:
      ValueError: the budget exceeds the candidates.
    """
    pool, budget = problems[0].pool, Budget.parse(request.budget)
    lengths = tokens_of(pool) if budget.unit == "tokens" else None
    amounts = _amounts(budget, request.budget_shares, len(pool), lengths)
    taken = np.zeros(len(pool), bool)
    parts, selections, carried = [], [], 0.0
    for problem, amount in zip(problems, amounts):
        if lengths is not None:
            rows, selection = _within_tokens(problem, request, taken, amount + carried, lengths)
            tokens = lengths[rows]
            carried += amount - tokens.sum()
        else:
            rows, selection = _first_free(problem, request, taken, int(amount))
            tokens = tokens_of(pool.take(rows))
        taken[rows] = True
        parts.append((rows, tokens))
        selections.append(selection)
    order = np.argsort(np.concatenate([(np.arange(len(rows)) + 0.5) / max(len(rows), 1) for rows, _ in parts]), kind="stable")
    rows, tokens = (np.concatenate(column)[order] for column in zip(*parts))
    served = np.repeat(np.arange(len(parts)), [len(rows) for rows, _ in parts])[order]
    return Allocation(rows, served, tokens, tuple(selections))


def _amounts(budget: Budget, shares: Sequence[float], candidates: int, lengths: np.ndarray | None) -> list[float]:
    """Returns the chunks of each target, whole numbers that sum to the budget (largest remainders), or its tokens."""
    exact = np.array(shares, np.float64) / np.sum(shares)
    if lengths is not None:
        if budget.amount > lengths.sum():
            raise ValueError(
                f"The budget of {budget.amount:,.0f} tokens exceeds the {lengths.sum():,} of the {candidates:,} candidates. "
                "Lower it or add to the pool."
            )
        return list(exact * budget.amount)
    total = budget.chunks_of(candidates)
    if total > candidates:
        raise ValueError(f"The budget of {total:,} chunks exceeds the {candidates:,} candidates. Lower it or add to the pool.")
    if total < len(shares):
        raise ValueError(f"The budget of {total:,} chunks is less than one for each of {len(shares)} targets. Raise it.")
    whole = np.floor(exact * total).astype(int)
    whole[np.argsort(whole - exact * total, kind="stable")[: total - whole.sum()]] += 1
    return list(whole)


def _first_free(problem: Problem, request: Request, taken: np.ndarray, count: int) -> tuple[np.ndarray, Selection]:
    asked = min(count + int(taken.sum()), len(taken))
    selection = methods.select(request.method, problem, asked, seed=request.seed, **request.arguments)
    return selection.rows[~taken[selection.rows]][:count], selection


def _within_tokens(
    problem: Problem, request: Request, taken: np.ndarray, tokens: float, lengths: np.ndarray
) -> tuple[np.ndarray, Selection]:
    """Returns the best rows whose tokens fit into `tokens`, and the method's selection.

    Twice as many chunks are asked for as the budget holds of mean length, and more until they fill it.
    """
    free = int((~taken).sum())
    count = min(int(2 * tokens / lengths.mean()) + 1, free)
    while True:
        rows, selection = _first_free(problem, request, taken, count)
        fit = fitting(lengths[rows], tokens)
        if fit < len(rows) or count == free:
            break
        count = min(2 * count, free)
    if fit == 0:
        raise ValueError(f"The budget of {tokens:,.0f} tokens is less than the best chunk's {lengths[rows[0]]:,}. Raise it.")
    return rows[:fit], selection
