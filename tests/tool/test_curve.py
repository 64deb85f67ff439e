import dataclasses

import numpy as np
import pytest

from gotd_jax.tool import curve, mixture_divergences
from tests.tool.worlds import GOOD, WIDTH, world

BUDGETS = np.array([1, 2, 4, 8, 16, 32, 64])


def resampled(costs, noise=0.001):
    return costs + noise * np.random.default_rng(0).normal(size=(200, len(costs)))


@pytest.fixture(scope="module")
def found():
    return curve.divergence_curve(world(GOOD))


def test_the_curve_falls_until_the_target_is_covered_and_rises_beyond_what_is_good(found):
    costs = {point.budget: point.divergence for point in found.points}
    assert costs[1] > costs[2] > costs[4] and costs[GOOD] < costs[2 * GOOD] < costs[4 * GOOD]
    assert 4 < found.best <= GOOD
    assert 4 <= found.knee <= GOOD


def test_the_band_contains_the_curve_and_has_width(found):
    assert all(point.low < point.divergence < point.high for point in found.points)


def test_a_selection_of_all_that_is_good_is_about_right(found):
    assert found.verdict == "about right"


def test_a_selection_of_more_than_is_good_is_too_large():
    found = curve.divergence_curve(world(4 * GOOD))
    assert found.verdict == "too large" and f"{4 * GOOD}" in found.sentence


def test_a_selection_of_less_than_is_needed_could_be_larger():
    assert curve.divergence_curve(world(2)).verdict == "could be larger"


def test_a_selection_that_was_drawn_is_not_carried_on_by_values():
    assert max(point.budget for point in curve.divergence_curve(world(20, method="random")).points) == 20


def test_few_rows_are_embedded_where_the_pool_is_not():
    assert curve.divergence_curve(world(GOOD, embedded=False)).most_chosen < curve.divergence_curve(world(GOOD)).most_chosen


def test_a_pool_and_a_target_of_one_point_have_no_curve():
    inputs = world(GOOD)
    target = dataclasses.replace(inputs.targets[0], embeddings=np.ones((5, WIDTH), np.float32))
    one = dataclasses.replace(inputs, targets=(target,), embed_rows=lambda rows: np.ones((len(rows), WIDTH), np.float32))
    assert curve.divergence_curve(one) is None


def test_a_target_of_one_repeated_text_has_a_curve():
    inputs = world(GOOD)
    target = inputs.targets[0]
    repeated = dataclasses.replace(target, embeddings=np.repeat(target.embeddings[:1], 5, axis=0))
    own = int(np.linalg.norm(inputs.embed_rows(inputs.rows) - target.embeddings[0], axis=1).argmin())
    first = dataclasses.replace(inputs, targets=(repeated,), rows=np.roll(inputs.rows, -own))
    points = curve.divergence_curve(first).points
    assert points[0].divergence < 0.9 and all(point.low == pytest.approx(point.high) for point in points)


def test_coverage_says_which_budgets_serve_more_than_a_draw_would(found):
    covered = {point.budget: point.coverage for point in found.points}
    assert covered[4] < 0.5 < 0.9 < covered[GOOD]
    served = {point.budget: point.served for point in found.points}
    assert served[1] == 1 and 20 < served[GOOD] < 40


def test_a_resample_draws_as_many_texts_of_each_target_as_it_has():
    targets = mixture_divergences.Targets.of(world(GOOD, targets=2))
    drawn = targets.weight_changes(0) / targets.weights + 1
    np.testing.assert_allclose(drawn, drawn.round(), atol=1e-9)
    for number in (0, 1):
        np.testing.assert_allclose(drawn[:, targets.numbers == number].sum(axis=1), 20)
    assert drawn.max() > 2 and drawn.min() < 0.5


def test_the_knee_of_a_falling_and_of_a_rising_convex_curve_is_where_it_bends():
    falling = np.array([1.0, 0.8, 0.6, 0.58, 0.57, 0.56, 0.55])
    assert curve.knee(BUDGETS, falling, resampled(falling)) == 4
    assert curve.knee(BUDGETS, falling[::-1], resampled(falling[::-1])) == 16


def test_a_straight_or_uncertain_curve_has_no_knee():
    straight = np.linspace(1, 0.9, len(BUDGETS))
    assert curve.knee(BUDGETS, straight, resampled(straight)) is None
    bent = straight - 0.002 * (BUDGETS == 8)
    assert curve.knee(BUDGETS, bent, resampled(bent, 0.01)) is None


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_budgets_have_no_knee(count):
    assert curve.knee(BUDGETS[:count], np.array([1.0, 0.9][:count]), np.ones((9, count))) is None


@pytest.mark.parametrize(
    ("costs", "verdict"),
    [
        ([0.9, 0.8, 0.7, 0.69, 0.69, 0.7, 0.8], "about right"),
        ([0.8, 0.7, 0.75, 0.8, 0.9, 0.95, 0.97], "too large"),
        ([0.99, 0.98, 0.96, 0.95, 0.93, 0.9, 0.8], "could be larger"),
        ([1.01, 1.0, 1.0, 1.0, 1.01, 1.02, 1.03], "no help"),
    ],
)
def test_the_verdict_on_a_budget_of_32(costs, verdict):
    costs = np.array(costs)
    assert curve.judge(BUDGETS, costs, resampled(costs), 32)[0] == verdict
