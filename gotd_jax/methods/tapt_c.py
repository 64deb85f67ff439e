"""TAPT/c, or kNN-TAPT (Gururangan et al. 2020): the nearest neighbours of the target texts, curated by retrieval."""

from __future__ import annotations

import numpy as np

from gotd_jax.methods.method import Method
from gotd_jax.methods.neighbours import embeddings_of, nearest
from gotd_jax.methods.problem import Problem, Selection


def select(problem: Problem, budget: int, *, seed: int) -> Selection:
    """Returns the first `budget` distinct candidates met going through the targets' neighbours rank by rank.

    First every target's nearest neighbour by cosine similarity, then every second, and so on; within one rank the most
    similar first. A candidate counts once, at the best of its ranks (Gururangan et al. 2020, Section 5.2, take the union
    of the neighbours; the published GOT-D code kept repeats: 27,189 of its 50,000 for MNLI are distinct).

    The value of a candidate is r + (1 - s) / 2, r its best rank, from 1, and s the cosine there; it is infinite for those
    that are nobody's k-th neighbour or nearer, where k is as far as the search had to go.

    Args:
      problem: pool and target; their embeddings are needed. An embedding of length zero has cosine 0 to all.
      budget: how many chunks to select.
      seed: nothing is drawn.

    Raises:
      ValueError: embeddings that are not finite or of different dimensions.
    """
    candidates, targets = embeddings_of(problem)
    neighbours = -(-budget // len(targets))
    while True:
        neighbours = min(neighbours, len(candidates))
        similarities, rows = nearest(candidates, targets, neighbours)
        found, places, similarities = _retrieve(similarities, rows)
        if len(found) >= budget:
            break
        neighbours *= 2
    ranks = places // len(targets) + 1
    values = np.full(len(candidates), np.inf, np.float32)
    values[found] = ranks + (1.0 - similarities) / 2.0
    info = {
        "neighbours_searched": int(neighbours),
        "last_rank": int(ranks[budget - 1]),
        "retrieved_with_repeats": int(places[budget - 1]) + 1,
    }
    return Selection(found[:budget], values, info)


METHOD = Method(select, reads={"target", "embeddings"}, valued="chosen")


def _retrieve(similarities: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the distinct candidates in the order met, where each was first met, and its similarity there.

    They are met in a list with repeats: rank after rank, within a rank the most similar first.
    """
    order = np.argsort(-similarities, axis=0, kind="stable")
    listed = np.take_along_axis(rows, order, axis=0).T.ravel()
    candidates, first = np.unique(listed, return_index=True)
    met = np.argsort(first)
    places = first[met]
    return candidates[met].astype(np.int64), places, np.take_along_axis(similarities, order, axis=0).T.ravel()[places]
