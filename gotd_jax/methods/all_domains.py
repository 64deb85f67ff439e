"""All domains (Kang et al. 2024, Table 2): a random sample with as many texts of each domain of the pool."""

from __future__ import annotations

import numpy as np

from gotd_jax.methods.domains import rows_by_domain
from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection


def select(problem: Problem, budget: int, *, seed: int) -> Selection:
    """Returns `budget` candidates drawn at random from all domains, equally many from each.

    The domains take turns in a random order, each giving one of its texts at random; one that runs out is passed over, so
    the others share its part. The paper (Section 3.2) says that texts are "selected from all domains in the candidate set
    uniformly" and calls it a random baseline. Whether that is uniform over domains or over texts it does not say; over
    texts it would be `random`, so here it is over domains. The paper's domains are of 2 to 3 million texts each, where the
    two hardly differ. A smaller budget of the same seed begins a larger one.

    Args:
      problem: the pool's domains are read; neither texts, target nor embeddings are.
      budget: how many chunks to select.
      seed: draws the texts and the order of the domains.
    """
    rng = np.random.default_rng(seed)
    turns = np.empty(len(problem.pool), np.int64)
    for rows in rows_by_domain(problem.pool).values():
        turns[rng.permutation(rows)] = np.arange(len(rows))
    order = np.lexsort((rng.permutation(len(turns)), turns))
    return Selection(order[:budget].astype(np.int64))


METHOD = Method(select, reads={"domains"}, valued="none")
