"""The search for neighbours against scikit-learn's, and it and what is built on it on any number of devices."""

import subprocess
import sys

import numpy as np
import pytest

from gotd_jax.methods import neighbours
from tests import processes
from tests.methods.test_tapt_c import CANDIDATES, TARGETS


def test_nearest_neighbours_equal_those_of_scikit_learn():
    from sklearn.neighbors import NearestNeighbors

    distances, expected = NearestNeighbors(n_neighbors=9, metric="cosine").fit(CANDIDATES).kneighbors(TARGETS)
    similarities, rows = neighbours.nearest(CANDIDATES, TARGETS, 9)
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_allclose(similarities, 1 - distances, atol=1e-6)


@pytest.mark.parametrize("count", [20, len(CANDIDATES)])
def test_block_sizes_do_not_matter(monkeypatch, count):
    expected = neighbours.nearest(CANDIDATES, TARGETS, count)
    monkeypatch.setattr(neighbours, "CANDIDATES_PER_BLOCK", 13)
    monkeypatch.setattr(neighbours, "TARGETS_PER_BLOCK", 4)
    similarities, rows = neighbours.nearest(CANDIDATES, TARGETS, count)
    np.testing.assert_array_equal(rows, expected[1])
    np.testing.assert_allclose(similarities, expected[0], atol=1e-6)


def test_a_candidate_of_length_zero_has_cosine_zero():
    candidates = np.array([[-1, 0], [0, 0], [1, 0.5]], np.float32)
    similarities, rows = neighbours.nearest(candidates, np.array([[1, 0]], np.float32), 3)
    assert rows.tolist() == [[2, 1, 0]]
    np.testing.assert_allclose(similarities, [[2 / np.sqrt(5), 0, -1]], atol=1e-6)


ON_EIGHT_DEVICES = """
import jax
from tests.methods import test_csls, test_density, test_neighbours, test_rds_plus, test_tapt_c, test_top_cosine
assert jax.device_count() == 8
test_neighbours.test_nearest_neighbours_equal_those_of_scikit_learn()
test_csls.test_values_are_those_of_an_exhaustive_search(5)
test_density.test_densities_equal_a_sum_over_all_pairs(0.75)
test_top_cosine.test_values_are_minus_the_mean_cosine_with_all_targets()
test_tapt_c.test_neighbours_are_taken_rank_by_rank_without_repeats()
test_rds_plus.test_each_target_in_turn_takes_its_most_similar_that_is_left()
"""


@pytest.mark.slow
def test_eight_devices_find_the_same():
    run = subprocess.run([sys.executable, "-c", ON_EIGHT_DEVICES], env=processes.environment(8), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
