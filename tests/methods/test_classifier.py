import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select


def problem(candidates, targets):
    pool, target = (Corpus.from_texts([f"{side} {row}" for row in range(len(of))]) for side, of in
                    (("pool", candidates), ("target", targets)))  # fmt: skip
    return Problem(pool, target, lambda of: candidates if of is pool else targets)


def clouds(seed=0):
    """Returns a pool, N(0, I), and a target, N(c, I), whose log density ratio is c.x less a constant."""
    rng = np.random.default_rng(seed)
    centre = np.array([1.0, -0.5, 0, 0, 0])
    return rng.normal(size=(4000, 5)).astype(np.float32), (centre + rng.normal(size=(800, 5))).astype(np.float32), centre


def test_values_are_the_log_density_ratio_of_two_normal_laws():
    pool, target, centre = clouds()
    values = select("classifier", problem(pool, target), 10, seed=0, penalty=1e-3).values
    slope, constant = np.polyfit(pool @ centre, -values, 1)
    assert slope == pytest.approx(1, abs=0.1) and constant == pytest.approx(-(centre @ centre) / 2, abs=0.1)
    assert np.corrcoef(pool @ centre, -values)[0, 1] > 0.98


def test_a_sample_of_the_pool_ranks_as_the_whole():
    pool, target, _ = clouds(1)
    whole, few = (select("classifier", problem(pool, target), 100, seed=3, sample=size) for size in (4000, 1500))
    assert (whole.info["pool_sample"], few.info["pool_sample"]) == (4000, 1500)
    assert np.corrcoef(whole.values, few.values)[0, 1] > 0.97


def test_units_of_a_dimension_do_not_matter():
    pool, target, _ = clouds(2)
    scale = np.float32([1, 100, 0.01, 1, 1])
    first, second = (select("classifier", problem(pool * by, target * by), 50, seed=0).rows for by in (np.float32(1), scale))
    assert len(np.intersect1d(first, second)) >= 49


def test_no_sample_and_no_penalty_are_refused():
    pool, target, _ = clouds()
    for options in ({"sample": 0}, {"penalty": 0.0}):
        with pytest.raises(ValueError, match="The first is at least 1, the second above 0"):
            select("classifier", problem(pool, target), 5, seed=0, **options)
