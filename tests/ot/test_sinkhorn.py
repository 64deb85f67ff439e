"""The dual potentials against closed forms, exact linear programmes, ott-jax itself, and their own invariances."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import spearmanr

from gotd_jax import ot
from third_party.pot_duals import exact_duals


@pytest.fixture(scope="module")
def clouds():
    """Returns a pool of 1,201 candidates and 97 targets that differ in mean and spread."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(1201, 16)).astype(np.float32), (0.7 * rng.normal(size=(97, 16)) + 0.3).astype(np.float32)


def costs_of(x, y):
    return ((x[:, None].astype(np.float64) - y[None]) ** 2).sum(-1)


def test_one_target_point_gives_the_distance_to_it(clouds):
    x, y = clouds
    potentials = ot.solve(x, y[:1])
    distance = costs_of(x, y[:1])[:, 0]
    np.testing.assert_allclose(ot.calibrated_gradient(potentials.candidate), ot.calibrated_gradient(distance), atol=1e-4)


def test_one_candidate_has_nowhere_to_move_mass_from(clouds):
    x, y = clouds
    potentials = ot.solve(x[:1], y)
    assert potentials.cost == pytest.approx(costs_of(x[:1], y).mean(), rel=1e-5)
    assert ot.calibrated_gradient(potentials.candidate) == [0.0]


def test_cost_between_gaussians_approaches_the_closed_form():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4001, 1)).astype(np.float32)
    y = (2.0 * rng.normal(size=(1501, 1)) + 3.0).astype(np.float32)
    expected = 3.0**2 + (2.0 - 1.0) ** 2  # squared Wasserstein distance of N(0, 1) and N(3, 4)
    assert ot.solve(x, y, epsilon=0.002).cost == pytest.approx(expected, rel=0.06)


def test_ranking_approaches_the_exact_duals_as_epsilon_falls(clouds):
    x, y = clouds
    exact, _, _ = exact_duals(x, y)
    correlations = [spearmanr(exact, ot.solve(x, y, epsilon=e).candidate).statistic for e in (0.1, 0.02, 0.003)]
    assert correlations == sorted(correlations)
    assert correlations[-1] > 0.999


def test_dense_ott_at_equal_epsilon_gives_the_same_potentials(clouds):
    from ott.geometry import pointcloud
    from ott.solvers import linear

    x, y = clouds
    ours = ot.solve(x, y, epsilon=0.05, threshold=1e-5)
    geometry = pointcloud.PointCloud(x, y, epsilon=ours.epsilon)
    theirs = linear.solve(geometry, threshold=1e-5)
    np.testing.assert_allclose(ours.candidate - ours.candidate.mean(), theirs.f - theirs.f.mean(), atol=1e-4)
    np.testing.assert_allclose(ours.target - ours.target.mean(), theirs.g - theirs.g.mean(), atol=1e-4)


def test_calibrated_gradient_is_the_derivative_of_the_cost_in_the_candidate_weights(clouds):
    from ott.geometry import pointcloud
    from ott.solvers import linear

    x, y = clouds
    x = x[:200]
    n = len(x)
    epsilon = ot.solve(x, y, epsilon=0.05).epsilon

    def cost(weights):
        geometry = pointcloud.PointCloud(jnp.asarray(x), jnp.asarray(y), epsilon=epsilon)
        return linear.solve(geometry, a=weights, threshold=1e-5, max_iterations=5000).reg_ot_cost

    gradient = np.asarray(jax.grad(cost)(jnp.full(n, 1 / n)))
    potentials = ot.solve(x, y, epsilon=epsilon, absolute=True, threshold=1e-5)
    np.testing.assert_allclose(ot.calibrated_gradient(potentials.candidate), ot.calibrated_gradient(gradient), atol=2e-4)


def test_calibrated_gradient_is_what_moving_mass_changes(clouds):
    x, y = clouds
    x = x[:150]
    n = len(x)
    uniform = np.full(n, 1 / n)
    potentials = ot.solve(x, y, epsilon=0.05, threshold=1e-5)
    row, step = int(np.argmin(potentials.candidate)), 1e-3
    others = (1 - step) * uniform + step * np.eye(n)[row]

    def unregularised_weights_cost(weights):
        return ot.solve(x, y, epsilon=potentials.epsilon, absolute=True, threshold=1e-6, candidate_weights=weights).cost

    difference = (unregularised_weights_cost(others) - unregularised_weights_cost(uniform)) / step
    expected = potentials.candidate[row] - potentials.candidate.mean()
    assert difference == pytest.approx(expected, rel=0.03)


def test_unequal_weights_rank_by_the_potential_without_its_log_weight(clouds):
    x, y = clouds
    doubled = np.concatenate([x, x[:300]])
    weights = np.full(len(x), 1 / len(doubled))
    weights[:300] *= 2
    merged = ot.solve(x, y, epsilon=0.05, threshold=1e-4, candidate_weights=weights).candidate
    repeated = ot.solve(doubled, y, epsilon=0.05, threshold=1e-4).candidate[: len(x)]
    np.testing.assert_allclose(merged - merged.mean(), repeated - repeated.mean(), atol=1e-3)


def test_order_of_the_pool_does_not_matter(clouds):
    x, y = clouds
    order = np.random.default_rng(2).permutation(len(x))
    straight, shuffled = ot.solve(x, y).candidate, ot.solve(x[order], y).candidate
    np.testing.assert_allclose(straight[order], shuffled, atol=1e-3)


def test_scaling_and_shifting_all_embeddings_scales_the_potentials(clouds):
    x, y = clouds
    plain, moved = ot.solve(x, y).candidate, ot.solve(10 * x + 5, 10 * y + 5).candidate
    np.testing.assert_allclose(ot.calibrated_gradient(moved) / 100, ot.calibrated_gradient(plain), atol=5e-3)


def test_value_of_unseen_text_is_the_potential_it_would_have_had(clouds):
    x, y = clouds
    potentials = ot.solve(x, y)
    np.testing.assert_allclose(potentials.value(x[:77]), potentials.candidate[:77], atol=1e-5)


def test_pool_larger_than_the_sample_is_valued_whole(clouds):
    x, y = clouds
    on_all, on_part = ot.solve(x, y, epsilon=0.05), ot.solve(x, y, epsilon=0.05, sample=600)
    assert on_part.solved_on == 600
    assert len(on_part.candidate) == len(x)
    assert spearmanr(on_all.candidate, on_part.candidate).statistic > 0.97


def test_explanation_is_the_candidates_row_of_the_plan(clouds):
    x, y = clouds
    p = ot.solve(x, y, epsilon=0.05, threshold=1e-4)
    plan = np.exp((p.candidate[:, None] + p.target[None] - costs_of(x, y)) / p.epsilon) / plan_size(x, y)
    np.testing.assert_allclose(plan.sum(axis=0), 1 / len(y), atol=1e-4)
    np.testing.assert_allclose(p.explain(x[5]), plan[5] * len(x), atol=1e-4)


def plan_size(x, y):
    return len(x) * len(y)


def test_marginal_error_reported_is_that_of_the_returned_pair(clouds):
    x, y = clouds
    p = ot.solve(x, y, threshold=0.01)
    plan = np.exp((p.candidate[:, None] + p.target[None] - costs_of(x, y)) / p.epsilon) / plan_size(x, y)
    assert np.abs(plan.sum(axis=0) - 1 / len(y)).sum() == pytest.approx(p.marginal_error, abs=2e-5)
    np.testing.assert_allclose(plan.sum(axis=1), 1 / len(x), rtol=1e-3)


def test_published_setting_solves_with_its_absolute_epsilon(clouds):
    x, y = clouds
    potentials = ot.solve(x, y, **ot.PUBLISHED)
    assert potentials.epsilon == 0.1
    assert potentials.marginal_error <= 0.1


def test_small_epsilon_stays_finite(clouds):
    x, y = clouds
    assert np.all(np.isfinite(ot.solve(x, y, epsilon=1e-3, threshold=0.05, max_iterations=5000).candidate))


def test_equal_candidates_get_equal_potentials(clouds):
    x, y = clouds
    doubled = np.concatenate([x, x[:10]])
    candidate = ot.solve(doubled, y).candidate
    np.testing.assert_array_equal(candidate[:10], candidate[-10:])


def test_unconverged_solve_raises_with_the_error_reached(clouds):
    x, y = clouds
    with pytest.raises(RuntimeError, match=r"left \d+\.\d+% of the mass misplaced after \d+ iterations .*Raise epsilon"):
        ot.solve(x, y, epsilon=1e-3, max_iterations=5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 0}, "epsilon is 0"),
        ({"momentum": 2.5}, "momentum is 2.5"),
        ({"threshold": 0}, "threshold is 0"),
        ({"candidate_weights": np.ones(3)}, "candidate weights must be 1201 positive"),
    ],
)
def test_arguments_out_of_range_are_refused(clouds, change, message):
    with pytest.raises(ValueError, match=message):
        ot.solve(*clouds, **change)


def test_embeddings_that_do_not_fit_are_refused(clouds):
    x, y = clouds
    with pytest.raises(ValueError, match="16 dimensions and targets 8"):
        ot.solve(x, y[:, :8])
    with pytest.raises(ValueError, match="at least one row"):
        ot.solve(x[:0], y)
    broken = x.copy()
    broken[7, 3] = np.nan
    with pytest.raises(ValueError, match="Row 7 of the candidates"):
        ot.solve(broken, y)
    with pytest.raises(ValueError, match="one point"):
        ot.solve(np.ones((5, 3), np.float32), np.ones((2, 3), np.float32))
