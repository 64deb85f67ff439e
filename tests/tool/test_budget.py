import re

import pytest

from gotd_jax.tool.budget import Budget


def test_a_budget_is_read_as_it_is_written():
    cases = [
        ("50_000", 50_000, "chunks"),
        ("50,000", 50_000, "chunks"),
        ("50k", 50_000, "chunks"),
        (7, 7, "chunks"),
        ("2M-tokens", 2_000_000, "tokens"),
        ("1.5m tokens", 1_500_000, "tokens"),
        ("1B-tokens", 10**9, "tokens"),
        ("1.5%", 1.5, "%"),
        (".5%", 0.5, "%"),
        ("1.125%", 1.125, "%"),
        ("1,000.5k", 1_000_500, "chunks"),
        ("0.125k", 125, "chunks"),
        ("2.3M-tokens", 2_300_000, "tokens"),
        ("1,234,567", 1_234_567, "chunks"),
    ]
    for written, amount, unit in cases:
        assert Budget.parse(written) == Budget(amount, unit), (written, amount)


def test_what_is_no_budget_is_refused_with_how_to_write_one(subtests):
    cases = [
        *("", "many", "0", "-5", "1.5", "101%", "0%", "5 pounds", "1.0000001k", "tokens"),
        *(
            "nan",
            "inf",
            "1e3",
            "１００",
            "١٠٠",
            "50 000",
            "5 0%",
            "+5",
            "0x10",
            "9" * 400,
            "9007199254740993 tokens",
            "5,",
            "--5",
            "1/2",
        ),
    ]
    for written in cases:
        with subtests.test(written=written), pytest.raises(ValueError, match=r"The budget .* is no(t| amount)"):
            Budget.parse(written)


def test_what_has_two_readings_is_refused_with_both(subtests):
    cases = [
        ("1,5%", "1.5% or 15%"),
        ("2,5M-tokens", "2,500,000 tokens or 25,000,000 tokens"),
        ("50.000", "50 chunks or 50,000 chunks"),
        ("1.125M tokens", "1,125,000 tokens or 1,125,000,000 tokens"),
        ("0,5k", "500 chunks or 5,000 chunks"),
        ("5,00", "5 chunks or 500 chunks"),
        ("1_00", "1 chunks or 100 chunks"),
        ("1,00,000", "100 chunks or 100,000 chunks"),
        ("1,0000", "1 chunks or 10,000 chunks"),
        ("0,500", "0.5 chunks or 500 chunks"),
        (",5%", "0.5% or 5%"),
        ("1.000.000", "1,000 chunks or 1,000,000 chunks"),
        ("1.000,5", "1,000.5 chunks or 10,005 chunks"),
        ("1,000_000", "1,000 chunks or 1,000,000 chunks"),
        ("5__0", "5 chunks or 50 chunks"),
        ("1,500%", "1.5% or 1,500%"),
    ]
    for written, meant in cases:
        with (
            subtests.test(written=written),
            pytest.raises(ValueError, match=re.escape(f"has more than one reading: it may be {meant}.")),
        ):
            Budget.parse(written)


def test_a_share_of_a_small_pool_is_at_least_one_chunk():
    assert [Budget(1.0, "%").chunks_of(size) for size in (10, 1_000)] == [1, 10]
