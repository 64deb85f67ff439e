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

    A text's place in the draw depends on the text and the seed alone: tasks that refuse different chunks, none of them drawn,
    have one selection, and share the model that is trained on it.

    Args:
      problem: the pool's domains are read; neither texts, target nor embeddings are.
      budget: how many chunks to select.
      seed: draws the texts and the order of the domains.
    """
    first, second = (_drawn(problem.pool.hashes, key) for key in np.random.SeedSequence(seed).generate_state(2, np.uint64))
    turns = np.empty(len(problem.pool), np.int64)
    for rows in rows_by_domain(problem.pool).values():
        turns[rows[np.argsort(first[rows], kind="stable")]] = np.arange(len(rows))
    order = np.lexsort((second, turns))
    return Selection(order[:budget].astype(np.int64))


def _drawn(hashes: np.ndarray, key: np.uint64) -> np.ndarray:
    """Returns a number for each content hash, `V16 [n]`, as random as `key`, uint64 [n]: SplitMix64 of the two."""
    mixed = np.ascontiguousarray(hashes).view(np.uint64).reshape(-1, 2)[:, 0] ^ key
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


METHOD = Method(select, reads={"domains"}, valued="none")
