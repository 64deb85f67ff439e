"""A mixture: texts at random, in stated shares of domains; of the task's own domains, the oracle that no method is told."""

from __future__ import annotations

import numpy as np

from gotd_jax.methods.domains import rows_by_domain
from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection


def select(problem: Problem, budget: int, *, seed: int, shares: str | None = None) -> Selection:
    """Returns `budget` candidates drawn at random from some domains, in fixed shares.

    With the task's own domains it is the oracle that a method is measured against: nothing comes nearer to the target by
    domains alone. With those of the pre-training data it is the placebo: more of what the model has read already. The domains
    take turns as their shares have it. A smaller budget of the same seed begins a larger one.

    Args:
      problem: pool, and home, the names of the task's domains; neither texts nor embeddings are read.
      budget: how many chunks to select.
      seed: draws the texts.
      shares: of each domain, 'news=0.6,law=0.4'; None: as much of each of the task's own domains.

    Raises:
      ValueError: the shares cannot be read, the pool lacks a domain, or one holds fewer texts than its share of the budget.
    """
    wanted = dict.fromkeys(problem.home, 1.0) if shares is None else _parsed(shares)
    domains, random = rows_by_domain(problem.pool), np.random.default_rng(seed)
    if lacking := [name for name in wanted if name not in domains]:
        raise ValueError(f"The pool has no domain {', '.join(lacking)}. It has: {', '.join(domains)}.")
    turns = np.full(len(problem.pool), np.inf)
    for name, share in wanted.items():
        turns[random.permutation(domains[name])] = (np.arange(len(domains[name])) + random.random()) / share
    rows = np.argsort(turns, kind="stable")[:budget]
    last = turns[rows[-1]]
    for name, share in wanted.items():
        if len(domains[name]) < np.floor(last * share):
            raise ValueError(
                f"Of the budget of {budget:,} chunks, {share / sum(wanted.values()):.1%} are of the domain {name}, and the "
                f"pool has {len(domains[name]):,} of it. Lower the budget, or add to the pool."
            )
    return Selection(rows.astype(np.int64), info={"shares": wanted})


def _parsed(shares: str) -> dict[str, float]:
    """Returns the share of each domain."""
    try:
        found = {name.strip(): float(number) for name, number in (part.split("=") for part in shares.split(","))}
    except ValueError:
        raise ValueError(f"The shares are {shares!r}. Write them as news=0.6,law=0.4.") from None
    if not all(0 < share < np.inf for share in found.values()):
        raise ValueError(f"The shares are {shares!r}. Each must be above 0.")
    return found


METHOD = Method(select, reads={"domains", "home"}, valued="none")
