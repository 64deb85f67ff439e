"""RDS+ (Ivison et al. 2025): the targets take turns, each taking the most similar candidate that is left."""

from __future__ import annotations

import numpy as np

from gotd_jax.methods.method import Method
from gotd_jax.methods.neighbours import embeddings_of, nearest
from gotd_jax.methods.problem import Problem, Selection


def select(problem: Problem, budget: int, *, seed: int) -> Selection:
    """Returns the first `budget` candidates taken in a round robin of the targets.

    In each round every target, in the order of the target set, takes the candidate of highest cosine similarity to it that
    nobody has taken yet (Ivison et al. 2025, arXiv 2503.01807). `tapt_c` goes through the neighbours rank by rank instead:
    there a target whose neighbour is taken already has lost its turn, as in the code published with RDS+, and within a rank
    the most similar comes first. Here every target has equally many, up to one.

    Only the round robin is here. The other half of RDS+, embeddings that are the position-weighted mean of a pre-trained
    language model's last hidden states, is a setting of the encoder, and this method reads whatever embeddings it is given.

    The value of a candidate is its place in the order taken, from 1, and infinite for those not taken.

    Args:
      problem: pool and target; their embeddings are needed. An embedding of length zero has cosine 0 to all.
      budget: how many chunks to select.
      seed: nothing is drawn; of equally similar candidates the first in the pool is taken.

    Raises:
      ValueError: embeddings that are not finite or of different dimensions.
    """
    candidates, targets = embeddings_of(problem)
    neighbours = -(-budget // len(targets))
    while True:
        neighbours = min(2 * neighbours, len(candidates))
        similarities, rows = nearest(candidates, targets, neighbours)
        taken, places = _take_turns(rows, len(candidates), budget)
        if len(taken) == budget:
            break
    values = np.full(len(candidates), np.inf, np.float32)
    values[taken] = np.arange(1, budget + 1)
    info = {
        "neighbours_searched": int(neighbours),
        "furthest_neighbour_taken": int(max(places)) + 1,
        "lowest_cosine_taken": float(similarities[np.arange(budget) % len(targets), places].min()),
    }
    return Selection(taken, values, info)


METHOD = Method(select, reads={"target", "embeddings"}, valued="chosen")


def _take_turns(rows: np.ndarray, pool: int, budget: int) -> tuple[np.ndarray, list[int]]:
    """Returns the candidates taken, int64, and the place of each in the list of the target that took it, from 0.

    They are fewer than `budget` if a target has to go beyond its list.

    Args:
      rows: each target's candidates, most similar first, integers [m, k].
      pool: how many candidates there are, n.
      budget: how many to take.
    """
    is_taken = np.zeros(pool, bool)
    taken, places = [], []
    reached = np.zeros(len(rows), np.int64)  # the first place of each target's list that may still be free
    for turn in range(budget):
        target = turn % len(rows)
        place = _first_free(rows[target], is_taken, reached[target])
        if place is None:
            break
        row = rows[target, place]
        is_taken[row] = True
        taken.append(row)
        places.append(place)
        reached[target] = place + 1
    return np.array(taken, np.int64), places


def _first_free(rows: np.ndarray, is_taken: np.ndarray, start: int) -> int | None:
    """Returns the first place from `start` on whose candidate is not taken; None if there is none."""
    width = 4
    while start < len(rows):
        free = np.flatnonzero(~is_taken[rows[start : start + width]])
        if len(free):
            return int(start + free[0])
        start += width
        width *= 2
    return None
