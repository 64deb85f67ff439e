"""The pool's potential to itself: against its closed form for a normal law, and the gradient less it."""

import numpy as np
import pytest

from gotd_jax import ot


def cloud(rows, dimensions=6, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)


def test_the_potential_of_a_normal_cloud_toward_itself_is_the_closed_form():
    x, epsilon = cloud(3000, dimensions=2), 0.8
    own = ot.own_potential(x, size=2000, epsilon=epsilon, seed=3)
    correlation = (np.sqrt(epsilon**2 + 16) - epsilon) / 4  # of the plan, a normal law: r / (1 - r^2) = 2 / epsilon
    squares = np.square(x, dtype=np.float64).sum(axis=1)
    slope, _ = np.polyfit(squares, own.candidate, 1)
    assert slope == pytest.approx(1 - correlation, rel=0.1)  # p(x) = (1 - r) |x|^2 + a constant
    assert np.corrcoef(squares, own.candidate)[0, 1] > 0.97
    assert own.summary()["rank_agreement"] == own.agreement > 0.85
    assert own.summary()["sample"] == 2000 and own.summary()["marginal_error"] <= 1e-3


def test_a_candidate_is_not_valued_by_its_distance_to_itself():
    x = cloud(400)
    own = ot.own_potential(x, size=200, epsilon=0.3, seed=0)  # so small that a point serves itself alone
    drawn = np.random.default_rng((0, 4)).choice(400, 200, replace=False)
    sampled, rest = own.candidate[drawn], np.delete(own.candidate, drawn)
    assert abs(sampled.mean() - rest.mean()) < 0.2 * rest.std()


def test_toward_more_of_the_pool_itself_the_pull_of_the_middle_is_taken_out():
    x, y = cloud(2000, seed=1), cloud(1000, seed=2)
    potentials = ot.solve(x, y, epsilon=0.1)
    own = ot.own_potential(x, size=2000, epsilon=potentials.epsilon)
    squares = np.square(x).sum(axis=1)
    assert np.corrcoef(potentials.candidate, squares)[0, 1] > 0.9  # though no candidate is more like the target than another
    assert abs(np.corrcoef(potentials.candidate - own.candidate, squares)[0, 1]) < 0.35


def test_smaller_pools_than_the_sample_stand_for_themselves_whole():
    own = ot.own_potential(cloud(7), size=100, epsilon=5.0)
    assert [len(solved.target) for solved in own.solves] == [3, 3] and own.agreement is None
    assert np.isfinite(own.candidate).all()


def test_a_sample_without_two_halves_is_refused():
    for rows, size in ((9, 1), (1, 50)):
        with pytest.raises(ValueError, match="has no two halves"):
            ot.own_potential(cloud(rows), size=size, epsilon=1.0)
