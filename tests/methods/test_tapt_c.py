"""TAPT/c against exhaustive searches, and on any number of devices."""

import os
import subprocess
import sys

import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select, tapt_c

DRAWS = np.random.default_rng(0)
CANDIDATES = DRAWS.normal(size=(137, 6)).astype(np.float32) * DRAWS.uniform(0.1, 10, (137, 1)).astype(np.float32)
TARGETS = DRAWS.normal(size=(11, 6)).astype(np.float32) + 1


def problem(candidates=CANDIDATES, targets=TARGETS):
    pool, target = (
        Corpus.from_texts([f"{side} {row}" for row in range(len(x))]) for side, x in (("c", candidates), ("t", targets))
    )
    return Problem(pool, target, lambda corpus: candidates if corpus is pool else targets)


def cosines(candidates=CANDIDATES, targets=TARGETS):
    candidates, targets = (
        x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1)[:, None] for x in (candidates, targets)
    )
    return targets @ candidates.T


def retrieved_one_by_one(budget):
    """The rule in words, as slow as it reads."""
    similar = cosines()
    neighbours = np.argsort(-similar, axis=1)
    rows = []
    for rank in range(len(CANDIDATES)):
        met = sorted(
            ((similar[target, neighbours[target, rank]], neighbours[target, rank]) for target in range(len(TARGETS))),
            reverse=True,
        )
        for _, row in met:
            if row not in rows:
                rows.append(row)
            if len(rows) == budget:
                return rows


@pytest.mark.parametrize("budget", [1, 11, 12, 40, 136, 137])
def test_neighbours_are_taken_rank_by_rank_without_repeats(budget):
    assert select("tapt_c", problem(), budget, seed=0).rows.tolist() == retrieved_one_by_one(budget)


def test_nearest_neighbours_equal_those_of_scikit_learn():
    from sklearn.neighbors import NearestNeighbors

    distances, expected = NearestNeighbors(n_neighbors=9, metric="cosine").fit(CANDIDATES).kneighbors(TARGETS)
    similarities, rows = tapt_c.nearest(CANDIDATES, TARGETS, 9)
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_allclose(similarities, 1 - distances, atol=1e-6)


@pytest.mark.parametrize("neighbours", [20, len(CANDIDATES)])
def test_block_sizes_do_not_matter(monkeypatch, neighbours):
    expected = tapt_c.nearest(CANDIDATES, TARGETS, neighbours)
    monkeypatch.setattr(tapt_c, "CANDIDATES_PER_BLOCK", 13)
    monkeypatch.setattr(tapt_c, "TARGETS_PER_BLOCK", 4)
    similarities, rows = tapt_c.nearest(CANDIDATES, TARGETS, neighbours)
    np.testing.assert_array_equal(rows, expected[1])
    np.testing.assert_allclose(similarities, expected[0], atol=1e-6)


def test_value_is_the_best_rank_and_the_cosine_there():
    selection = select("tapt_c", problem(), 20, seed=0)
    similar = cosines()
    ranks = np.argsort(np.argsort(-similar, axis=1), axis=1) + 1
    searched = selection.info["neighbours_searched"]
    best = ranks.min(axis=0)
    closest = np.where(ranks == best, similar, -np.inf).max(axis=0)
    expected = np.where(best <= searched, best + (1 - closest) / 2, np.inf)
    np.testing.assert_allclose(selection.values, expected, rtol=1e-6)
    assert np.isinf(selection.values).any()


def test_equal_candidates_come_in_pool_order():
    twice = np.concatenate([CANDIDATES[:5]] * 2)
    rows = select("tapt_c", problem(twice, TARGETS[:1]), 10, seed=0).rows
    assert [row for row in rows if row < 5] == [row - 5 for row in rows if row >= 5]
    assert all(rows.tolist().index(row) < rows.tolist().index(row + 5) for row in range(5))


def test_candidates_that_all_targets_share_make_the_search_go_further():
    targets = np.concatenate([TARGETS[:1] * scale for scale in (1, 2, 3, 4)])
    selection = select("tapt_c", problem(targets=targets), 8, seed=0)
    assert selection.rows.tolist() == np.argsort(-cosines()[0])[:8].tolist()
    assert selection.info == {"neighbours_searched": 8, "last_rank": 8, "retrieved_with_repeats": 29}


def test_a_candidate_of_length_zero_has_cosine_zero():
    candidates = np.array([[-1, 0], [0, 0], [1, 0.5]], np.float32)
    similarities, rows = tapt_c.nearest(candidates, np.array([[1, 0]], np.float32), 3)
    assert rows.tolist() == [[2, 1, 0]]
    np.testing.assert_allclose(similarities, [[2 / np.sqrt(5), 0, -1]], atol=1e-6)


@pytest.mark.parametrize("side", ["candidates", "targets"])
def test_embeddings_that_are_not_finite_are_an_error(side):
    broken = {"candidates": CANDIDATES.copy(), "targets": TARGETS.copy()}
    broken[side][3, 2] = np.nan
    with pytest.raises(ValueError, match=f"Row 3 of the {side}"):
        select("tapt_c", problem(**broken), 5, seed=0)


ON_EIGHT_DEVICES = """
import jax
from tests.methods import test_tapt_c as here
assert jax.device_count() == 8
here.test_nearest_neighbours_equal_those_of_scikit_learn()
for budget in (1, 40, 137):
    here.test_neighbours_are_taken_rank_by_rank_without_repeats(budget)
"""


@pytest.mark.slow
def test_eight_devices_find_the_same_neighbours():
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    run = subprocess.run([sys.executable, "-c", ON_EIGHT_DEVICES], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
