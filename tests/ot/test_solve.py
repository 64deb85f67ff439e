"""The public door: certificates, warm starts, journals, refusals."""

import dataclasses

import numpy as np
import pytest

from gotd_jax import ot
from gotd_jax.ot import semidual
from gotd_jax.ot.anderson import Anderson
from tests.ot.conftest import SOLVERS, plan_of


def test_marginal_error_reported_is_that_of_the_returned_pair(clouds, solver):
    x, y = clouds
    potentials = ot.solve(x, y, threshold=0.01, solver=solver)
    plan = plan_of(x, y, potentials)
    assert np.abs(plan.sum(axis=0) - 1 / len(y)).sum() == pytest.approx(potentials.marginal_error, abs=2e-5)
    np.testing.assert_allclose(plan.sum(axis=1), 1 / len(x), rtol=1e-3)


def test_cost_is_the_dual_value(clouds, solver):
    potentials = ot.solve(*clouds, solver=solver)
    assert potentials.cost == pytest.approx(potentials.candidate.mean() + potentials.target.mean(), rel=1e-5)


@pytest.mark.parametrize(("first", "second"), [SOLVERS, SOLVERS[::-1]])
def test_each_solver_stops_at_once_from_the_others_potentials(clouds, first, second):
    found = ot.solve(*clouds, solver=first)
    again = ot.solve(*clouds, solver=second, init=found)
    assert again.passes == 1
    np.testing.assert_allclose(again.candidate, found.candidate, atol=1e-5)
    from_array = ot.solve(*clouds, solver=second, init=found.target)
    assert from_array.passes == 1


def test_potentials_that_are_near_save_passes(clouds, solver):
    near = ot.solve(*clouds, epsilon=0.02, solver=solver)
    cold = ot.solve(*clouds, epsilon=0.01, solver=solver, check_every=1)
    warm = ot.solve(*clouds, epsilon=0.01, solver=solver, check_every=1, init=near)
    assert warm.passes < cold.passes


def test_journal_ends_with_the_certificate_in_full_precision(clusters, solver):
    potentials = ot.solve(*clusters, solver=solver, epsilon=0.03)
    last = potentials.journal[-1]
    assert (last.marginal_error, last.rows, last.precision) == (potentials.marginal_error, 20_001, "float32")
    assert [line.passes for line in potentials.journal] == sorted({line.passes for line in potentials.journal})
    assert all(one.seconds <= two.seconds for one, two in zip(potentials.journal, potentials.journal[1:]))
    assert potentials.passes == last.passes


def test_large_problems_go_to_the_semidual_solver_by_default(clouds, clusters):
    assert ot.solve(*clouds, epsilon=0.1).settings["solver"] == "sinkhorn"
    assert ot.solve(*clusters, epsilon=0.1).settings["solver"] == "semidual"


def test_published_setting_solves_with_its_absolute_epsilon(clouds):
    potentials = ot.solve(*clouds, **ot.PUBLISHED)
    assert potentials.epsilon == 0.1
    assert potentials.marginal_error <= 0.1


def test_small_epsilon_stays_finite(clouds, solver):
    potentials = ot.solve(*clouds, epsilon=1e-3, threshold=0.05, max_iterations=5000, solver=solver)
    assert np.all(np.isfinite(potentials.candidate))


def test_small_epsilon_stays_finite_in_low_precision_and_on_samples(clusters):
    for precision in ("float16", "bfloat16"):
        potentials = ot.solve(*clusters, epsilon=1e-3, threshold=0.02, precision=precision)
        assert np.all(np.isfinite(potentials.candidate))


def test_candidate_too_far_for_low_precision_leaves_the_solve_to_full_precision(clouds):
    x, y = clouds
    far = np.concatenate([x, [2e5 * x[0]]])
    potentials = ot.solve(far, y, epsilon=5.0, absolute=True, solver="semidual", precision="float16")
    assert not np.isfinite(potentials.journal[0].marginal_error)
    assert potentials.journal[1].precision == "float32"
    assert np.all(np.isfinite(potentials.candidate))


def test_step_that_lowers_the_dual_value_is_taken_back(clouds, monkeypatch):
    """With extrapolations thrown far off, the solve still converges, by its plain steps."""
    straight = ot.solve(*clouds, solver="semidual", epsilon=0.05)
    extrapolate = Anderson.next
    monkeypatch.setattr(Anderson, "next", lambda self, point, step: extrapolate(self, point, step) + 50.0 * (point - point[0]))
    thrown = ot.solve(*clouds, solver="semidual", epsilon=0.05)
    assert thrown.passes > straight.passes
    np.testing.assert_allclose(thrown.candidate, straight.candidate, atol=5e-3 * straight.mean_cost)


def test_curvature_saves_passes_of_the_whole_pool(clusters, monkeypatch):
    def whole_passes():
        potentials = ot.solve(*clusters, epsilon=0.003, threshold=1e-4, precision="float32")
        return sum(line.rows == 20_001 for line in potentials.journal)

    with_curvature = whole_passes()
    monkeypatch.setattr(semidual, "rows_for", lambda targets, available: 0)
    assert with_curvature < whole_passes()


def test_unconverged_solve_raises_with_the_error_reached(clouds, solver):
    message = r"left \d+\.\d+% of the mass misplaced after \d+ passes .*max_iterations 5.*Raise epsilon"
    with pytest.raises(RuntimeError, match=message):
        ot.solve(*clouds, epsilon=1e-3, max_iterations=5, solver=solver)


def test_arguments_out_of_range_are_refused(clouds, subtests):
    cases = [
        ({"epsilon": 0}, "epsilon is 0"),
        ({"epsilon": -0.1, "absolute": True}, "epsilon is -0.1"),
        ({"epsilon": float("nan")}, "epsilon is nan"),
        ({"momentum": 2.5}, "momentum is 2.5"),
        ({"threshold": 0}, "threshold is 0"),
        ({"max_iterations": 0}, r"max_iterations \(0\)"),
        ({"sample": 0}, r"sample \(0\)"),
        ({"solver": "simplex"}, "no solver 'simplex'"),
        ({"precision": "float64"}, "no precision 'float64'"),
        ({"candidate_weights": np.ones(3)}, "candidate weights must be 1201 positive"),
        ({"candidate_weights": np.full(1201, 0.5)}, "sum 600.5"),
        ({"target_weights": np.eye(97)[0]}, "target weights must be 97 positive"),
        ({"init": np.zeros(5)}, "97 targets"),
        ({"init": np.full(97, np.nan)}, "not finite"),
    ]
    for change, message in cases:
        with subtests.test(change=change), pytest.raises(ValueError, match=message):
            ot.solve(*clouds, **change)


def broken(array, value):
    changed = array.copy()
    changed[7, 3] = value
    return changed


def test_embeddings_that_do_not_fit_are_refused(clouds, subtests):
    cases = [
        (lambda x, y: (x, y[:, :8]), "16 dimensions and targets 8"),
        (lambda x, y: (x[:0], y), "candidates must be .*at least one row"),
        (lambda x, y: (x, y[:0]), "targets must be .*at least one row"),
        (lambda x, y: (x[0], y), "candidates must be embeddings"),
        (lambda x, y: (broken(x, np.nan), y), "Row 7 of the candidates"),
        (lambda x, y: (broken(x, np.inf), y), "Row 7 of the candidates"),
        (lambda x, y: (x, broken(y, -np.inf)), "Row 7 of the targets"),
        (lambda x, y: (broken(x, 1e30), y), "exceed float32"),
        (lambda x, y: (x, np.repeat(y[:1], 9, axis=0)), "All 9 targets are one point"),
        (lambda x, y: (np.ones((5, 16), np.float32), np.ones((1, 16), np.float32)), "one point"),
    ]
    for change, message in cases:
        with subtests.test(change=change), pytest.raises(ValueError, match=message):
            ot.solve(*change(*clouds))


def test_settings_of_a_result_make_it_again(clusters):
    x, y = clusters
    found = ot.solve(x, y, epsilon=0.02, threshold=2e-3, seed=5)
    again = ot.solve(x, y, **found.settings)
    np.testing.assert_array_equal(again.candidate, found.candidate)
    assert dataclasses.asdict(again)["settings"] == found.settings
