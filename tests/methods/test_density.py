import numpy as np
import pytest

from gotd_jax.methods import neighbours
from gotd_jax.methods.density import densities
from tests.methods.test_tapt_c import CANDIDATES


@pytest.mark.parametrize("sigma", [0.1, 0.75, 1.9])
def test_densities_equal_a_sum_over_all_pairs(sigma):
    unit = CANDIDATES.astype(np.float64) / np.linalg.norm(CANDIDATES.astype(np.float64), axis=1, keepdims=True)
    squared = np.sum((unit[:, None] - unit[None]) ** 2, axis=2)
    expected = np.maximum(1 - squared / sigma**2, 0).sum(axis=1)
    assert expected.max() > 1.2 or sigma == 0.1
    np.testing.assert_allclose(densities(CANDIDATES, sigma), expected, rtol=1e-4)


def test_a_text_alone_has_one_and_each_of_three_copies_three():
    embeddings = np.array([[1, 0], [0, 1], [0, 2], [0, 5]], np.float32)
    np.testing.assert_allclose(densities(embeddings, 0.5), [1, 3, 3, 3], rtol=1e-6)


def test_an_embedding_of_length_zero_counts_itself():
    assert densities(np.zeros((1, 2), np.float32), 0.5).tolist() == [1]


def test_block_sizes_do_not_matter(monkeypatch):
    expected = densities(CANDIDATES, 1.9)
    monkeypatch.setattr(neighbours, "CANDIDATES_PER_BLOCK", 13)
    monkeypatch.setattr(neighbours, "TARGETS_PER_BLOCK", 4)
    np.testing.assert_allclose(densities(CANDIDATES, 1.9), expected, rtol=1e-5)
