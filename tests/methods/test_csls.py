"""CSLS against scikit-learn's exhaustive neighbours."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from gotd_jax.methods import neighbours as module
from gotd_jax.methods import select
from tests.methods.test_tapt_c import CANDIDATES, TARGETS, cosines, problem


def mean_to_nearest(embeddings, pool, count, *, own):
    """By scikit-learn; without the text itself, which is the nearest of those that are `own`."""
    search = NearestNeighbors(n_neighbors=count + own, metric="cosine", algorithm="brute").fit(pool.astype(np.float64))
    return 1 - search.kneighbors(embeddings.astype(np.float64))[0][:, own:].mean(axis=1)


def by_hand(count):
    of_targets = mean_to_nearest(TARGETS, CANDIDATES, count, own=0)
    of_candidates = mean_to_nearest(CANDIDATES, CANDIDATES, count, own=1)
    return (2 * cosines() - of_targets[:, None] - of_candidates).max(axis=0)


@pytest.mark.parametrize("count", [1, 5, 136])
def test_values_are_those_of_an_exhaustive_search(count):
    selection = select("csls", problem(), 20, seed=0, neighbours=count)
    np.testing.assert_allclose(-selection.values, by_hand(count), atol=1e-6)
    assert selection.rows.tolist() == np.argsort(-by_hand(count))[:20].tolist()


def test_block_sizes_do_not_matter(monkeypatch):
    monkeypatch.setattr(module, "CANDIDATES_PER_BLOCK", 13)
    monkeypatch.setattr(module, "TARGETS_PER_BLOCK", 4)
    np.testing.assert_allclose(-select("csls", problem(), 20, seed=0, neighbours=5).values, by_hand(5), atol=1e-6)


def test_of_a_sample_of_the_pool_a_candidate_in_it_is_not_its_own_neighbour():
    """Every text has one twin and is far from all else: only by a twin in the sample is it near anything."""
    kinds = np.eye(20, dtype=np.float32)
    candidates = kinds[np.repeat(np.arange(20), 2)]
    values = select("csls", problem(candidates, kinds[:1]), 5, seed=0, neighbours=1, sample=20).values
    rows = np.sort(np.random.default_rng(0).choice(40, 20, replace=False))
    twin = np.arange(40) ^ 1
    near = np.isin(twin, rows).astype(np.float32)
    assert 0 < near[rows].sum() < 20
    to_target = np.where(np.arange(40) < 2, 2.0, 0.0) - np.isin([0, 1], rows).any()
    np.testing.assert_allclose(values, near - to_target, atol=1e-6)


def test_a_text_in_the_middle_of_everything_is_chosen_by_the_mean_cosine_and_not_by_csls():
    rng = np.random.default_rng(0)
    kinds = np.eye(6)[np.repeat(np.arange(6), 10)]
    middle = np.ones((4, 6)) / np.sqrt(6)
    candidates = (np.concatenate([kinds, middle]) + 0.05 * rng.normal(size=(64, 6))).astype(np.float32)
    given = problem(candidates, (np.eye(6)[:4] + 0.05 * rng.normal(size=(4, 6))).astype(np.float32))
    assert sorted(select("top_cosine", given, 4, seed=0).rows) == [60, 61, 62, 63]
    selection = select("csls", given, 20, seed=0, neighbours=3)
    assert selection.rows.max() < 40
    assert set(selection.rows // 10) == {0, 1, 2, 3}


def test_a_candidate_alone_is_chosen_over_one_as_near_in_a_crowd():
    def at(*degrees):
        return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1).astype(np.float32)

    given = problem(at(20, -20, -20.1, -20.2, -20.3, 180, 150, 120), at(0))
    assert select("csls", given, 1, seed=0, neighbours=2).rows.tolist() == [0]


def test_a_pool_of_one_text_has_no_neighbours():
    selection = select("csls", problem(CANDIDATES[:1], TARGETS), 1, seed=0)
    np.testing.assert_allclose(-selection.values, 2 * cosines()[:, :1].max(axis=0), atol=1e-6)


def test_options_out_of_range_are_refused():
    for options in ({"neighbours": 0}, {"sample": 1}):
        with pytest.raises(ValueError, match="CSLS takes 1 neighbour or more, in a sample of 2 or more"):
            select("csls", problem(), 5, seed=0, **options)
