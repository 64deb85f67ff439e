"""Differences over the same seeds and their noise, against SciPy, hand computations and simulation."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gotd_jax.report import paired_tests


def draws(seeds, number=20):
    random = np.random.default_rng(seeds)
    return [(random.normal(80, 2, seeds), random.normal(79, 2, seeds)) for _ in range(number)]


@pytest.mark.parametrize("seeds", [3, 5, 12])
def test_p_and_t_interval_are_those_of_a_paired_t_test(seeds):
    for first, second in draws(seeds):
        found, differences = paired_tests.of_seeds(first, second), first - second
        error = differences.std(ddof=1) / math.sqrt(seeds)
        assert found.difference == pytest.approx(differences.mean()) and found.spread == pytest.approx(error * math.sqrt(seeds))
        assert found.p == pytest.approx(2 * stats.t.sf(abs(differences.mean()) / error, seeds - 1), rel=1e-9)
        assert found.p == pytest.approx(stats.ttest_rel(first, second).pvalue, rel=1e-12)
        if seeds < 5:
            reach = error * stats.t.isf(0.025, seeds - 1)
            assert found.kind == "t"
            assert found.interval == pytest.approx((differences.mean() - reach, differences.mean() + reach))


def test_a_difference_computed_by_hand():
    """Differences 1, 2, 3: mean 2, deviation 1, t = 2 sqrt(3) with 2 degrees of freedom, whose p is 1 - t / sqrt(t^2 + 2)."""
    found = paired_tests.of_seeds([11, 22, 33], [10, 20, 30])
    assert (found.seeds, found.means, found.difference, found.spread) == (3, (22.0, 20.0), 2.0, 1.0)
    assert found.p == pytest.approx(1 - math.sqrt(12 / 14))


def test_bootstrap_interval_is_that_of_all_resamples_at_expanded_percentiles():
    differences = np.array([0.3, -0.2, 1.1, 0.7, 0.4])
    means = np.array([np.mean(drawn) for drawn in itertools.product(differences, repeat=5)])
    place = stats.norm.cdf(-math.sqrt(5 / 4) * stats.t.isf(0.025, 4))
    low, high = paired_tests.bootstrap_interval(differences)
    assert np.mean(means < low - 1e-9) <= place + 0.0005 and np.mean(means <= low + 1e-9) >= place - 0.0005
    assert np.mean(means > high + 1e-9) <= place + 0.0005 and np.mean(means >= high - 1e-9) >= place - 0.0005
    assert differences.min() <= low < differences.mean() < high <= differences.max()


@pytest.mark.parametrize(("seeds", "kind"), [(4, "t"), (5, "bootstrap")])
def test_seeds_too_few_to_be_resampled_have_students_interval(seeds, kind):
    first, second = draws(seeds, 1)[0]
    found = paired_tests.of_seeds(first, second)
    assert found.kind == kind


def test_bootstrap_interval_is_the_same_at_every_call():
    first, second = draws(20, 1)[0]
    assert paired_tests.of_seeds(first, second).interval == paired_tests.bootstrap_interval(first - second)


def test_bootstrap_intervals_of_six_seeds_hold_the_truth_about_as_often_as_they_say():
    random = np.random.default_rng(0)
    held = [low <= 0 <= high for low, high in (paired_tests.bootstrap_interval(random.normal(size=6)) for _ in range(150))]
    assert 0.90 < np.mean(held) < 0.98  # plain percentiles: 0.87


@pytest.mark.parametrize("values", [(80.1, 80.2, 80.4), (0.1, 0.2, 0.3)])
def test_differences_equal_on_every_seed_have_no_test(values):
    for shift in (0.0, 0.3):
        found = paired_tests.of_seeds(np.add(values, shift), values)
        assert found.difference == pytest.approx(shift) and found.spread == 0.0
        assert (found.p, found.interval, found.equivalence(1.0)) == (None, None, None)
    assert paired_tests.of_seeds(values, values).difference == 0.0


def test_two_seeds_have_no_interval_and_no_test():
    found = paired_tests.of_seeds([0.5, 0.6], [0.3, 0.5])
    assert (found.seeds, found.interval, found.kind, found.p, found.equivalence(1.0)) == (2, None, "", None, None)
    assert found.difference == pytest.approx(0.15) and found.spread == pytest.approx(math.sqrt(0.005))


def test_equivalence_is_the_larger_of_two_one_sided_paired_t_tests():
    for first, second in draws(9):
        found = paired_tests.of_seeds(first, second)
        for margin in (0.5, 2.0, 5.0):
            above = stats.ttest_1samp(first - second, -margin, alternative="greater").pvalue
            below = stats.ttest_1samp(first - second, margin, alternative="less").pvalue
            assert found.equivalence(margin) == pytest.approx(max(above, below), rel=1e-9)


@pytest.mark.slow
def test_equivalence_is_wrongly_shown_in_one_case_of_twenty_where_the_difference_is_the_margin():
    random = np.random.default_rng(3)
    shown = [paired_tests.of_seeds(random.normal(1, 1, 12), np.zeros(12)).equivalence(1.0) < 0.05 for _ in range(800)]
    assert 0.03 < np.mean(shown) < 0.07


def test_right_and_wrong_answers_are_compared_by_mcnemars_exact_test():
    """15 items that the first alone answers, 5 that the second does, 80 that both or neither do."""
    first = np.array([1] * 15 + [0] * 5 + [1] * 50 + [0] * 30)
    second = np.array([0] * 15 + [1] * 5 + [1] * 50 + [0] * 30)
    found = paired_tests.of_items(first, second)
    assert paired_tests.of_items(100 * first, 100 * second).p == found.p
    two_sided = 2 * sum(math.comb(20, k) for k in range(6)) / 2**20
    assert found.p == pytest.approx(two_sided) and found.items == 100 and found.seeds == 1
    assert found.difference == pytest.approx(0.1) and found.kind == "items"
    reach = found.spread / 10 * stats.t.isf(0.025, 99)
    assert found.interval == pytest.approx((0.1 - reach, 0.1 + reach), abs=0.02)


def test_pairing_items_takes_out_what_they_share():
    """Prompts differ much more from each other than two models do on one prompt."""
    random = np.random.default_rng(0)
    hard = random.normal(0, 1, 60)
    first, second = hard + 0.1 + random.normal(0, 0.05, 60), hard + random.normal(0, 0.05, 60)
    found = paired_tests.of_items(first, second, seeds=2)
    assert found.seeds == 2 and found.p == pytest.approx(stats.ttest_rel(first, second).pvalue) and found.p < 1e-6
    assert found.interval[1] - found.interval[0] < 0.06 < 0.3 < 2 * stats.norm.isf(0.025) * math.sqrt(2 / 60)


def test_items_answered_alike_have_no_test():
    found = paired_tests.of_items([1, 0, 1], [1, 0, 1])
    assert (found.difference, found.spread, found.p, found.interval) == (0.0, 0.0, None, None)


def test_the_interval_of_very_many_items_is_students():
    differences = np.random.default_rng(0).normal(0.2, 1, 5_000)
    low, high = paired_tests.bootstrap_interval(differences)
    reach = differences.std(ddof=1) / math.sqrt(5_000) * stats.t.isf(0.025, 4_999)
    assert (low, high) == pytest.approx((differences.mean() - reach, differences.mean() + reach), abs=0.1 * reach)


def test_holms_levels_are_those_at_which_its_steps_test():
    assert paired_tests.holm_levels([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.05 / 3, 0.05, 0.05 / 2, 0.05 / 4])
    random = np.random.default_rng(0)
    for _ in range(50):
        raw = random.beta(0.3, 3, size=12)
        adjusted, levels = np.array(paired_tests.holm(raw)), np.array(paired_tests.holm_levels(raw))
        assert (raw[adjusted <= 0.05] <= levels[adjusted <= 0.05]).all()


def test_a_test_among_many_needs_more_seeds():
    assert paired_tests.seeds_to_settle(1.0, 1.0) == 10
    assert paired_tests.seeds_to_settle(1.0, 1.0, 0.05 / 6) == 16


def test_holm_agrees_with_rs_multtest():
    """`mt.rawp2adjp` of R's multtest on ten p-values, as statsmodels keeps them in its tests."""
    raw = [0.838541367553, 0.642193923795, 0.680845947633, 0.967833824309, 0.71626938238]
    raw += [0.177096952723, 5.23656777208e-05, 0.0202732688798, 0.00028140506198, 0.0149877310796]
    expected = [
        1,
        1,
        1,
        1,
        1,
        1,
        5.2365677720800005e-04,
        1.4191288215860001e-01,
        2.5326455578199999e-03,
        1.1990184863680001e-01,
    ]
    assert paired_tests.holm(raw) == pytest.approx(expected, rel=1e-12)


def test_holm_by_hand():
    """0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04 x 1 raised to the one before."""
    assert paired_tests.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert paired_tests.holm([]) == [] and paired_tests.holm([0.2]) == [0.2]


def test_holm_rejects_what_its_steps_reject():
    random = np.random.default_rng(0)
    for _ in range(50):
        raw = random.beta(0.3, 3, size=12)
        steps = np.sort(raw) <= 0.05 / np.arange(12, 0, -1)
        rejected = 12 if steps.all() else int(np.argmin(steps))
        assert sum(p <= 0.05 for p in paired_tests.holm(raw)) == rejected


def test_seeds_to_settle_are_those_of_the_published_tables():
    """Known sizes of a paired or one-sample t-test at 0.05, two-sided, power 0.8 (G*Power, R's power.t.test)."""
    for effect, seeds in [(0.5, 34), (0.8, 15), (1.0, 10), (0.2, 199)]:
        assert paired_tests.seeds_to_settle(effect, 1.0) == paired_tests.seeds_to_settle(-3 * effect, 3.0) == seeds, effect


def test_seeds_to_settle_are_the_fewest_by_search_with_both_tails():
    seeds = np.arange(2, 1001)
    for effect in (0.1, 0.3, 0.7, 1.3, 2.2, 4.0, 9.0, 15.0):
        limit, centre = stats.t.isf(0.025, seeds - 1), effect * np.sqrt(seeds)
        # Beyond a centre of 8 it is under 1e-15, and SciPy's is not a number.
        wrong = np.where(centre < 8, stats.nct.cdf(-limit, seeds - 1, np.minimum(centre, 8)), 0.0)
        place = int(np.argmax(stats.nct.sf(limit, seeds - 1, centre) + wrong >= 0.8))
        assert paired_tests.seeds_to_settle(effect, 1.0) == seeds[place]
        assert wrong[place] < 1e-4


def test_extreme_effects_have_the_fewest_seeds_or_none():
    for effect, expected in [(1e12, 2), (0.08, None), (0.0, None)]:
        assert paired_tests.seeds_to_settle(effect, 1.0) == expected, effect


@pytest.mark.parametrize(("seeds", "effect"), [(3, 2.0), (5, 1.0), (10, 1.0), (34, 0.5)])
def test_power_is_how_often_simulated_tests_find_the_difference(seeds, effect):
    drawn = np.random.default_rng(seeds).normal(effect, 1.0, size=(20_000, seeds))
    tests = stats.ttest_1samp(drawn, 0.0, axis=1)
    found = np.mean((tests.pvalue < 0.05) & (tests.statistic > 0))
    assert paired_tests.power(seeds, effect) == pytest.approx(found, abs=4 * math.sqrt(found * (1 - found) / 20_000))
