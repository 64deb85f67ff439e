"""Judges of a selection, on a pool in which generic texts of short vectors lie in the middle of everything."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from gotd_jax import ot
from gotd_jax.evaluation.coverage import coverage, targets_served
from gotd_jax.evaluation.divergence import DivergenceFrom, Halves, unit_vectors
from gotd_jax.evaluation.selection_judges import MASS, halves, judge
from gotd_jax.methods import select
from tests.methods.test_got_d import KIND, WIDTH, problem


@pytest.fixture(scope="module")
def toy():
    """Returns vectors of pool and held-out target, and rows: of the target's kind, generic with short vectors, drawn."""
    x, held_out = problem().candidates, problem(seed=5).targets
    drawn = np.random.default_rng(1).permutation(len(x))[:KIND]
    return x, held_out, {"kind": np.arange(KIND), "middle": np.arange(KIND, 2 * KIND), "drawn": drawn}


def mixture_cost(x, rows, y):
    weights = np.full(len(x), (1 - MASS) / len(x))
    weights[rows] += MASS / len(rows)
    return ot.solve(x, y, epsilon=0.05 * cdist(x, y, "sqeuclidean").mean(), absolute=True, candidate_weights=weights).cost


def judged(x, rows, y, **options):
    return judge(x, np.arange(len(x)), x[rows], rows, y, **options)


@pytest.mark.slow
def test_the_transport_cost_prefers_the_middle_and_no_judge_does(toy):
    x, y, of = toy
    costs = {name: mixture_cost(x, rows, y) for name, rows in of.items()}
    assert costs["middle"] < costs["kind"] < costs["drawn"]
    found = {name: judged(x, rows, y) for name, rows in of.items()}
    assert found["kind"].divergence < 0.85 * found["middle"].divergence
    assert found["kind"].coverage > 0.9 and found["middle"].coverage < 0.1
    texts = {name: Halves.twice(unit_vectors(x[rows])) for name, rows in of.items()}
    pool = Halves.twice(unit_vectors(x))
    of_texts = DivergenceFrom(Halves.twice(unit_vectors(y)), pool)
    assert of_texts.of(pool.mixed(texts["kind"], MASS)).value < of_texts.of(pool.mixed(texts["middle"], MASS)).value


@pytest.mark.slow
def test_debiasing_is_better_than_the_published_rule_by_the_divergence_and_worse_by_the_cost(toy):
    x, y, _ = toy
    published, debiased = (select("got_d", problem(), KIND, seed=0, epsilon=0.05, debias=debias).rows for debias in (0, 300))
    assert mixture_cost(x, published, y) < mixture_cost(x, debiased, y)
    assert judged(x, published, y).divergence > judged(x, debiased, y).divergence + 0.01


def test_a_random_selection_has_the_divergence_of_the_pool_at_any_size(toy):
    x, y, _ = toy
    order = np.random.default_rng(3).permutation(len(x))
    for size in (40, 300):
        found = judged(x, order[:size], y)
        assert found.divergence == pytest.approx(found.of_pool, rel=0.05)


def test_two_samples_of_one_distribution_have_no_divergence():
    x = np.random.default_rng(0).normal(size=(700, WIDTH)).astype(np.float32)
    found = judge(x[:300], np.arange(300), x[300:500], np.arange(300, 500), x[500:])
    assert abs(found.divergence) < 0.02 and abs(found.of_pool) < 0.02


@pytest.mark.slow
def test_the_divergence_from_itself_is_none_and_otherwise_ott_jaxs(toy):
    from ott.tools import sinkhorn_divergence

    x, y = (unit_vectors(side) for side in toy[:2])
    measured = DivergenceFrom(Halves.twice(y), Halves.twice(x))
    assert measured.of(Halves.twice(y)).value == pytest.approx(0, abs=1e-3)
    theirs, _ = sinkhorn_divergence.sinkdiv(x, y, epsilon=measured.epsilon)
    assert measured.of(Halves.twice(x)).value == pytest.approx(float(theirs), rel=1e-2)


def test_the_derivative_by_the_targets_weights_is_a_finite_difference(toy):
    x, y = (unit_vectors(side) for side in toy[:2])
    pool, even = Halves.twice(x), np.full(len(y), 1 / len(y))
    kept = np.stack([np.ones(len(y)), cdist(x, y, "sqeuclidean").mean(axis=0)], axis=1)  # mass, and the mean cost: epsilon
    change = np.random.default_rng(0).normal(size=len(y))
    change -= kept @ np.linalg.lstsq(kept, change, rcond=None)[0]
    change *= 0.3 * even[0] / np.abs(change).max()
    back, here, forth = (
        DivergenceFrom(Halves.twice(y, weights), pool).of(pool) for weights in (even - change, even, even + change)
    )
    assert (forth.value - back.value) / 2 == pytest.approx(change @ here.potential, rel=0.05)


def test_coverage_is_the_share_that_random_selections_are_beaten_in():
    rng = np.random.default_rng(0)
    pool, target, chosen = (unit_vectors(rng.normal(size=(rows, 4))) for rows in (60, 9, 5))
    nearest = (target @ chosen.T).max(axis=1)
    draws = np.stack([(target @ pool[rng.permutation(60)[:5]].T).max(axis=1) for _ in range(4000)])
    assert coverage(chosen, pool, target) == pytest.approx((nearest > draws).mean(), abs=0.01)


def test_coverage_of_drawn_texts_of_the_pool_is_one_half_and_of_copies_too():
    rng = np.random.default_rng(0)
    pool, target = (unit_vectors(rng.normal(size=(rows, 4))) for rows in (80, 50))
    drawn = [coverage(pool[rng.permutation(80)[:9]], pool, target) for _ in range(400)]
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.015)
    same = np.repeat(pool[:1], 20, axis=0)
    assert coverage(same[:3], same, target) == 0.5 and coverage(pool, pool, target) == 0.5


def test_more_chosen_texts_than_stand_for_the_pool_are_refused():
    ones = unit_vectors(np.ones((3, 2)))
    with pytest.raises(ValueError, match="3 chosen texts cannot be held against 2 of the pool"):
        coverage(ones, ones[:2], ones)


def test_as_many_target_texts_are_served_as_have_equal_shares_of_the_chosen():
    target = np.eye(6, dtype=np.float32)
    assert targets_served(np.repeat(target[:4], 3, axis=0), target) == pytest.approx(4)
    assert targets_served(target[[0, 0, 0, 1]], target) == pytest.approx(np.exp(-0.75 * np.log(0.75) - 0.25 * np.log(0.25)))


def test_no_text_is_in_both_halves_and_both_are_equally_large():
    pool_rows, chosen_rows = np.arange(0, 100, 2), np.arange(30, 51)[::-1]
    of_pool, of_chosen = halves(pool_rows, chosen_rows, 0)
    known = dict(zip(pool_rows.tolist(), of_pool.tolist()))
    assert all(known.get(row, half) == half for row, half in zip(chosen_rows.tolist(), of_chosen.tolist()))
    assert of_pool.sum() == 25 and abs(int(of_chosen.sum()) - 10) <= 1


def test_a_selection_of_one_text_and_a_target_of_one_are_judged(toy):
    x, y, _ = toy
    assert np.isfinite(judged(x, np.arange(1), y).divergence)
    assert np.isfinite(judged(x, np.arange(KIND), y[:1]).divergence)
