"""The selection for a finite share: against linear programmes, a primal method, the published rule, and other selections."""

import tracemalloc

import numpy as np
import pytest
from scipy.optimize import minimize

from gotd_jax import ot
from gotd_jax.ot import finite_share
from gotd_jax.ot.filling import fill
from gotd_jax.ot.rounding import in_turns
from tests.ot.conftest import centred
from tests.ot.mixtures import mixture_of_clusters, programme


def of_the_selection(count, weights):
    """Returns which candidates have their whole part of the selection, bool [n]."""
    return weights > (1 - 1e-3) / count


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_cost_and_selection_are_those_of_the_linear_programme(share):
    x, y = mixture_of_clusters(1, 40, 8, dimensions=3, clusters=5)
    found = ot.solve_mixture(x, y, count=6, share=share, epsilon=2e-3)
    cost, weights, _ = programme(x, y, 6, share)
    epsilon, slack = found.potentials.epsilon, found.gap * found.potentials.mean_cost
    assert cost - slack <= found.potentials.cost <= cost + epsilon * np.log(8)  # no plan is further from independence
    assert found.weights.sum() == pytest.approx(1.0) and found.weights.max() <= 1 / 6 + 1e-9
    np.testing.assert_allclose(found.weights, weights, atol=0.02)
    assert found.gap <= 1e-4


def test_a_reference_bears_the_rest_of_the_mass_in_the_linear_programme():
    x, y = mixture_of_clusters(4, 40, 8, dimensions=3, clusters=5)
    rest = mixture_of_clusters(5, 40, 8, dimensions=3, clusters=5)[0] + np.float32([4, 0, 0])
    found = ot.solve_mixture(x, y, count=6, share=0.4, reference=rest, epsilon=2e-3)
    cost, weights, _ = programme(x, y, 6, 0.4, rest=rest)
    slack = found.gap * found.potentials.mean_cost
    assert cost - slack <= found.potentials.cost <= cost + found.potentials.epsilon * np.log(8)
    np.testing.assert_allclose(found.weights, weights, atol=0.02)
    assert np.abs(weights - programme(x, y, 6, 0.4)[1]).max() > 0.1  # than without it


def test_a_primal_method_finds_the_same_entropic_cost():
    x, y = mixture_of_clusters(4, 40, 8, dimensions=3, clusters=5)
    share, count, n = 0.5, 6, 40
    found = ot.solve_mixture(x, y, count=count, share=share, epsilon=0.05)
    settings = {"epsilon": found.potentials.epsilon, "absolute": True, "threshold": 1e-5, "solver": "semidual"}

    def cost(w):
        mixed = share * np.maximum(w, 1e-9) + (1 - share) / n
        solved = ot.solve(x, y, candidate_weights=mixed / mixed.sum(), **settings)
        return solved.cost, share * centred(solved.candidate)

    whole = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like}
    start = np.full(n, 1 / n)
    primal = minimize(cost, start, jac=True, method="SLSQP", bounds=[(0, 1 / count)] * n, constraints=whole)
    assert primal.fun == pytest.approx(found.potentials.cost, rel=1e-4)
    assert np.abs(found.weights - primal.x).sum() < 0.1
    assert cost(found.weights)[0] <= primal.fun + 1e-4 * found.potentials.mean_cost


def test_a_vanishing_share_selects_as_published_to_the_row():
    x, y = mixture_of_clusters(0, 2000, 40)
    published = ot.solve(x, y)
    found = ot.solve_mixture(x, y, count=100, share=1e-6)
    np.testing.assert_array_equal(np.argsort(found.potentials.candidate)[:100], np.argsort(published.candidate)[:100])
    np.testing.assert_allclose(found.potentials.candidate, published.candidate, atol=1e-5 * published.mean_cost)


def test_the_whole_of_a_target_that_lies_in_the_pool_is_chosen_at_a_share_of_one():
    x, y = mixture_of_clusters(5, 600, 40)
    pool = np.concatenate([y, x])
    found = ot.solve_mixture(pool, y, count=40, share=1.0, epsilon=1e-3)
    assert set(np.argsort(found.potentials.candidate)[:40]) == set(range(40))
    assert found.potentials.cost == pytest.approx(0.0, abs=1.01 * found.potentials.epsilon * np.log(40))


def test_a_selection_of_all_is_the_pool():
    x, y = mixture_of_clusters(6, 50, 8, dimensions=3, clusters=5)
    found = ot.solve_mixture(x, y, count=50, share=0.7)
    np.testing.assert_allclose(found.weights, 1 / 50)
    np.testing.assert_allclose(centred(found.potentials.candidate), centred(ot.solve(x, y).candidate), atol=0.05)


def test_a_pool_solved_on_samples_first_gets_the_same_selection(monkeypatch):
    x, y = mixture_of_clusters(7, 12_000, 40)
    found = ot.solve_mixture(x, y, count=400, share=0.3, threshold=1e-4)
    assert {check.rows for check in found.potentials.journal} == {4096, 12_000}
    monkeypatch.setattr(finite_share, "sample_sizes", lambda pool, targets: [])
    straight = ot.solve_mixture(x, y, count=400, share=0.3, threshold=1e-4)
    assert found.potentials.cost == pytest.approx(straight.potentials.cost, rel=1e-4)
    assert np.abs(found.weights - straight.weights).sum() < 0.02


def test_what_is_solved_on_a_sample_values_the_whole_pool():
    x, y = mixture_of_clusters(8, 3000, 40)
    found = ot.solve_mixture(x, y, count=300, share=0.3, sample=1500)
    assert found.potentials.solved_on == 1500 and found.potentials.candidate.shape == found.weights.shape == (3000,)
    assert found.weights.sum() == pytest.approx(1.0) and found.weights.max() <= 1 / 300 + 1e-12
    whole = ot.solve_mixture(x, y, count=300, share=0.3)
    assert (of_the_selection(300, found.weights) & of_the_selection(300, whole.weights)).sum() > 200


def test_filling_is_the_mean_of_the_lowest_and_a_quadratic_programme():
    rng = np.random.default_rng(0)
    values, capacities = rng.normal(size=9), rng.uniform(0.1, 0.4, size=9)
    hard, soft = fill(values, capacities), fill(values, capacities, 0.7)
    filled = (hard / capacities)[np.argsort(values)]
    assert hard.sum() == pytest.approx(1.0) and set(filled) <= {0.0, 1.0, *filled[(filled > 0) & (filled < 1)][:1]}
    assert (np.diff(filled) <= 0).all()
    whole = {"type": "eq", "fun": lambda w: w.sum() - 1}

    def cost(w):
        return w @ values + 0.35 * np.sum(w**2 / capacities)

    bounds = [(0, capacity) for capacity in capacities]
    best = minimize(cost, np.full(9, 1 / 9), method="SLSQP", bounds=bounds, constraints=whole, options={"ftol": 1e-12})
    np.testing.assert_allclose(soft, best.x, atol=1e-5)
    np.testing.assert_allclose(fill(values, 1 / 9, 0.7), 1 / 9)


def test_parts_of_candidates_are_rounded_within_each_target():
    rng = np.random.default_rng(0)
    targets = 10 * np.eye(7, dtype=np.float32)
    serves = np.repeat(np.arange(7), 6)
    embeddings = (targets[serves] + rng.normal(size=(42, 7))).astype(np.float32)
    parts = np.concatenate([rng.dirichlet(np.ones(6)) for _ in range(7)])  # one whole candidate of each target
    assert serves[in_turns(parts, 7, embeddings, targets, np.zeros(7))].tolist() == list(range(7))
    lopsided = parts * np.repeat([1, 2, 0.5, 0.5, 1, 1, 1], 6)
    taken = np.bincount(serves[in_turns(lopsided, 7, embeddings, targets, np.zeros(7))], minlength=7)
    assert taken.sum() == 7 and np.abs(taken - [1, 2, 0.5, 0.5, 1, 1, 1]).max() <= 1


def test_whole_candidates_cost_no_less_than_their_parts_and_no_more_than_the_lowest():
    x, y = mixture_of_clusters(0, 2000, 40)
    found = ot.solve_mixture(x, y, count=40, share=0.9)

    def cost(rows):
        weights = np.full(2000, 0.1 / 2000)
        weights[rows] += 0.9 / 40
        given = {"epsilon": found.potentials.epsilon, "absolute": True, "solver": "semidual"}
        return ot.solve(x, y, candidate_weights=weights, **given).cost

    lowest = np.argsort(found.potentials.candidate)[:40]
    slack = 2e-5 * found.potentials.mean_cost
    assert found.potentials.cost - slack <= cost(found.rows) <= cost(lowest) + slack
    assert len(set(found.rows)) == 40 and (np.diff(found.potentials.candidate[found.rows]) >= 0).all()
    whole = np.flatnonzero(of_the_selection(40, found.weights))
    assert set(whole) <= set(found.rows)


def test_a_solve_without_a_certificate_is_an_error(monkeypatch):
    x, y = mixture_of_clusters(9, 300, 40)
    monkeypatch.setattr(finite_share, "NARROWEST", finite_share.WIDEST)
    with pytest.raises(RuntimeError, match=r"certified to \d\.\d+e-\d+ of the mean cost, with .* Raise epsilon"):
        ot.solve_mixture(x, y, count=20, share=0.9)


def test_arguments_out_of_range_are_refused(clouds, subtests):
    cases = [
        ({"share": -0.1}, "share is -0.1"),
        ({"share": 1.1}, "share is 1.1"),
        ({"trim": 1.0}, "trim is 1.0"),
        ({"count": 0}, "count is 0 of 1,201"),
        ({"count": 2000}, "count is 2,000 of 1,201"),
        (ot.PUBLISHED, "'published', the notebook's call"),
        ({"epsilon": 0}, "epsilon is 0"),
    ]
    for change, message in cases:
        with subtests.test(change=change), pytest.raises(ValueError, match=message):
            ot.solve_mixture(*clouds, **({"count": 10, "share": 0.1} | change))


def test_a_mapped_pool_streams(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "pool.npy", rng.normal(size=(100_000, 64)).astype(np.float32))
    pool, targets = np.load(tmp_path / "pool.npy", mmap_mode="r"), rng.normal(size=(32, 64)).astype(np.float32) + 0.1
    tracemalloc.start()
    found = ot.solve_mixture(pool, targets, count=1000, share=0.3, epsilon=0.1, threshold=0.02)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.8 * pool.nbytes
    assert found.gap < 1e-4 and found.potentials.solved_on == 100_000
