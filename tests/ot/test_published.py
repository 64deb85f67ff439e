"""The solver 'published' is the call of the paper's notebook: ott-jax's own, targets first, its g as it ends."""

import numpy as np
import pytest

from experiments.relevance import PUBLISHED as OF_DOMAINS
from gotd_jax import ot
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select
from third_party import ott_solvers


@pytest.fixture(scope="module")
def problem():
    """Returns 600 candidates and 60 targets whose mean cost is near 3, where the notebook's epsilon is a thirtieth."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(600, 24)).astype(np.float32)
    y = 0.6 * rng.normal(size=(60, 24)) + 0.4
    return 0.27 * x, (0.27 * y).astype(np.float32)


def found(problem, **changes):
    return ot.solve(*problem, **{**ot.PUBLISHED, **changes})


SETTINGS = [(ot.PUBLISHED, {}), (OF_DOMAINS, {"epsilon": 0.5, "momentum": 1.2, "threshold": 5e-2})]


@pytest.mark.parametrize(("ours", "theirs"), SETTINGS, ids=["selection", "relevance"])
def test_potentials_iterations_error_and_cost_are_those_of_the_notebooks_call(problem, ours, theirs):
    expected = ott_solvers.notebooks(*problem, **theirs)
    potentials = ot.solve(*problem, **ours)
    assert len(potentials.journal) == expected.iterations > 1
    np.testing.assert_allclose(potentials.candidate, expected.g, rtol=0, atol=2e-5)
    assert potentials.marginal_error == pytest.approx(expected.error, abs=1e-5)
    assert potentials.cost == pytest.approx(expected.reg_ot_cost, rel=1e-5)


def test_far_from_the_notebooks_scale_it_is_still_its_call(problem):
    far = [4.0 * side for side in problem]
    expected = ott_solvers.notebooks(*far)
    potentials = found(far)
    assert len(potentials.journal) == expected.iterations > 20
    np.testing.assert_allclose(potentials.candidate, expected.g, rtol=0, atol=1e-3)  # of a mean cost near 48


def test_values_are_the_notebooks_formula_of_its_g(problem):
    x, y = problem
    sides = {600: x, 60: y}
    texts = [Corpus.from_texts([f"{side} {row}" for row in range(side)]) for side in sides]
    selection = select("got_d", Problem(*texts, lambda corpus: sides[len(corpus)]), 30, seed=0, **ot.PUBLISHED)
    g = ott_solvers.notebooks(x, y).g.astype(np.float64)
    expected = g - (np.sum(g) / len(g) - g / len(g))
    np.testing.assert_allclose(selection.values, expected, rtol=0, atol=2e-5)
    assert set(selection.rows) == set(np.argsort(expected)[:30])


def test_what_it_stops_at_is_the_candidates_marginal(problem):
    x, y = (side.astype(np.float64) for side in problem)
    potentials = found(problem)
    costs = ((x[:, None] - y[None]) ** 2).sum(-1)
    g = potentials.candidate[:, None] - potentials.epsilon * np.log(1 / len(x))  # without its log-weight
    plan = np.exp((g + potentials.target[None] - costs) / potentials.epsilon) / (len(x) * len(y))
    assert np.abs(plan.sum(axis=1) - 1 / len(x)).sum() == pytest.approx(potentials.marginal_error, abs=1e-4)
    assert 0 < potentials.marginal_error < 0.1


def test_a_solve_that_does_not_converge_is_an_error(problem):
    with pytest.raises(RuntimeError, match=r"solver \(published\) left \d+\.\d+% of the mass misplaced after 9 passes"):
        found(problem, max_iterations=3, threshold=1e-3)


def test_a_pool_that_no_block_divides_and_one_of_few_are_the_same_call(problem):
    x, y = problem
    for count in (7, 513):
        expected = ott_solvers.notebooks(x[:count], y)
        np.testing.assert_allclose(found((x[:count], y)).candidate, expected.g, rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"sample": 100},
        {"init": np.zeros(60)},
        {"candidate_weights": np.full(600, 1 / 600)},
        {"target_weights": np.full(60, 1 / 60)},
    ],
)
def test_what_the_notebooks_call_does_not_have_is_refused(problem, changes):
    with pytest.raises(ValueError, match=f"notebook's call as it stands, which has no {next(iter(changes))}"):
        found(problem, **changes)
