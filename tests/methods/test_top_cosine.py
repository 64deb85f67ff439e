import numpy as np

from gotd_jax.methods import select, top_cosine
from tests.methods.test_tapt_c import CANDIDATES, TARGETS, cosines, problem


def test_values_are_minus_the_mean_cosine_with_all_targets():
    values = select("top_cosine", problem(), 20, seed=0).values
    np.testing.assert_allclose(values, -cosines().mean(axis=0), atol=1e-6)


def test_the_highest_mean_cosines_are_selected_highest_first():
    selection = select("top_cosine", problem(), 20, seed=0)
    assert selection.rows.tolist() == np.argsort(-cosines().mean(axis=0))[:20].tolist()


def test_block_sizes_do_not_matter(monkeypatch):
    expected = top_cosine.mean_cosines(CANDIDATES, TARGETS)
    monkeypatch.setattr(top_cosine, "CANDIDATES_PER_BLOCK", 13)
    np.testing.assert_allclose(top_cosine.mean_cosines(CANDIDATES, TARGETS), expected, atol=1e-6)


def test_an_embedding_of_length_zero_has_cosine_zero_to_all():
    candidates, targets = np.array([[0, 0], [3, 4]], np.float32), np.array([[2, 0], [0, 0]], np.float32)
    np.testing.assert_allclose(top_cosine.mean_cosines(candidates, targets), [0, 0.3], atol=1e-7)


def test_a_minority_of_the_targets_goes_unserved():
    """Which is what sets it apart from a round robin."""
    kinds = np.array([[1, 0], [0, 1]], np.float32)
    candidates, targets = kinds[[0] * 10 + [1] * 10], kinds[[0, 0, 1]]
    assert select("top_cosine", problem(candidates, targets), 10, seed=0).rows.max() < 10
    assert (select("rds_plus", problem(candidates, targets), 9, seed=0).rows >= 10).sum() == 3
