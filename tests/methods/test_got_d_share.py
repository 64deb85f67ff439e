"""GOT-D for a finite share: its own objective against other methods', and the collapse that the first order has."""

import numpy as np
import pytest

from gotd_jax import ot
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select
from tests.ot.mixtures import mixture_of_clusters

POOL, TARGETS, BUDGET = 2000, 60, 60


def problem_of(vectors, target):
    pool, texts = (Corpus.from_texts([f"{side} {row}" for row in range(len(of))]) for side, of in
                   (("pool", vectors), ("target", target)))  # fmt: skip
    return Problem(pool, texts, lambda corpus: vectors if corpus is pool else target)


@pytest.fixture(scope="module", params=range(3))
def problem(request):
    return problem_of(*mixture_of_clusters(request.param, POOL, TARGETS))


@pytest.fixture(scope="module")
def others(problem):
    """Returns the rows that other methods select."""
    return {method: select(method, problem, BUDGET, seed=0).rows for method in ("got_d", "rds_plus", "top_cosine", "random")}


def cost_of_the_mixture(problem, rows, share, epsilon):
    """Returns OT(share w + (1 - share) a, b), with w uniform over `rows`."""
    weights = np.full(POOL, (1 - share) / POOL)
    weights[rows] += share / len(rows)
    settings = {"epsilon": epsilon, "absolute": True, "solver": "semidual"}
    return ot.solve(problem.candidates, problem.targets, candidate_weights=weights, **settings).cost


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_no_other_method_has_a_lower_cost_of_the_mixture(problem, others, share):
    found = select("got_d", problem, BUDGET, seed=0, share=share)
    epsilon, scale = found.potentials.epsilon, found.potentials.mean_cost
    reached = cost_of_the_mixture(problem, found.rows, share, epsilon)
    costs = {method: cost_of_the_mixture(problem, rows, share, epsilon) for method, rows in others.items()}
    bound = found.info["cost"] - 1e-5 * scale
    assert bound <= reached <= min(costs.values()) + 1e-5 * scale, costs
    assert (reached - found.info["cost"]) / scale == pytest.approx(found.info["mixture"]["rounding"], abs=1e-4)
    if share == 0.9:
        assert reached - bound < 0.2 * (costs["got_d"] - bound)


def test_the_first_order_serves_few_targets_and_the_finite_share_all(problem):
    def far_from(rows):
        """Returns the mean squared distance of a target from the nearest that is selected."""
        costs = ((problem.targets[:, None].astype(np.float64) - problem.candidates[rows][None]) ** 2).sum(-1)
        return float(np.mean(costs.min(axis=1)))

    first, finite = (select("got_d", problem, BUDGET, seed=0, **options).rows for options in ({}, {"share": 0.9}))
    assert far_from(finite) < 0.6 * far_from(first)


def test_no_share_is_the_published_rule_and_a_vanishing_one_selects_its_rows(problem):
    published, none, vanishing = (select("got_d", problem, BUDGET, seed=0, **options)
                                  for options in ({}, {"share": 0.0}, {"share": 1e-6}))  # fmt: skip
    np.testing.assert_array_equal(published.values, none.values)
    np.testing.assert_array_equal(published.rows, vanishing.rows)
    assert published.info.keys() == none.info.keys()


def test_the_report_has_the_certificate(problem):
    info = select("got_d", problem, BUDGET, seed=0, share=0.3).info
    assert 0 < info["mixture"]["gap"] <= 1e-4 and info["marginal_error"] <= 1e-3
    assert -1e-5 < info["mixture"]["rounding"] < 0.01


def test_what_does_not_go_with_a_share_is_refused(problem):
    for options, message in (
        ({"share": 0.3, "debias": 100}, "debias is 100 and share 0.3.*Leave one of them out"),
        ({"share": 0.3, **ot.PUBLISHED}, "'published', the notebook's call"),
        ({"share": 1.5}, "share is 1.5"),
    ):
        with pytest.raises(ValueError, match=message):
            select("got_d", problem, BUDGET, seed=0, **options)
