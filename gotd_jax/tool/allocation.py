"""The allocation of a budget: each target's share of it, filled with the method's best candidates."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from gotd_jax import methods
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, Selection
from gotd_jax.pipeline.token_budget import within_tokens
from gotd_jax.tool.budget import Budget
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
            best = functools.partial(_best_free, problem, request, taken)
            nested = not request.options.get("share")  # of got_d, whose best selection is another at each size
            selection = within_tokens(best, lengths, amount + carried, nested=nested)
            rows, tokens = selection.rows, lengths[selection.rows]
            carried += amount - tokens.sum()
        else:
            selection = _best_free(problem, request, taken, int(amount))
            rows, tokens = selection.rows, tokens_of(pool.take(selection.rows))
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


def _best_free(problem: Problem, request: Request, taken: np.ndarray, count: int) -> Selection:
    """Returns the method's selection of `count` candidates that no target before has taken."""
    asked = min(count + int(taken.sum()), len(taken))
    selection = methods.select(request.method, problem, asked, seed=request.seed, **request.arguments)
    return dataclasses.replace(selection, rows=selection.rows[~taken[selection.rows]][:count])
