"""Comparisons of the lines of a table: which pairs, over which seeds, and what is said of them."""

import csv
import io

import numpy as np
import pytest
from scipy import stats

from gotd_jax.report import comparison, comparison_table, paired_tests


def row(method, score, seed=0, task="CoLA", budget=500, **fields):
    return {"task": task, "method": method, "budget": budget, "seed": seed, "score": score, **fields}


def measured(method, value, seed=0, column="PPL ↓", error=None):
    return {"task": "t", "method": method, "budget": 500, "seed": seed, "measures": {column: {"value": value, "error": error}}}


def over_seeds(scores, task="CoLA", **fields):
    return [row(method, score, seed, task, **fields) for method, of in scores.items() for seed, score in enumerate(of)]


def pairs(comparisons):
    return [(each.reference, each.other, each.column) for each in comparisons]


NOISY = {"none": (0.50, 0.52, 0.54), "random": (0.60, 0.55, 0.57), "got_d": (0.70, 0.73, 0.75)}


def test_got_d_is_compared_with_every_other_and_the_average_comes_first():
    made = comparison.compare(over_seeds(NOISY) + over_seeds(NOISY, "RTE"))
    expected = [("got_d", other, column) for column in ("average", "CoLA", "RTE") for other in ("none", "random")]
    assert pairs(made) == expected


def test_the_last_method_is_the_reference_where_got_d_is_missing_or_another_is_named():
    rows = over_seeds({name: NOISY[name] for name in ("none", "random")})
    assert pairs(comparison.compare(rows)) == [("random", "none", "CoLA")]
    assert pairs(comparison.compare(rows, reference="none")) == [("none", "random", "CoLA")]
    with pytest.raises(ValueError, match=r"no results of the method 'dsir'.*none, random"):
        comparison.compare(rows, reference="dsir")


def test_values_are_paired_by_seed_whatever_the_order_of_the_rows():
    scores = {"none": (0.50, 0.52, 0.57), "got_d": (0.70, 0.73, 0.75)}
    (made,) = comparison.compare(over_seeds(scores))
    (shuffled,) = comparison.compare(over_seeds(scores)[::-1], reference="got_d")
    test = stats.ttest_rel(100 * np.array(scores["got_d"]), 100 * np.array(scores["none"]))
    assert made.found.p == pytest.approx(test.pvalue) == shuffled.found.p


def test_only_common_seeds_count():
    rows = [row("none", 0.5, 0), row("none", 0.4, 1), row("none", 0.9, 7)]
    rows += [row("got_d", score, seed) for score, seed in ((0.6, 0), (0.7, 1), (0.1, 8))]
    (made,) = comparison.compare(rows)
    assert made.found.seeds == 2 and made.found.difference == pytest.approx(20) and made.verdict == "untested: 2 seeds"


def test_the_average_is_paired_over_seeds_that_have_all_tasks():
    rows = over_seeds(NOISY) + over_seeds(NOISY, "RTE")[:-1]
    average = next(each for each in comparison.compare(rows) if each.other == "none")
    expected = np.array([0.70 - 0.50, 0.73 - 0.52]) * 100
    assert (average.column, average.found.seeds) == ("average", 2)
    assert average.found.difference == pytest.approx(expected.mean())
    assert average.found.spread == pytest.approx(expected.std(ddof=1))


def test_lines_are_compared_at_the_same_budget_and_none_at_every():
    rows = [row(method, 0.5, budget=budget) for method in ("random", "got_d") for budget in (500, 1000)] + [row("none", 0.4)]
    found = [(each.reference, each.other) for each in comparison.compare(rows)]
    assert found == [
        ("got_d, budget 500", "random, budget 500"),
        ("got_d, budget 500", "none"),
        ("got_d, budget 1,000", "random, budget 1,000"),
        ("got_d, budget 1,000", "none"),
    ]


def test_a_field_that_a_method_does_not_read_keeps_no_lines_apart():
    rows = [row("got_d", 0.5, epsilon=epsilon) for epsilon in (0.01, 0.1)] + [row("dsir", 0.4, epsilon=None)]
    found = [(each.reference, each.other) for each in comparison.compare(rows, by=("method", "epsilon"))]
    assert found == [("got_d, epsilon 0.01", "dsir"), ("got_d, epsilon 0.1", "dsir")]


def test_lines_of_one_method_are_compared_with_the_last():
    rows = [row("got_d", 0.5, epsilon=epsilon) for epsilon in (0.01, 0.1, 1.0)]
    found = [(each.reference, each.other) for each in comparison.compare(rows, by=("method", "epsilon"))]
    assert found == [("got_d, epsilon 1.0", "got_d, epsilon 0.01"), ("got_d, epsilon 1.0", "got_d, epsilon 0.1")]
    assert comparison.compare(rows[:1]) == ()


def test_p_is_adjusted_for_all_tests_of_the_table():
    rows = over_seeds(NOISY) + over_seeds({name: of[::-1] for name, of in NOISY.items()}, "RTE") + [row("got_d", 0.1, 9)]
    made = comparison.compare(rows)
    assert [each.p for each in made] == paired_tests.holm([each.found.p for each in made]) and len(made) == 6


@pytest.mark.parametrize(
    ("column", "verdict"), [("PPL ↓", "behind"), ("utility ↑", "ahead"), ("length", "higher"), ("boolq, calibrated ↑", "ahead")]
)
def test_the_arrow_of_a_column_says_who_is_ahead(column, verdict):
    rows = [measured(method, base + seed + 0.01 * seed**2, seed, column) for method, base in (("none", 9), ("got_d", 10))
            for seed in range(3)]  # fmt: skip
    rows[-1]["measures"][column]["value"] += 0.05
    (made,) = comparison.compare(rows)
    assert made.p < 0.05 and made.verdict == verdict
    (turned,) = comparison.compare(rows, reference="none")
    assert turned.verdict == {"behind": "ahead", "ahead": "behind", "higher": "lower"}[verdict]


def test_scores_of_tasks_are_better_when_higher():
    (made,) = comparison.compare(over_seeds({"none": (0.50, 0.52, 0.54), "got_d": (0.70, 0.73, 0.74)}))
    assert made.verdict == "ahead" and made.found.difference > 0


def test_a_difference_with_a_large_p_is_inside_the_noise():
    (made,) = comparison.compare(over_seeds({"none": (0.50, 0.52, 0.54), "got_d": (0.45, 0.60, 0.54)}))
    assert made.p > 0.05 and made.verdict == "inside the noise"


def test_what_cannot_be_tested_says_why():
    (one,) = comparison.compare([row("none", 0.5), row("got_d", 0.9)])
    (apart,) = comparison.compare([row("none", 0.5, 0), row("got_d", 0.9, 1)])
    (two,) = comparison.compare(over_seeds({"none": (0.5, 0.6), "got_d": (0.7, 0.9)}))
    (same,) = comparison.compare(over_seeds({"none": (0.5, 0.6), "got_d": (0.7, 0.8)}))
    (equal,) = comparison.compare(over_seeds({"none": (0.5, 0.6), "got_d": (0.5, 0.6)}))
    found = [each.verdict for each in (one, apart, two, same, equal)]
    assert found == [
        "untested: 1 seed",
        "untested: no seed in common",
        "untested: 2 seeds",
        "untested: the same on every seed",
        "inside the noise: equal",
    ]
    assert {each.p for each in (one, apart, two, same, equal)} == {None}


def test_a_small_difference_is_shown_to_be_below_the_margin():
    random = np.random.default_rng(0)
    scores = {"none": 0.6 + random.normal(0, 0.02, 12)}
    scores["got_d"] = scores["none"] + random.normal(0.0005, 0.004, 12)
    (wide,) = comparison.compare(over_seeds(scores))
    assert wide.margin == 1.0 and wide.p_equivalent < 0.05 < wide.p and wide.verdict == "equal within the margin"
    (narrow,) = comparison.compare(over_seeds(scores), margin=comparison.Margin(points=0.1))
    assert narrow.p_equivalent > 0.05 and narrow.verdict == "inside the noise"


def test_a_difference_that_is_found_may_still_be_below_the_margin():
    first = np.array([0.60, 0.62, 0.64, 0.61, 0.63])
    scores = {"none": first, "got_d": first + np.array([0.003, 0.0031, 0.0029, 0.003, 0.0032])}
    (made,) = comparison.compare(over_seeds(scores))
    assert made.verdict == "ahead, by less than the margin"


def test_the_margin_of_a_measure_is_a_share_of_the_others_mean():
    rows = [measured(method, value + seed**2, seed) for method, value in (("none", 40), ("got_d", 41)) for seed in range(3)]
    rows[-1]["measures"]["PPL ↓"]["value"] += 0.5
    (made,) = comparison.compare(rows, margin=comparison.Margin(points=9.0, share=0.1))
    assert made.margin == pytest.approx(0.1 * (40 + 5 / 3))
    with pytest.raises(ValueError, match=r"points is 0, share 0.1.*--config.margin"):
        comparison.Margin(points=0, share=0.1)


def test_p_of_equivalence_is_adjusted_for_all_tests_of_the_table():
    rows = over_seeds(NOISY) + over_seeds({name: of[::-1] for name, of in NOISY.items()}, "RTE")
    made = comparison.compare(rows, margin=comparison.Margin(points=30))
    assert [each.p_equivalent for each in made] == paired_tests.holm([each.found.equivalence(30) for each in made])


def test_seeds_to_settle_are_at_the_level_at_which_holm_tests():
    noisy = np.random.default_rng(1).normal(0.6, 0.02, (3, 8)) + np.array([[0.0], [0.01], [0.03]])
    made = comparison.compare(over_seeds(dict(zip(("none", "random", "got_d"), noisy))))
    levels = paired_tests.holm_levels([each.found.p for each in made])
    assert sorted(levels) == [0.025, 0.05]
    for each, level in zip(made, levels):
        assert each.settle == paired_tests.seeds_to_settle(each.found.difference, each.found.spread, level)
        if level < 0.05:
            assert each.settle > paired_tests.seeds_to_settle(each.found.difference, each.found.spread)


def prompts(method, seed=0, shift=0.0):
    """The values of 40 prompts, whose spread is far larger than the shift."""
    values = np.random.default_rng(7).uniform(0, 1, 40) + shift + np.random.default_rng([seed, len(method)]).normal(0, 0.01, 40)
    return {"PPL ↓": {f"prompt {number}": value for number, value in enumerate(values)}}


def test_lines_of_one_seed_are_paired_over_the_items_they_share():
    rows = [measured("none", 0.5), measured("random", 0.5), measured("got_d", 0.45)]
    items = {"none": prompts("none"), "random": prompts("random"), "got_d": prompts("got_d", shift=-0.05)}
    items["random"]["PPL ↓"].pop("prompt 3")
    none, random = comparison.compare(rows, items=lambda row: items[row["method"]])
    assert (none.found.items, random.found.items) == (40, 39) and none.found.seeds == 1
    assert none.found.difference == pytest.approx(-0.05, abs=0.01)
    assert none.verdict == "ahead, by items alone" and none.settle is None
    (other, _) = comparison.compare(rows)
    assert other.verdict == "untested: 1 seed"


def test_items_of_two_seeds_are_averaged_and_three_seeds_stand_for_themselves():
    def compared(seeds):
        rows = [measured(method, value, seed) for method, value in (("none", 0.5), ("got_d", 0.4)) for seed in range(seeds)]
        rows[-1]["measures"]["PPL ↓"]["value"] += 0.01
        (made,) = comparison.compare(rows, items=lambda row: prompts(row["method"], row["seed"]))
        return made.found

    means = [
        np.mean([list(prompts(method, seed)["PPL ↓"].values()) for seed in (0, 1)], axis=0) for method in ("got_d", "none")
    ]
    assert (compared(2).items, compared(2).seeds) == (40, 2)
    assert compared(2).p == pytest.approx(stats.ttest_rel(*means).pvalue)
    assert compared(3).items is None and compared(3).kind == "t"


def test_text_has_the_average_and_what_stands_out_and_tells_of_the_rest():
    random = np.random.default_rng(0)
    rows = [
        row(method, 0.5 + random.normal(0, 0.01) + (0.2 if (method, task) == ("got_d", "t3") else 0), seed, task)
        for method in ("none", "random", "dsir", "got_d")
        for task in ("t1", "t2", "t3")
        for seed in range(8)
    ]
    lines = comparison_table.text(comparison.compare(rows)).splitlines()
    assert lines[0].split("  ")[0] == "difference of"
    shown = [line.split()[:4] for line in lines[2:8]]
    assert shown == [["got_d", "-", other, column] for column in ("average", "t3") for other in ("none", "random", "dsir")]
    assert lines[8] == "" and "by bootstrap over seeds." in lines[9] and "12 tests of the table" in lines[10]
    assert lines[11].startswith("Equal within the margin: two one-sided tests at 0.05") and "below 1." in lines[11]
    assert lines[12] == "Not shown: 6 of 12 comparisons, none outside the noise; see statistics.csv."
    assert len({len(line) for line in lines[:8]}) == 1


def test_text_of_many_measures_has_the_leading_columns_that_fit_whole_and_what_stands_out():
    columns = [f"c{number} ↑" for number in range(20)]
    rows = [measured(method, 50 + (seed * place) % 3, seed) for place, method in enumerate("abcde") for seed in range(3)]
    for each in rows:
        value = each["measures"].pop("PPL ↓")["value"]
        each["measures"] = {column: {"value": value, "error": None} for column in columns}
        each["measures"]["c19 ↑"] = {
            "value": value + (100 + 0.001 * each["seed"] if each["method"] == "a" else 0),
            "error": None,
        }
    text = comparison_table.text(comparison.compare(rows, reference="a"))
    told = [line.split()[3] for line in text.splitlines()[2:] if line.startswith("a - ")]
    assert told[:28] == [f"c{number}" for number in range(7) for _ in range(4)]
    assert set(told[28:]) == {"c19"} and 28 < len(told) <= 30


def test_text_of_a_table_without_tests_is_one_sentence_that_asks_for_seeds_where_they_are_few():
    text = comparison_table.text(comparison.compare([row("none", 0.5), row("got_d", 0.9)]))
    cannot = "Differences between the lines cannot be told from noise"
    assert text == f"{cannot} (untested: 1 seed): statistics.csv. Run 3 seeds or more."
    two = comparison_table.text(comparison.compare(over_seeds({"none": (0.5, 0.6), "got_d": (0.7, 0.9)})))
    assert two == f"{cannot} (untested: 2 seeds): statistics.csv. Run 3 seeds or more."
    three = comparison_table.text(comparison.compare(over_seeds({"none": (0.5, 0.6, 0.5), "got_d": (0.5, 0.6, 0.5)})))
    assert three == f"{cannot} (inside the noise: equal): statistics.csv."
    assert comparison_table.text(()) == ""


def test_text_tells_intervals_apart_by_where_they_come_from():
    (few,) = [comparison_table.text(comparison.compare(over_seeds({"none": (0.5, 0.6, 0.5), "got_d": (0.7, 0.7, 0.8)})))]
    assert "] (t)" in few and "Student's t" in few and "bootstrap" not in few
    rows = [measured("none", 0.5), measured("got_d", 0.45)]
    items = comparison_table.text(comparison.compare(rows, items=lambda row: prompts(row["method"])))
    assert "] (items)" in items and "McNemar" in items and "over the seeds" not in items and "nothing of other seeds" in items


def test_csv_has_every_comparison_with_its_numbers():
    made = comparison.compare(over_seeds(NOISY) + over_seeds(NOISY, "RTE") + [row("alone", 0.5, 7)])
    lines = list(csv.DictReader(io.StringIO(comparison_table.csv(made))))
    assert len(lines) == 9
    first, alone = lines[0], lines[2]
    assert (first["reference"], first["other"], first["column"]) == ("got_d", "none", "average")
    assert (first["reference_mean"], first["other_mean"], first["seeds"]) == ("72.6667", "52", "3")
    assert float(first["p_equivalent_holm"]) == pytest.approx(made[0].p_equivalent, rel=1e-5) and first["margin"] == "1"
    assert float(first["p_holm"]) == pytest.approx(made[0].p, rel=1e-5) and first["interval"] == "t"
    assert alone["difference"] == alone["p"] == alone["seeds_to_settle"] == "" and alone["verdict"].startswith("untested")


def test_a_size_that_no_thousand_seeds_settle_says_so():
    (made,) = comparison.compare(over_seeds({"none": (0.5, 0.6, 0.55), "got_d": (0.6, 0.5, 0.551)}))
    assert (
        made.settle is None
        and "more than 1,000" in comparison_table.csv([made])
        and "more than 1,000" in comparison_table.text([made])
    )
