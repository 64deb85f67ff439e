import numpy as np
import pytest

from gotd_jax.tool.budget import Budget, fitting


@pytest.mark.parametrize(
    "written, amount, unit",
    [
        ("50_000", 50_000, "chunks"),
        ("50,000", 50_000, "chunks"),
        ("50k", 50_000, "chunks"),
        (7, 7, "chunks"),
        ("2M-tokens", 2_000_000, "tokens"),
        ("1.5m tokens", 1_500_000, "tokens"),
        ("1B-tokens", 10**9, "tokens"),
        ("1.5%", 1.5, "%"),
        (".5%", 0.5, "%"),
    ],
)
def test_a_budget_is_read_as_it_is_written(written, amount, unit):
    assert Budget.parse(written) == Budget(amount, unit)


@pytest.mark.parametrize("written", ["", "many", "0", "-5", "1.5", "101%", "0%", "5 pounds", "1.0000001k", "tokens"])
def test_what_is_no_budget_is_refused_with_how_to_write_one(written):
    with pytest.raises(ValueError, match=r"The budget .* is no(t| amount)"):
        Budget.parse(written)


def test_a_share_of_a_small_pool_is_at_least_one_chunk():
    assert [Budget(1.0, "%").chunks_of(size) for size in (10, 1_000)] == [1, 10]


def test_texts_fit_up_to_the_one_that_would_exceed_the_budget():
    lengths = np.array([4, 3, 3, 5])
    assert [fitting(lengths, tokens) for tokens in (3, 4, 9, 10, 15, 99)] == [0, 1, 2, 3, 4, 4]
