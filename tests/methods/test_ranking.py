"""Noise on a ranking against the law that it draws from."""

import numpy as np
import pytest

from gotd_jax.methods import METHODS, Method, Selection, select
from gotd_jax.methods.problem import drawn, lowest
from gotd_jax.methods.ranking import with_noise
from tests.methods.test_dsir import problem as of_texts
from tests.methods.test_tapt_c import CANDIDATES, TARGETS, cosines, problem


def given_values(values):
    """Returns a way to select that has these values."""

    def choose(problem, budget, *, seed):
        return Selection(lowest(values, budget), values, {"its": "own"})

    return choose


def noisy(values, budget, noise, seed=0, valued="all"):
    return with_noise(given_values(np.asarray(values, np.float32)), valued, problem(), budget, seed=seed, noise=noise)


@pytest.mark.slow
def test_the_first_is_drawn_in_proportion_to_the_exponential_of_minus_its_value_over_the_temperature():
    values, noise = np.array([0.0, 1.0, 3.0, 3.5, np.inf]), 0.7
    weights = np.exp(-values / (noise * values[:4].std()))
    first = [noisy(values, 1, noise, seed).rows[0] for seed in range(6000)]
    np.testing.assert_allclose(np.bincount(first, minlength=5) / 6000, weights / weights.sum(), atol=0.025)
    assert noisy(values, 5, noise).rows[-1] == 4
    assert noisy(values, 1, noise).info == {"its": "own", "temperature": pytest.approx(noise * values[:4].std())}


def test_the_unit_of_the_values_does_not_matter():
    values = np.random.default_rng(0).normal(size=50)
    first, second = (noisy(by * values + 3, 10, 0.5).rows.tolist() for by in (1, 4096))
    assert first == second != np.argsort(values)[:10].tolist()


def test_little_noise_exchanges_few_and_much_noise_keeps_no_more_than_chance():
    values = np.random.default_rng(0).normal(size=2000)
    kept = [len(np.intersect1d(noisy(values, 200, noise).rows, np.argsort(values)[:200])) for noise in (0.0, 0.02, 0.5, 1000.0)]
    assert kept[0] == 200 > kept[1] > 190 > kept[2] > 80 > 40 > kept[3] > 5


def test_without_noise_values_that_are_alike_are_drawn():
    first, second = (noisy(np.zeros(50), 10, noise, 3).rows.tolist() for noise in (0.0, 1.0))
    assert first == second and max(first) >= 10


def test_dsir_draws_as_ever_unless_it_is_told_how():
    own, best, scaled = (select("dsir", of_texts(), 30, seed=5, **noise) for noise in ({}, {"noise": 0.0}, {"noise": 1.0}))
    assert own.rows.tolist() == drawn(own.values, 30, seed=5).tolist()
    assert best.rows.tolist() == lowest(own.values, 30, seed=5).tolist()
    assert scaled.rows.tolist() == drawn(own.values / own.values.std(dtype=np.float64), 30, seed=5).tolist()
    assert len({tuple(selection.rows.tolist()) for selection in (own, best, scaled)}) == 3


def test_a_method_that_values_the_chosen_alone_ranks_the_whole_pool_before_noise_is_added():
    selection = select("rds_plus", problem(), 10, seed=0, noise=5.0)
    assert sorted(selection.values) == list(range(1, len(CANDIDATES) + 1))
    assert selection.rows.tolist() == drawn(selection.values / selection.info["temperature"], 10, seed=0).tolist()
    quiet = select("rds_plus", problem(), 10, seed=0, noise=0.0).rows.tolist()
    assert quiet == select("rds_plus", problem(), 10, seed=0).rows.tolist()
    assert quiet[0] == cosines(CANDIDATES, TARGETS)[0].argmax()


def test_noise_below_zero_or_on_no_values_is_refused():
    with pytest.raises(ValueError, match=r"noise is -1\.0\. It is a temperature"):
        noisy(np.zeros(5), 2, -1.0)
    with pytest.raises(ValueError, match="gives its candidates no values"):
        with_noise(METHODS["random"].select, "all", problem(), 5, seed=0, noise=1.0)
    with pytest.raises(ValueError, match=r"random has no option 'noise'\. It has: none"):
        METHODS["random"].parse({"noise": 1.0})


def test_a_record_cannot_have_noise_of_its_own_nor_value_what_there_is_not():
    def own(problem, budget, *, seed, noise: bool = True): ...

    with pytest.raises(ValueError, match="has an option noise, as all methods with values"):
        Method(own)
    with pytest.raises(ValueError, match=r"values 'some'\. It can be: all, chosen, none"):
        Method(METHODS["random"].select, valued="some")
