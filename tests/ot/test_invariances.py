"""What must not change the result: order, blocks, precision, storage, scale."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from gotd_jax import ot
from gotd_jax.ot import blocks, passes, pool, products, semidual
from tests.ot.conftest import centred


def test_order_of_the_pool_does_not_matter(clouds, solver):
    x, y = clouds
    order = np.random.default_rng(2).permutation(len(x))
    straight, shuffled = (ot.solve(pool, y, solver=solver, threshold=1e-5).candidate for pool in (x, x[order]))
    np.testing.assert_allclose(straight[order], shuffled, atol=1e-4)


def test_order_of_a_pool_solved_on_samples_does_not_matter(clusters):
    x, y = clusters
    order = np.random.default_rng(2).permutation(len(x))
    straight, shuffled = (ot.solve(pool, y, threshold=1e-5).candidate for pool in (x, x[order]))
    np.testing.assert_allclose(centred(straight[order]), centred(shuffled), atol=1e-4)


def test_order_of_the_targets_does_not_matter(clouds, solver):
    x, y = clouds
    straight, turned = (ot.solve(x, targets, solver=solver, threshold=1e-5) for targets in (y, y[::-1]))
    np.testing.assert_allclose(straight.candidate, turned.candidate, atol=1e-4)
    np.testing.assert_allclose(straight.target, turned.target[::-1], atol=1e-4)


@pytest.mark.parametrize("rows", [64, 1024])
def test_block_size_does_not_matter(clouds, solver, rows, monkeypatch):
    x, y = clouds
    expected = ot.solve(x, y, solver=solver).candidate
    for module in (blocks, passes, pool, products):
        monkeypatch.setattr(module, "rows_per_block", lambda: rows)
    np.testing.assert_allclose(ot.solve(x, y, solver=solver).candidate, expected, atol=1e-4)


def test_scaling_and_shifting_all_embeddings_scales_the_potentials(clouds, solver):
    x, y = clouds
    plain, moved = (ot.solve(*pair, solver=solver, threshold=1e-4).candidate for pair in ((x, y), (10 * x + 5, 10 * y + 5)))
    np.testing.assert_allclose(ot.calibrated_gradient(moved) / 100, ot.calibrated_gradient(plain), atol=2e-3)


def test_equal_candidates_get_equal_potentials(clouds, solver):
    x, y = clouds
    candidate = ot.solve(np.concatenate([x, x[:10]]), y, solver=solver).candidate
    np.testing.assert_array_equal(candidate[:10], candidate[-10:])


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_low_precision_comes_first_and_changes_nothing(clusters, precision):
    x, y = clusters
    full, low = (ot.solve(x, y, precision=precision) for precision in ("float32", precision))
    assert {check.precision for check in full.journal} == {"float32"}
    assert low.journal[0].precision == precision
    assert low.journal[-1].precision == "float32"
    np.testing.assert_allclose(centred(low.candidate), centred(full.candidate), atol=2e-3 * full.mean_cost)


def test_kept_products_change_nothing(clouds, matrix_units, monkeypatch):
    x, y = clouds
    expected = ot.solve(x, y, precision="float32", solver="semidual")
    fast = semidual.fast_precision()
    for kept_bytes, kept in ((0, fast), (2 * 97 * 1024, f"float16+{fast}"), (1e9, "float16")):
        monkeypatch.setattr(products, "BYTES_ON_HOST", kept_bytes)
        found = ot.solve(x, y, solver="semidual")
        assert found.journal[0].precision == kept
        np.testing.assert_allclose(found.candidate, expected.candidate, atol=1e-3 * expected.mean_cost)


def test_float16_and_mapped_pools_give_the_same(clusters, tmp_path):
    x, y = clusters
    half = x.astype(np.float16)
    expected = ot.solve(half.astype(np.float32), y)
    np.save(tmp_path / "pool.npy", half)
    for stored in (half, np.load(tmp_path / "pool.npy", mmap_mode="r"), half.astype(np.float64)):
        np.testing.assert_allclose(ot.solve(stored, y).candidate, expected.candidate, atol=1e-5)


def test_pool_larger_than_the_sample_is_valued_whole(clouds, solver):
    x, y = clouds
    on_all, on_part = (ot.solve(x, y, epsilon=0.05, sample=sample, solver=solver) for sample in (None, 600))
    assert on_part.solved_on == 600
    assert len(on_part.candidate) == len(x)
    assert spearmanr(on_all.candidate, on_part.candidate).statistic > 0.97


def test_same_seed_gives_the_same_bits(clusters):
    x, y = clusters
    one, other = (ot.solve(x, y, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.candidate, other.candidate)
