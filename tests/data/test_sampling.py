import numpy as np
import pytest

from gotd_jax.data.sampling import drawn, spread


def test_spread_rows_are_even_and_have_both_ends():
    assert spread(3001, 4).tolist() == [0, 1000, 2000, 3000]
    assert spread(3, 5).tolist() == [0, 1, 2]
    assert spread(0, 5).tolist() == []


@pytest.mark.parametrize("count, most", [(100, 10), (10, 10), (3, 10)])
def test_drawn_rows_are_different_in_order_and_as_many_as_there_are(count, most):
    rows = drawn(count, most, seed=0)
    assert len(rows) == min(count, most) and np.all(np.diff(rows) > 0) and rows.max() < count


def test_every_row_is_drawn_as_often():
    counts = sum(np.bincount(drawn(20, 5, seed), minlength=20) for seed in range(2000))
    assert np.all(np.abs(counts - 500) < 5 * np.sqrt(500 * 0.75))


def test_another_seed_draws_others():
    assert drawn(1000, 10, seed=0).tolist() == drawn(1000, 10, seed=0).tolist() != drawn(1000, 10, seed=1).tolist()
