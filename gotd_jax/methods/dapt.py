"""DAPT as GOT-D's tables have it (after Gururangan et al. 2020): a uniform sample of the task's own domain."""

from __future__ import annotations

import numpy as np

from gotd_jax.methods.domains import rows_by_domain
from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection


def select(problem: Problem, budget: int, *, seed: int) -> Selection:
    """Returns `budget` candidates drawn uniformly, without replacement, from the domains that a person gave the task.

    Gururangan et al. (2020, Section 3) train on the whole of a domain. Kang et al. (2024, Section 3.2) give DAPT the budget
    of the other methods, so it is a sample of it. Named domains that the pool lacks are passed over; `info` has the
    others and their sizes. A smaller budget of the same seed is not a prefix of a larger one.

    Args:
      problem: pool, and home, the names of the task's domains; neither texts nor embeddings are read.
      budget: how many chunks to select; at most as many as the home domains hold, which may be less than the pool.
      seed: draws the sample.

    Raises:
      ValueError: the pool has none of the home domains, or they hold fewer than `budget`.
    """
    domains = rows_by_domain(problem.pool)
    home = {name: domains[name] for name in dict.fromkeys(problem.home) if name in domains}
    if not home:
        raise ValueError(
            f"The task's home is {', '.join(problem.home)}, and the pool has no such domain. It has: {', '.join(domains)}."
        )
    rows = np.concatenate(list(home.values()))
    if len(rows) < budget:
        raise ValueError(
            f"The budget is {budget:,} chunks, and the task's home ({', '.join(home)}) holds {len(rows):,} of the pool's "
            f"{len(problem.pool):,}. Lower the budget, name more domains, or add to the pool."
        )
    chosen = np.random.default_rng(seed).choice(rows, budget, replace=False)
    return Selection(chosen.astype(np.int64), info={"home": {name: len(rows) for name, rows in home.items()}})


METHOD = Method(select, reads={"domains", "home"}, valued="none")
