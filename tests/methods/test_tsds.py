"""TSDS against a linear program of its problem and against its formulas as they are written."""

import numpy as np
import pytest
from scipy.optimize import linprog

from gotd_jax.methods import select
from gotd_jax.methods.tsds import transport
from tests.methods.test_tapt_c import CANDIDATES, TARGETS, cosines, problem

SCALE = 2.0


def small_problem(seed, targets=3, pool=40, crowded=True):
    draws = np.random.default_rng(seed)
    distances = np.linalg.norm(draws.normal(size=(targets, 1, 3)) - draws.normal(size=(1, pool, 3)), axis=2)
    return distances, draws.uniform(1, 3, pool) if crowded else np.ones(pool)


def solved_by_linear_programming(distances, densities, alpha):
    """The paper's problem RT with G_KDE (G_infinity where all densities are 1), over all mass g and the largest deviation."""
    targets, pool = distances.shape
    even = (1 / densities) / (targets * np.sum(1 / densities))
    weighted = np.diag(np.tile(targets * densities, targets))
    bounds = np.tile(targets * densities * even, targets)
    ones = np.ones((targets * pool, 1))
    return linprog(
        np.append(alpha / SCALE * distances.ravel(), 1 - alpha),
        A_ub=np.block([[weighted, -ones], [-weighted, -ones]]),
        b_ub=np.concatenate([bounds, -bounds]),
        A_eq=np.hstack([np.kron(np.eye(targets), np.ones(pool)), np.zeros((targets, 1))]),
        b_eq=np.full(targets, 1 / targets),
    )


def transported(distances, densities, alpha):
    """`transport` over all candidates, back in pool order."""
    order = np.argsort(distances, axis=1)
    shares = transport(np.take_along_axis(distances, order, axis=1), densities[order], alpha, SCALE)
    plan = np.zeros_like(distances)
    np.put_along_axis(plan, order, shares, axis=1)
    return plan


@pytest.mark.parametrize("crowded", [False, True])
@pytest.mark.parametrize("alpha", [0.4, 0.6, 0.8])
def test_the_plan_is_optimal_by_linear_programming(alpha, crowded, subtests):
    for seed in [0, 1]:
        with subtests.test(seed=seed):
            distances, densities = small_problem(seed, crowded=crowded)
            expected = solved_by_linear_programming(distances, densities, alpha)
            plan = transported(distances, densities, alpha)
            assert 1 < (plan > 0).sum(axis=1).max() <= 20, "neither trivial nor beyond half of the pool"
            np.testing.assert_allclose(plan, expected.x[:-1].reshape(plan.shape), atol=1e-9)


def test_without_densities_each_target_spreads_evenly_over_k_neighbours_by_the_papers_rule():
    ordered, k = np.sort(small_problem(2, targets=5, pool=60)[0], axis=1), 1
    while 0.5 / SCALE * np.sum(ordered[:, k : k + 1] - ordered[:, :k]) < 0.5 * 5:
        k += 1
    assert k > 2
    shares = transport(ordered, np.ones_like(ordered), 0.5, SCALE)
    np.testing.assert_allclose(shares[:, :k], 1 / (5 * k))
    assert (shares[:, k:] == 0).all()


def test_nearness_alone_gives_all_to_the_nearest_and_diversity_alone_fills_every_room():
    distances, densities = np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 2.0, 2.0]])
    np.testing.assert_allclose(transport(distances, densities, 1.0, SCALE), [[1, 0, 0]])
    np.testing.assert_allclose(transport(distances, densities, 0.0, SCALE), [[0.5, 0.25, 0.25]])


def masses_as_the_formulas_are_written(alpha, scale, sigma, reach):
    """Densities from all pairs of candidates reached; the level of the lowest objective of all that fill some room."""
    unit = CANDIDATES.astype(np.float64) / np.linalg.norm(CANDIDATES.astype(np.float64), axis=1, keepdims=True)
    neighbours = np.argsort(-cosines(), axis=1)[:, :reach]
    reached = sorted(set(neighbours.ravel().tolist()))
    density = {i: sum(max(0, 1 - np.sum((unit[i] - unit[j]) ** 2) / sigma**2) for j in reached) for i in reached}

    def plan(level):
        masses, cost = np.zeros(len(CANDIDATES)), 0.0
        for target, row in enumerate(neighbours):
            left = level
            for candidate in row:
                held = min(left, 1 / density[candidate])
                left -= held
                masses[candidate] += held / level / len(TARGETS)
                cost += held / level / len(TARGETS) * np.sqrt(2 - 2 * cosines()[target, candidate])
        return alpha / scale * cost + (1 - alpha) / level, masses

    levels = [sum(1 / density[c] for c in row[: k + 1]) for row in neighbours for k in range(reach - 1)]
    fits = min(sum(1 / density[c] for c in row) for row in neighbours)
    return min((plan(level) for level in levels if level <= fits), key=lambda found: found[0])[1]


def test_values_are_minus_the_logarithm_of_the_mass_by_the_formulas():
    options = {"alpha": 0.6, "scale": 0.4, "sigma": 0.9}
    selection = select("tsds", problem(), 5, seed=0, **options)
    masses = masses_as_the_formulas_are_written(**options, reach=13)
    assert masses.sum() == pytest.approx(1) and 11 < (masses > 0).sum() == selection.info["candidates_with_mass"] < 60
    np.testing.assert_allclose(np.exp(-selection.values.astype(np.float64)), masses, rtol=1e-4, atol=1e-9)


def test_near_duplicates_share_the_mass_of_one():
    far = np.random.default_rng(0).normal(size=(76, 8)).astype(np.float32) * [0, 0, 0, 1, 1, 1, 1, 1]
    near = np.eye(8)[[1, 2, 2, 2]] * 0.5 + np.eye(8)[0]
    options = {"seed": 0, "alpha": 0.0, "neighbours": 4}
    given = problem(np.concatenate([near, far]).astype(np.float32), np.eye(8)[:1].astype(np.float32))
    np.testing.assert_allclose(
        np.exp(-select("tsds", given, 4, sigma=0.5, **options).values[:4]), [1 / 2, 1 / 6, 1 / 6, 1 / 6], rtol=1e-5
    )
    np.testing.assert_allclose(np.exp(-select("tsds", given, 4, sigma=0, **options).values[:4]), 4 * [1 / 4], rtol=1e-5)


def test_candidates_without_mass_come_last():
    selection = select("tsds", problem(), len(CANDIDATES), seed=0)
    assert (np.diff(np.isinf(selection.values[selection.rows]).astype(int)) >= 0).all()


def test_lengths_of_embeddings_do_not_matter():
    first, second = (select("tsds", problem(CANDIDATES * k, TARGETS / k), 30, seed=0) for k in (np.float32(1), np.float32(7)))
    np.testing.assert_allclose(second.values, first.values, rtol=1e-4)


def test_an_option_out_of_range_is_an_error_that_names_it(subtests):
    cases = [{"alpha": -0.1}, {"alpha": 1.1}, {"scale": 0}, {"sigma": -1}, {"neighbours": 0}]
    for option in cases:
        with subtests.test(option=option):
            ((name, value),) = option.items()
            with pytest.raises(ValueError, match=f"{name}={value}"):
                select("tsds", problem(), 5, seed=0, **option)
