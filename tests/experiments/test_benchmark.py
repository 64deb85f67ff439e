import functools
import json
import os

import numpy as np
import pytest

from experiments.benchmarks import debiasing, rankings, transport
from experiments.benchmarks.figure import plot
from experiments.benchmarks.measure import alone, alternated, markdown, own_processes


def test_part_is_measured_once_and_kept(tmp_path, capsys):
    transport.run(tmp_path, ["rate"], small=True)
    table = (tmp_path / "ot-rate-small" / "table.md").read_text()
    assert table in capsys.readouterr().out
    made = (tmp_path / "ot-rate-small" / "rows.json").stat().st_mtime_ns
    transport.run(tmp_path, ["rate"], small=True)
    assert (tmp_path / "ot-rate-small" / "rows.json").stat().st_mtime_ns == made
    rows = json.loads((tmp_path / "ot-rate-small" / "rows.json").read_text())
    assert [row["times the product"] for row in rows][1] == "1.00"


def test_unknown_part_is_refused(tmp_path):
    with pytest.raises(SystemExit, match=r"no part speed.*peers"):
        transport.run(tmp_path, ["speed"], small=True)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["solvers", "precisions"])
def test_agreement_of_rankings_is_shown_at_every_budget(part, tmp_path):
    (folder,) = transport.run(tmp_path, [part], small=True)
    for row in json.loads((folder / "rows.json").read_text()):
        shares = [float(value) for key, value in row.items() if key.startswith("equal rows")]
        assert len(shares) == len(rankings.BUDGETS)
        assert min(shares) >= 0.9 and float(row["rank correlation"]) > 0.999


@pytest.mark.slow
def test_a_larger_sample_stands_better_for_the_pool_whose_own_potential_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(debiasing, "SIZES", (300, 3000))
    (folder,) = transport.run(tmp_path, ["debiasing"], small=True)
    rows = json.loads((folder / "rows.json").read_text())
    assert [(row["epsilon"], row["sample"]) for row in rows] == [("1%", "2"), ("1%", "30"), ("5%", "2"), ("5%", "30")]
    for few, many in (rows[:2], rows[2:]):
        assert float(many["rank agreement of its halves"]) > float(few["rank agreement of its halves"])


def test_agreement_of_other_rankings_is_low():
    rng = np.random.default_rng(0)
    found = rankings._agreement(*rng.normal(size=(2, 5_000)))
    assert abs(float(found["rank correlation"])) < 0.1
    assert float(found["equal rows, 20.0% selected"]) == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("unmeasured", [1, 3])
def test_calls_take_turns_after_rounds_that_are_not_measured(unmeasured):
    order = []
    calls = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    seconds = alternated(calls, rounds=2, unmeasured=unmeasured)
    assert order == ["a", "b"] * (2 + unmeasured)
    assert {name: len(times) for name, times in seconds.items()} == {"a": 2, "b": 2}


def remembered(name, kept):
    calls = []

    def note():
        calls.append(os.getpid())
        kept.joinpath(f"{name}-{len(calls)}").write_text(f"{calls[0]} {calls[-1]}")

    return {"note": note}


@pytest.mark.slow
def test_each_side_makes_its_calls_in_one_process_of_its_own(tmp_path):
    with own_processes({name: functools.partial(remembered, name, tmp_path) for name in "ab"}) as call:
        seconds = alternated({name: functools.partial(call, name, "note") for name in "ab"}, rounds=1)
    assert [len(seconds[name]) for name in "ab"] == [1, 1]
    found = [set((tmp_path / f"{name}-2").read_text().split()) for name in "ab"]
    assert [len(processes) for processes in found] == [1, 1] and found[0] != found[1]
    assert str(os.getpid()) not in found[0] | found[1]


def test_function_runs_in_a_process_of_its_own():
    assert alone(divmod, 17, 5) == (3, 2)


def test_rows_become_a_table():
    assert markdown([{"a": 1, "b": "x"}]) == "| a | b |\n| --- | --- |\n| 1 | x |\n"


def test_figure_of_equal_numbers_is_the_same_file(tmp_path):
    rows = [{"solver": "s", "candidates": n, "seconds": n / 10, "memory, MB": n} for n in (10, 100)]
    for name in ("one.svg", "two.svg"):
        plot(tmp_path / name, rows)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert b"<svg" in (tmp_path / "one.svg").read_bytes()
