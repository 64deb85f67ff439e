"""The methods that go by the domains of the pool: `dapt` and `all_domains`."""

import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select
from gotd_jax.methods.domains import rows_by_domain

DOMAINS = np.random.default_rng(0).permutation(np.repeat(["news", "papers", "reviews"], [5, 20, 40]))


def problem(home=(), domains=DOMAINS):
    pool = Corpus.from_records({"text": f"text {row}", "domain": str(domain)} for row, domain in enumerate(domains))
    return Problem(pool, Corpus.from_texts(["target"]), lambda corpus: pytest.fail("nothing is embedded"), home=home)


def counts(rows):
    return {name: int((DOMAINS[rows] == name).sum()) for name in ("news", "papers", "reviews")}


def test_rows_of_each_domain_are_where_it_stands_in_the_pool():
    halves = [problem().pool.take(np.arange(start, stop)) for start, stop in ((0, 30), (30, 65))]
    found = rows_by_domain(Corpus.concatenate(halves))  # whose column is in two chunks
    assert list(found) == list(dict.fromkeys(DOMAINS.tolist()))
    for name, rows in found.items():
        np.testing.assert_array_equal(rows, np.flatnonzero(name == DOMAINS))


def test_dapt_draws_from_the_task_s_home_only(subtests):
    cases = [["papers"], ["papers", "news", "papers"], ("papers", "poems")]
    for home in cases:
        with subtests.test(home=home):
            selection = select("dapt", problem(home), 20, seed=0)
            assert set(DOMAINS[selection.rows]) == set(home) - {"poems"}
            sizes = {"papers": 20, "news": 5}
            assert selection.info == {"home": {name: sizes[name] for name in sizes if name in home}}


def test_dapt_draws_uniformly():
    drawn = np.concatenate([select("dapt", problem(["papers"]), 5, seed=seed).rows for seed in range(200)])
    times = np.bincount(drawn, minlength=len(DOMAINS))[DOMAINS == "papers"]
    assert times.min() > 25 and times.max() < 80  # 50 each on average, with a standard deviation of 6


def test_dapt_without_a_home_is_an_error_that_says_how_to_name_one():
    with pytest.raises(ValueError, match=r"dapt reads the names .* was given none\. .*home=\[domain\]"):
        select("dapt", problem(), 5, seed=0)


def test_dapt_with_a_home_that_the_pool_lacks_is_an_error_that_lists_its_domains():
    with pytest.raises(ValueError, match=r"home is poems, .* has: \w+, \w+, \w+\."):
        select("dapt", problem(["poems"]), 5, seed=0)


def test_dapt_with_too_small_a_home_is_an_error_with_both_numbers():
    with pytest.raises(ValueError, match=r"budget is 6 chunks.*\(news\) holds 5"):
        select("dapt", problem(["news"]), 6, seed=0)


def test_all_domains_give_equally_many_and_share_what_one_that_runs_out_leaves():
    cases = [(9, (3, 3, 3)), (15, (5, 5, 5)), (25, (5, 10, 10)), (45, (5, 20, 20)), (60, (5, 20, 35))]
    for budget, expected in cases:
        assert tuple(counts(select("all_domains", problem(), budget, seed=0).rows).values()) == expected, budget


def test_all_domains_give_the_odd_text_to_a_domain_at_random():
    ordered = np.sort(DOMAINS)
    rows = [select("all_domains", problem(domains=ordered), 4, seed=seed).rows for seed in range(30)]
    given = [np.unique(ordered[found], return_counts=True) for found in rows]
    assert all(sorted(times) == [1, 1, 2] for _, times in given)
    assert {str(names[np.argmax(times)]) for names, times in given} == {"news", "papers", "reviews"}


def test_all_domains_draw_any_text_of_a_domain():
    drawn = np.concatenate([select("all_domains", problem(), 30, seed=seed).rows for seed in range(40)])
    assert set(drawn.tolist()) == set(range(len(DOMAINS)))


def test_all_domains_draw_the_same_texts_where_a_text_that_is_not_drawn_is_refused():
    whole = problem()
    drawn = select("all_domains", whole, 9, seed=0).rows
    kept = np.delete(np.arange(len(DOMAINS)), np.setdiff1d(np.arange(len(DOMAINS)), drawn)[:3])
    fewer = Problem(whole.pool.take(kept), whole.target, lambda corpus: pytest.fail("nothing is embedded"))
    assert kept[select("all_domains", fewer, 9, seed=0).rows].tolist() == drawn.tolist()


def test_all_domains_begin_a_larger_selection_with_a_smaller_one_of_the_same_seed():
    small, large = (select("all_domains", problem(), budget, seed=5).rows for budget in (7, 50))
    np.testing.assert_array_equal(small, large[:7])
