"""Budgets in tokens."""

import numpy as np
import pytest

from gotd_jax.methods.problem import Selection
from gotd_jax.pipeline.token_budget import within_tokens

LENGTHS = np.random.default_rng(0).integers(5, 200, 3_000)


def ranking(order):
    """Returns the function that selects the first of an order, and the numbers of chunks that it was asked for."""
    asked = []

    def select(count):
        asked.append(count)
        return Selection(order[:count])

    return select, asked


@pytest.mark.parametrize("prefers", ["short", "long", "any"])
def test_the_chosen_fill_the_budget_to_within_a_chunk_whatever_lengths_are_preferred(prefers):
    order = {"short": np.argsort(LENGTHS), "long": np.argsort(-LENGTHS), "any": np.arange(len(LENGTHS))}[prefers]
    select, _ = ranking(order)
    found = within_tokens(select, LENGTHS, 20_000)
    chosen = LENGTHS[found.rows].sum()
    following = LENGTHS[order[len(found.rows)]]
    assert chosen <= 20_000 < chosen + following
    assert found.info["tokens"] == chosen


def test_a_method_is_asked_for_about_as_many_as_it_selects():
    """What it selects may depend on how many it is asked for, as with a finite share."""
    select, asked = ranking(np.argsort(LENGTHS))
    found = within_tokens(select, LENGTHS, 20_000)
    assert found.info["asked_for"] == asked[-1] <= 1.02 * len(found.rows) + 1
    assert asked[0] < asked[-1] / 2  # the first guess was by the mean length


def test_a_ranking_is_asked_for_once_where_twice_the_mean_is_enough():
    order = np.arange(len(LENGTHS))
    select, asked = ranking(order)
    found = within_tokens(select, LENGTHS, 20_000, nested=True)
    assert len(asked) == 1 and LENGTHS[found.rows].sum() <= 20_000 < LENGTHS[order[: len(found.rows) + 1]].sum()
    select, asked = ranking(np.argsort(LENGTHS))
    found = within_tokens(select, LENGTHS, 20_000, nested=True)
    assert len(asked) > 1 and LENGTHS[found.rows].sum() <= 20_000


def test_all_candidates_can_be_the_budget():
    select, _ = ranking(np.arange(len(LENGTHS)))
    assert len(within_tokens(select, LENGTHS, int(LENGTHS.sum())).rows) == len(LENGTHS)


def test_what_cannot_be_filled_is_refused():
    select, _ = ranking(np.argsort(-LENGTHS))
    with pytest.raises(ValueError, match="exceeds"):
        within_tokens(select, LENGTHS, int(LENGTHS.sum()) + 1)
    with pytest.raises(ValueError, match="best chunk"):
        within_tokens(select, LENGTHS, 10)
