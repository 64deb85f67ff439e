"""The share of a gap that lines close."""

import numpy as np
import pytest

from experiments import gaps
from gotd_jax.report import column_names, gap_by_value, gap_closed

TASKS, SEEDS = ("near", "far"), tuple(range(8))
GAPS = {"near": 0.1, "far": 0.4}
CLOSED = {"random": 0.0, "oracle": 1.0, "half": 0.5, "twin": 0.5, "worse": -0.2}


def rows(noise=0.0, closed=CLOSED):
    """Rows in which each line closes a known share of the gap; noise is a share of the gap as well."""
    random, made = np.random.default_rng(1), []
    for seed in SEEDS:
        for task in TASKS:
            level = random.normal(3.0, 0.3)  # replicates differ far more than lines
            for line, share in closed.items():
                loss = level - GAPS[task] * (share + noise * random.normal())
                made.append({"line": line, "task": task, "seed": seed, "measures": {column_names.loss(task): {"value": loss}}})
    return made


def make(found, **options):
    return gap_closed.make(found, floor="random", ceiling="oracle", **options)


def test_shares_are_those_that_were_put_in():
    made = make(rows())
    for place, line in enumerate(made.lines):
        np.testing.assert_allclose(made.shares[place], 100 * CLOSED[line], atol=1e-6)


def test_intervals_hold_the_truth_and_contrasts_tell_lines_apart():
    pairs = (("half", "random"), ("half", "twin"), ("worse", "random"))
    made = make(rows(noise=0.03), contrasts=pairs)
    low, high = made.interval(made.lines.index("half"), None).interval
    assert low < 50 < high < low + 15
    more, same, less = made.contrasts
    assert (more.verdict, same.verdict, less.verdict) == ("more", "equal within the margin", "less")
    assert "half - twin" in gap_closed.text(made) and "half" in gap_closed.markdown(made)


def test_only_whole_replicates_count_and_controls_have_no_gap():
    found = [row for row in rows() if (row["line"], row["seed"]) != ("half", 3)]
    assert make(found).replicates == tuple(seed for seed in SEEDS if seed != 3)
    assert make(found, control=("far",)).targets == ("near",)
    assert make([row for row in found if row["seed"] == 3]) is None


def test_a_contrast_of_no_line_is_refused():
    with pytest.raises(ValueError, match="nobody"):
        make(rows(), contrasts=(("half", "nobody"),))


def config(**changes):
    from configs import common

    made = common.get_config()
    made.gap.update({"floor": "random", "ceiling": "oracle", "untrained": "none", "placebo": "placebo", "pilot": 4, **changes})
    return made


def test_gates_are_passed_where_any_text_does_not_help_and_the_gap_is_wide():
    level = {**CLOSED, "none": -0.1, "placebo": -0.09}
    gaps.stop_unless_passed(rows(0.01, level), config())
    assert all(passed for _, passed in gaps.gates(rows(0.01, level), config()))


@pytest.mark.parametrize(("gate", "noise", "placebo"), [("A", 0.01, 0.9), ("B", 0.5, -0.09)])
def test_a_run_that_passes_a_gate_not_is_stopped_after_its_pilot(gate, noise, placebo):
    found = rows(noise, {**CLOSED, "none": -0.1, "placebo": placebo})
    with pytest.raises(RuntimeError, match=f"Gate {gate}"):
        gaps.stop_unless_passed(found, config())
    gaps.stop_unless_passed([row for row in found if row["seed"] < 3], config())  # not before
    gaps.stop_unless_passed(found, config(pilot=None))


def test_a_negative_control_tells_lines_that_are_not_random():
    found = rows(0.01)
    assert "of 4 lines" in gaps.control(found, config(control=("near",)))[0]
    said = gaps.control(found, config(control=("near",)))[0]
    assert all(line in said for line in ("oracle", "half", "twin", "worse")) and "none can" not in said
    same = rows(0.01, dict.fromkeys(CLOSED, 0.0))
    assert "none can be told from random" in gaps.control(same, config(control=("near",)))[0]


def test_purity_predicts_the_loss_where_it_does():
    found = rows(0.01)
    for row in found:
        own = max(CLOSED[row["line"]], 0.0)
        row |= {"selected": {"law": 100 * own, "mail": 100 - 100 * own}, "target_domains": {"law": 9}}
    (said,) = gaps.purity(found, config())
    correlations = [float(word.strip(".,")) for word in said.split() if word.strip(".,").replace(".", "", 1).isdigit()]
    assert len(correlations) == len(TASKS) and min(correlations) > 0.8


def by_rate(**closed):
    """Rows at two learning rates: of the higher one each line's share of the gap differs as `closed` says."""
    low = [row | {"rate": 0.1, "budget": 9} for row in rows(0.01)]
    high = [row | {"rate": 0.2, "budget": 9} for row in rows(0.01, CLOSED | closed)]
    return low + [row | ({"rate": 0.0} if row["line"] == "worse" else {}) for row in high]


def test_each_value_of_a_swept_field_has_a_gap_of_its_own():
    found = by_rate(half=0.9)
    options = {"floor": "random", "ceiling": "oracle", "contrasts": (("half", "twin"),)}
    made = gap_by_value.make(found, ("rate",), **options)
    assert made.values == ("0.1", "0.2")
    halves = [gap.interval(gap.lines.index("half"), None).difference for gap in made.gaps]
    assert halves == pytest.approx([50, 90], abs=2)
    assert [each.verdict for each in made.contrasts] == ["equal within the margin", "more"]
    alone = gap_closed.make([row for row in found if row["rate"] == 0.2], **options).contrasts[0]
    assert made.contrasts[1].p > alone.p  # of two contrasts, not of one
    assert "half at 0.2 - twin at 0.2" in gap_by_value.text(made) and "rate 0.1. Share" in gap_by_value.markdown(made)
    assert gap_by_value.make(found, ("rate", "budget"), **options).values == ("0.1, 9", "0.2, 9")


def test_the_best_value_of_a_line_is_chosen_by_the_other_replicates():
    found = by_rate(half=0.9, twin=-0.5)
    lucky = next(row for row in found if (row["line"], row["rate"], row["seed"], row["task"]) == ("twin", 0.2, 0, "near"))
    lucky["measures"][column_names.loss("near")]["value"] -= 0.2  # lower than at the other rate, where the rest is lower
    best = gap_by_value.best_of_each(gap_by_value.by_value(found, ("rate",)))
    assert {row["rate"] for row in best if row["line"] == "half"} == {0.2}
    assert {row["rate"] for row in best if row["line"] == "twin"} == {0.1}
    made = gap_by_value.make(found, ("rate",), best=True, floor="random", ceiling="oracle")
    assert made.values == ("0.1", "0.2", gap_by_value.BEST)
    assert len(made.gaps[-1].replicates) == len(SEEDS)


def test_gates_are_held_at_each_value():
    level = {**CLOSED, "none": -0.1, "placebo": -0.09}
    found = [row | {"rate": rate} for rate, noise in ((0.1, 0.01), (0.2, 0.5)) for row in rows(noise, level)]
    with pytest.raises(RuntimeError, match=r"^At rate 0\.2: Gate B"):
        gaps.stop_unless_passed(found, config(by=("rate",)))


def test_a_gap_by_a_field_that_is_not_swept_is_refused():
    made = config(by=("budget",), floor="", ceiling="", untrained="", placebo="")
    with pytest.raises(ValueError, match=r"gap\.by has budget"):
        gaps.check(made)
