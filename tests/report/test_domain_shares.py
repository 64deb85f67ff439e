import numpy as np
import pytest

from gotd_jax.report import domain_shares


def row(method, epsilon, cats, dogs, pool=(99, 1)):
    selected = {name: count for name, count in (("dogs", dogs), ("cats", cats)) if count}
    of_pool = dict(zip(("cats", "dogs"), pool))
    return {
        "method": method,
        "epsilon": epsilon,
        "selected": selected,
        "pool": of_pool,
        "target_domains": {"dogs": 5, "cats": 5},
    }


def test_shares_are_of_pool_target_and_every_line_its_seeds_added_up():
    made = domain_shares.make([row("random", None, 4, 0), row("got_d", 0.1, 1, 3), row("got_d", 0.1, 0, 4)], "epsilon")
    assert made.lines == ("(the pool)", "(the target)", "random", "got_d, epsilon 0.1")
    np.testing.assert_allclose(made.percent, [[99, 1], [50, 50], [100, 0], [12.5, 87.5]])
    assert made.chunks.tolist() == [100, 10, 4, 8]


def test_a_target_of_no_domain_of_the_pool_is_no_line():
    assert "(the target)" not in domain_shares.make([row("random", None, 4, 0) | {"target_domains": {"": 9}}], "epsilon").lines


def test_results_of_two_pools_are_refused():
    with pytest.raises(ValueError, match="the results are of 2"):
        domain_shares.make([row("random", None, 4, 0), row("random", None, 4, 0, pool=(50, 50))], "epsilon")


def test_text_and_markdown_have_a_line_each():
    made = domain_shares.make([row("got_d", 0.1, 1, 3)], "epsilon")
    assert domain_shares.text(made).splitlines()[-1] == "got_d, epsilon 0.1  25.0  75.0       4"
    assert domain_shares.markdown(made).splitlines()[-1] == "| got_d, epsilon 0.1 | 25.0 | 75.0 | 4 |"


def test_bars_are_as_long_as_the_shares():
    axes = domain_shares.plot(domain_shares.make([row("got_d", 0.1, 1, 3)], "epsilon")).axes[0]
    widths = [[bar.get_width() for bar in bars] for bars in axes.containers]
    np.testing.assert_allclose(widths, [[99, 50, 25], [1, 50, 75]])
    np.testing.assert_allclose([bar.get_x() for bar in axes.containers[1]], [99, 50, 25])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["(the pool)", "(the target)", "got_d, epsilon 0.1"]


def test_shares_are_of_all_cells_of_a_method_and_methods_that_select_nothing_have_no_line():
    pool = {"news": 30, "law": 10}
    rows = [
        {"method": "none", "pool": pool, "selected": {}},
        {"method": "got_d", "pool": pool, "selected": {"law": 3, "news": 1}},
        {"method": "got_d", "pool": pool, "selected": {"law": 4}},
    ]
    lines = [line.split() for line in domain_shares.by_method(rows).splitlines()]
    assert lines == [["selected", "from,", "%", "news", "law"], ["(the", "pool)", "75.0", "25.0"], ["got_d", "12.5", "87.5"]]


def test_each_task_has_lines_of_its_own_where_asked_for():
    pool = {"news": 30, "law": 10}
    rows = [{"method": "got_d", "task": task, "pool": pool, "selected": {"law": count}} for task, count in (("a", 3), ("b", 4))]
    lines = domain_shares.by_method(rows, by_task=True).splitlines()
    assert [line.split()[:2] for line in lines[2:]] == [["a,", "got_d"], ["b,", "got_d"]]
