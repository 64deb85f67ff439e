"""Both solvers against closed forms, exact linear programmes, ott-jax itself, autodiff and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ott.geometry import pointcloud
from ott.solvers import linear
from scipy.stats import spearmanr

from gotd_jax import ot
from tests.ot.conftest import centred, costs_of
from third_party.pot_solvers import exact_duals


def share_of_best(values, exact, share):
    """Returns which share of the lowest `exact` are among as many lowest `values`."""
    count = round(share * len(exact))
    return len(set(np.argsort(values)[:count]) & set(np.argsort(exact)[:count])) / count


def test_one_target_point_gives_the_distance_to_it(clouds, solver):
    x, y = clouds
    potentials = ot.solve(x, y[:1], solver=solver)
    np.testing.assert_allclose(centred(potentials.candidate), centred(costs_of(x, y[:1])[:, 0]), atol=1e-4)


def test_one_candidate_has_nowhere_to_move_mass_from(clouds, solver):
    x, y = clouds
    potentials = ot.solve(x[:1], y, solver=solver)
    assert potentials.cost == pytest.approx(costs_of(x[:1], y).mean(), rel=1e-5)
    assert ot.calibrated_gradient(potentials.candidate) == [0.0]


def test_cost_and_potential_between_gaussians_are_those_of_the_closed_form(solver):
    """Janati et al. 2020, Theorem 1, in one dimension: the entropic plan of two Gaussians is Gaussian."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(6001, 1)).astype(np.float32), (2.0 * rng.normal(size=(3001, 1)) + 3.0).astype(np.float32)
    mean_x, mean_y, a, b = x.mean(), y.mean(), x.var(), y.var()
    potentials = ot.solve(x, y, epsilon=1.0, absolute=True, solver=solver, threshold=1e-4)
    half = potentials.epsilon / 2
    spread = np.sqrt(4 * a * b + half**2)
    cost = (mean_x - mean_y) ** 2 + a + b - spread + half * (1 - np.log(2 * half)) + half * np.log(spread + half)
    assert potentials.cost == pytest.approx(cost, rel=0.01)
    slope = 1 - (spread - half) / (2 * a)  # of the potential's quadratic: f(x) = slope x^2 + ...
    centre = x[:, 0] - mean_x
    assert np.polyfit(centre, potentials.candidate, 2)[0] == pytest.approx(slope, abs=0.05)


def test_ranking_approaches_the_exact_duals_as_epsilon_falls(clouds, solver):
    x, y = clouds
    exact, _, _ = exact_duals(x, y)
    found = [ot.solve(x, y, epsilon=epsilon, solver=solver).candidate for epsilon in (0.1, 0.02, 0.003)]
    correlations = [spearmanr(exact, values).statistic for values in found]
    assert correlations == sorted(correlations)
    assert correlations[-1] > 0.999
    assert share_of_best(found[-1], exact, 0.05) >= 0.96
    assert share_of_best(found[-1], exact, 0.01) >= 0.9


def test_mean_cost_and_relative_epsilon_follow_the_weights(clouds, solver):
    x, y = clouds
    rng = np.random.default_rng(5)
    a, b = (rng.dirichlet(np.ones(len(side))) for side in (x, y))
    potentials = ot.solve(x, y, epsilon=0.2, candidate_weights=a, target_weights=b, solver=solver)
    assert potentials.mean_cost == pytest.approx(a @ costs_of(x, y) @ b, rel=1e-5)
    assert potentials.epsilon == pytest.approx(0.2 * potentials.mean_cost)


@pytest.mark.slow
def test_dense_ott_at_equal_epsilon_gives_the_same_potentials(clouds, solver):
    x, y = clouds
    ours = ot.solve(x, y, epsilon=0.05, threshold=5e-6, solver=solver)
    theirs = linear.solve(pointcloud.PointCloud(x, y, epsilon=ours.epsilon), threshold=5e-6, max_iterations=5000)
    scale = ours.mean_cost
    np.testing.assert_allclose(centred(ours.candidate) / scale, centred(theirs.f) / scale, atol=1e-5)
    np.testing.assert_allclose(centred(ours.target) / scale, centred(theirs.g) / scale, atol=1e-5)


def test_two_solvers_agree_on_a_pool_that_is_solved_on_samples_first(clusters):
    x, y = clusters
    quick, slow = (ot.solve(x, y, solver=solver, threshold=1e-5) for solver in ("semidual", "sinkhorn"))
    assert len({check.rows for check in quick.journal}) > 1
    np.testing.assert_allclose(centred(quick.candidate), centred(slow.candidate), atol=1e-4 * quick.mean_cost)


def test_selected_part_is_that_of_the_tight_solution(clusters):
    x, y = clusters
    tight = ot.solve(x, y, threshold=1e-5).candidate
    assert share_of_best(ot.solve(x, y, threshold=3e-3).candidate, tight, 0.01) >= 0.99


def test_calibrated_gradient_is_the_derivative_of_the_cost_in_the_candidate_weights(clouds, solver):
    x, y = clouds
    x = x[:200]
    n = len(x)
    potentials = ot.solve(x, y, epsilon=0.05, threshold=3e-6, solver=solver)

    def cost(weights):
        geometry = pointcloud.PointCloud(jnp.asarray(x), jnp.asarray(y), epsilon=potentials.epsilon)
        return linear.solve(geometry, a=weights, threshold=1e-5, max_iterations=5000).reg_ot_cost

    gradient = np.asarray(jax.grad(cost)(jnp.full(n, 1 / n)))
    np.testing.assert_allclose(ot.calibrated_gradient(potentials.candidate), ot.calibrated_gradient(gradient), atol=2e-4)


def test_calibrated_gradient_is_what_moving_mass_changes(clouds, solver):
    x, y = clouds
    x = x[:150]
    n = len(x)
    uniform = np.full(n, 1 / n)
    potentials = ot.solve(x, y, epsilon=0.05, threshold=1e-5, solver=solver)
    row, step = int(np.argmin(potentials.candidate)), 1e-3
    moved = (1 - step) * uniform + step * np.eye(n)[row]

    def cost(weights):
        return ot.solve(
            x, y, epsilon=potentials.epsilon, absolute=True, threshold=3e-6, candidate_weights=weights, solver=solver
        ).cost

    expected = ot.calibrated_gradient(potentials.candidate)[row] * (n - 1) / n
    assert (cost(moved) - cost(uniform)) / step == pytest.approx(expected, rel=0.03)


def test_unequal_weights_rank_by_the_potential_without_its_log_weight(clouds, solver):
    x, y = clouds
    doubled = np.concatenate([x, x[:300]])
    weights = np.full(len(x), 1 / len(doubled))
    weights[:300] *= 2
    merged = ot.solve(x, y, epsilon=0.05, threshold=1e-4, candidate_weights=weights, solver=solver).candidate
    repeated = ot.solve(doubled, y, epsilon=0.05, threshold=1e-4, solver=solver).candidate[: len(x)]
    np.testing.assert_allclose(centred(merged), centred(repeated), atol=1e-3)


def test_unequal_target_weights_are_repeated_targets(clouds, solver):
    x, y = clouds
    doubled = np.concatenate([y, y[:40]])
    weights = np.full(len(y), 1 / len(doubled))
    weights[:40] *= 2
    merged = ot.solve(x, y, epsilon=0.05, threshold=1e-5, target_weights=weights, solver=solver)
    repeated = ot.solve(x, doubled, epsilon=0.05, threshold=1e-5, solver=solver)
    np.testing.assert_allclose(centred(merged.candidate), centred(repeated.candidate), atol=1e-3)
    assert merged.cost == pytest.approx(repeated.cost, rel=1e-5)
