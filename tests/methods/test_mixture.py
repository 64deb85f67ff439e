"""Mixtures of domains."""

import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select

SIZES = {"news": 300, "law": 100, "mail": 50}
POOL = Corpus.concatenate(
    [Corpus.from_texts([f"{name} {i}" for i in range(size)], domain=name) for name, size in SIZES.items()]
)
PROBLEM = Problem(POOL, POOL.take([0]), lambda corpus: np.zeros((len(corpus), 1)), home=("law", "mail"))


def counted(budget, **options):
    return POOL.take(select("mixture", PROBLEM, budget, seed=0, **options).rows).count_domains()


def test_the_oracle_takes_as_much_of_each_of_the_tasks_own_domains():
    found = counted(80)
    assert set(found) == {"law", "mail"}
    assert abs(found["law"] - found["mail"]) <= 1


@pytest.mark.parametrize("budget", [10, 50, 100])
def test_every_budget_has_the_shares_that_are_stated(budget):
    found = counted(budget, shares="news=0.6,law=0.3,mail=0.1")
    for name, share in {"news": 0.6, "law": 0.3, "mail": 0.1}.items():
        assert abs(found.get(name, 0) - share * budget) <= 1


def test_a_domain_that_is_too_small_is_named():
    with pytest.raises(ValueError, match="mail, and the pool has 50"):
        counted(140)


def test_shares_that_cannot_be_read_or_had_are_refused():
    for shares, said in (("news", "Write them"), ("news=-1", "above 0"), ("poems=1", "no domain poems")):
        with pytest.raises(ValueError, match=said):
            counted(10, shares=shares)
