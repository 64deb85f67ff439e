"""RDS+ against the rule in words."""

import numpy as np
import pytest

from gotd_jax.methods import select
from tests.methods.test_tapt_c import CANDIDATES, TARGETS, cosines, problem


def taken_one_by_one(budget, similar):
    """The rule in words, as slow as it reads."""
    left, rows = np.ones(similar.shape[1], bool), []
    while True:
        for target in range(len(similar)):
            rows.append(int(np.argmax(np.where(left, similar[target], -2))))
            left[rows[-1]] = False
            if len(rows) == budget:
                return rows


def test_each_target_in_turn_takes_its_most_similar_that_is_left():
    for budget in [1, 11, 12, 40, 136, 137]:
        assert select("rds_plus", problem(), budget, seed=0).rows.tolist() == taken_one_by_one(budget, cosines()), budget


def test_values_are_the_places_in_the_order_taken():
    selection = select("rds_plus", problem(), 20, seed=0)
    assert selection.values[selection.rows].tolist() == list(range(1, 21))
    assert np.isinf(np.delete(selection.values, selection.rows)).all()


def test_a_target_whose_neighbour_is_taken_takes_the_next_where_tapt_c_passes_it_over():
    angles = np.radians([0, 10, 40, 55])
    candidates = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    turned = np.radians([1, 4, 54])  # the first two are nearest to the same candidate, the third to the last
    targets = np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)
    assert select("rds_plus", problem(candidates, targets), 3, seed=0).rows.tolist() == [0, 1, 3]
    assert set(select("tapt_c", problem(candidates, targets), 2, seed=0).rows.tolist()) == {0, 3}


def test_targets_that_share_their_neighbours_make_the_search_go_further():
    targets = np.concatenate([TARGETS[:1] * length for length in (1, 2, 3, 4)])
    selection = select("rds_plus", problem(targets=targets), 24, seed=0)
    assert selection.rows.tolist() == np.argsort(-cosines()[0])[:24].tolist()
    assert selection.info["neighbours_searched"] == 24 and selection.info["furthest_neighbour_taken"] == 24
    assert selection.info["lowest_cosine_taken"] == pytest.approx(np.sort(cosines()[0])[-24], abs=1e-6)


def test_lengths_of_embeddings_do_not_matter():
    lengths = np.random.default_rng(1).uniform(0.1, 9, (len(CANDIDATES), 1)).astype(np.float32)
    expected, rows = (select("rds_plus", problem(x), 30, seed=0).rows.tolist() for x in (CANDIDATES, CANDIDATES * lengths))
    assert rows == expected
