import numpy as np
import pytest

from gotd_jax.methods import crisp, select
from tests.methods.test_tapt_c import problem

DRAWS = np.random.default_rng(0)
SOURCES = np.repeat([0, 1, 2, 3], [100, 50, 30, 20])
TARGET_SOURCES = np.repeat([1, 3], [6, 2])


def around(sources, spread=0.05):
    """A cluster for each source, along an axis of its own."""
    return (np.eye(6)[sources] + spread * DRAWS.normal(size=(len(sources), 6))).astype(np.float32)


POOL, TARGET = around(SOURCES), around(TARGET_SOURCES)


def test_values_are_minus_the_logarithm_of_the_share_of_targets_over_the_share_of_the_pool():
    values = select("crisp", problem(POOL, TARGET), 10, seed=0, clusters=4).values
    weights = np.array([0, (6 / 8) / (50 / 200), 0, (2 / 8) / (20 / 200)])
    np.testing.assert_allclose(np.exp(-values), weights[SOURCES], rtol=1e-6)


@pytest.mark.slow
def test_clusters_are_drawn_from_in_the_target_s_shares():
    counts = sum(
        np.bincount(SOURCES[select("crisp", problem(POOL, TARGET), 4, seed=seed, clusters=4).rows], minlength=4)
        for seed in range(150)
    )
    assert counts[0] == counts[2] == 0
    assert counts[1] / 600 == pytest.approx(0.75, abs=0.06)


def test_texts_of_clusters_without_targets_follow_when_the_others_are_used_up():
    rows = select("crisp", problem(POOL, TARGET), 100, seed=0, clusters=4).rows
    assert set(SOURCES[rows[:70]].tolist()) == {1, 3} and set(SOURCES[rows[70:]].tolist()) == {0, 2}


def test_with_one_cluster_all_weigh_alike():
    np.testing.assert_array_equal(select("crisp", problem(POOL, TARGET), 5, seed=0, clusters=1).values, np.zeros(200))


def test_lengths_of_embeddings_do_not_matter():
    lengths = (10 ** DRAWS.uniform(-6, 1, (200, 1))).astype(np.float32)
    first, second = (select("crisp", problem(x, TARGET), 40, seed=0, clusters=4).rows for x in (POOL, POOL * lengths))
    np.testing.assert_array_equal(first, second)


def test_a_smaller_budget_of_the_same_seed_begins_a_larger_one():
    small, large = (select("crisp", problem(POOL, TARGET), budget, seed=5, clusters=4).rows for budget in (7, 90))
    np.testing.assert_array_equal(small, large[:7])


def test_clusters_of_a_part_of_the_pool_value_all_of_it(monkeypatch):
    expected = select("crisp", problem(POOL, TARGET), 5, seed=0, clusters=4).values
    monkeypatch.setattr(crisp, "TEXTS_CLUSTERED", 120)
    monkeypatch.setattr(crisp, "TEXTS_PER_BLOCK", 7)
    np.testing.assert_array_equal(select("crisp", problem(POOL, TARGET), 5, seed=0, clusters=4).values, expected)


def test_info_counts_clusters_and_what_is_in_them():
    assert select("crisp", problem(POOL, TARGET), 5, seed=0, clusters=4).info == {
        "clusters": 4,
        "clusters_with_targets": 2,
        "candidates_in_them": 70,
        "targets_in_clusters_without_candidates": 0,
    }


def test_no_clusters_are_an_error():
    with pytest.raises(ValueError, match="1 cluster or more, not 0"):
        select("crisp", problem(POOL, TARGET), 5, seed=0, clusters=0)
