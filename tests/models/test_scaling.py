"""Vectors scaled by a pool's mean and covariance, against numpy's, scikit-learn's and what must not change them."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from gotd_jax.models import scaling
from gotd_jax.models.scaling import PoolScaling, centring, check_normalisation, moments, unit_length, whitening


@pytest.fixture
def pool(monkeypatch):
    """Correlated vectors far from the origin, read in several blocks, float32 [300, 6]."""
    monkeypatch.setattr(scaling, "ROWS_AT_ONCE", 64)
    random = np.random.default_rng(0)
    return (random.standard_normal((300, 6)) @ random.standard_normal((6, 6)) + 100).astype(np.float32)


def test_moments_by_blocks_are_those_of_the_whole(pool):
    mean, covariance = moments(pool)
    np.testing.assert_allclose(mean, pool.astype(np.float64).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(pool.astype(np.float64), rowvar=False, ddof=0), rtol=1e-10)


def test_whitened_vectors_have_the_identity_for_their_covariance_before_they_are_of_length_one(pool):
    fitted = whitening(pool, shrinkage=0.0)
    whitened = (pool - fitted.mean) @ fitted.whitening
    np.testing.assert_allclose(whitened.T @ whitened / len(pool), np.eye(6), atol=1e-8)
    np.testing.assert_allclose(fitted.scale(pool), unit_length(whitened), rtol=1e-12)


def test_whitened_angles_do_not_depend_on_the_basis_that_vectors_are_written_in(pool):
    random = np.random.default_rng(1)
    texts, basis, shift = random.standard_normal((9, 6)) + 100, random.standard_normal((6, 6)), random.standard_normal(6)
    cosines = [
        found @ found.T
        for found in (
            whitening(pool, shrinkage=0.0).scale(texts),
            whitening(pool.astype(np.float64) @ basis + shift, shrinkage=0.0).scale(texts @ basis + shift),
        )
    ]
    np.testing.assert_allclose(*cosines, atol=1e-6)
    assert np.abs(cosines[0] - centring(pool).scale(texts) @ centring(pool).scale(texts).T).max() > 0.1


def test_leading_directions_are_those_of_principal_components(pool):
    reference = PCA(3, whiten=True, svd_solver="full").fit(pool.astype(np.float64))
    texts = np.random.default_rng(2).standard_normal((9, 6)) + 100
    found, expected = whitening(pool, shrinkage=0.0, directions=3).scale(texts), unit_length(reference.transform(texts))
    assert found.shape == (9, 3)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-6)  # an axis has two directions
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-6)


@pytest.mark.parametrize("shrinkage", [0.1, 0.7])
def test_shrinkage_leaves_each_direction_its_share_of_the_variance(pool, shrinkage):
    variances = np.linalg.eigvalsh(np.cov(pool.astype(np.float64), rowvar=False, ddof=0))[::-1]
    fitted = whitening(pool, shrinkage=shrinkage)
    whitened = (pool - fitted.mean) @ fitted.whitening
    shrunk = (1 - shrinkage) * variances + shrinkage * variances.mean()
    np.testing.assert_allclose(whitened.T @ whitened / len(pool), np.diag(variances / shrunk), atol=1e-8)


def test_all_shrunk_whitening_leaves_the_angles_that_centring_makes(pool):
    found, centred = whitening(pool, shrinkage=1.0).scale(pool), centring(pool).scale(pool)
    np.testing.assert_allclose(found @ found.T, centred @ centred.T, atol=1e-9)
    np.testing.assert_allclose(centred.mean(axis=0), np.zeros(6), atol=0.1)


def test_scaled_vectors_are_written_by_blocks_and_the_scaling_is_kept(pool, tmp_path):
    for fitted in (centring(pool), whitening(pool, directions=2)):
        fitted.save(tmp_path / "scaling.npz")
        PoolScaling.load(tmp_path / "scaling.npz").write(pool, tmp_path / "vectors.npy", "float16")
        np.testing.assert_allclose(np.load(tmp_path / "vectors.npy"), fitted.scale(pool), atol=1e-3)


def test_a_pool_that_varies_in_too_few_directions_is_refused_with_their_number(pool):
    flat = np.concatenate([pool[:, :2], np.ones((300, 3), np.float32)], axis=1)
    with pytest.raises(ValueError, match=r"300 vectors vary in 2 directions, and 5 are to be whitened\. Keep fewer"):
        whitening(flat, shrinkage=0.0)
    assert whitening(flat, shrinkage=0.0, directions=2).whitening.shape == (5, 2)
    assert np.isfinite(whitening(flat).scale(flat)).all()
    with pytest.raises(ValueError, match="vary in 0 directions"):
        whitening(np.ones((4, 3), np.float32))
    with pytest.raises(ValueError, match="have 6 dimensions, and 7 leading directions"):
        whitening(pool, directions=7)
    with pytest.raises(ValueError, match="no vectors to take a mean of"):
        centring(pool[:0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("length", 0.1, None), r"no normalisation 'length'\. There are: none, own, unit, centred, whitened"),
        (("whitened", 1.5, None), r"shrinkage is 1\.5"),
        (("unit", 0.1, 3), "Only whitened vectors"),
        (("whitened", 0.1, 0), "Keep at least 1"),
    ],
)
def test_what_is_no_normalisation_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        check_normalisation(*given)
    check_normalisation("whitened", 0.0, 3)
    check_normalisation(None, 0.1, None)
