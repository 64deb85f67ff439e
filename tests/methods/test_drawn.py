"""Drawing without replacement in proportion to exp(-value)."""

import numpy as np
import pytest

from gotd_jax.methods.problem import drawn


def test_the_first_is_drawn_in_proportion_to_the_weights_and_the_second_to_those_left():
    weights = np.array([0.5, 0.3, 0.2])
    pairs = np.array([drawn(-np.log(weights), 2, seed=seed) for seed in range(6000)])
    np.testing.assert_allclose(np.bincount(pairs[:, 0]) / 6000, weights, atol=0.025)
    second = pairs[pairs[:, 0] == 0, 1]
    assert np.mean(second == 1) == pytest.approx(0.3 / 0.5, abs=0.03)


def test_infinite_values_come_last_in_an_order_that_the_seed_draws():
    values = np.array([np.inf, 1.0, np.inf, 9.0, np.inf, np.inf, np.inf, np.inf])
    first, second = (drawn(values, 8, seed=seed).tolist() for seed in (0, 1))
    assert set(first[:2]) == set(second[:2]) == {1, 3}
    assert first[2:] != second[2:] and set(first[2:]) == set(second[2:])


def test_a_smaller_budget_begins_a_larger_one():
    values = np.append(np.linspace(0, 3, 30), 30 * [np.inf])
    assert drawn(values, 40, seed=2).tolist() == drawn(values, 60, seed=2)[:40].tolist()
