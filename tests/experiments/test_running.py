import itertools
import json
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from experiments import domains, named_tasks, running
from experiments.cell_data import CellData, Shared
from experiments.sweep import cells_of

ROOT = Path(__file__).parents[2]


def sweep(config, **values):
    for field, chosen in values.items():
        config.sweep[field] = chosen
    return list(cells_of(config))


def test_shards_hold_every_cell_once(subtests):
    for count in [1, 2, 3, 7]:
        with subtests.test(count=count):
            shares = [running.share(range(7), f"{place}/{count}") for place in range(1, count + 1)]
            assert sorted(itertools.chain(*shares)) == list(range(7))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_shard_that_is_none_is_refused(subtests):
    for shard in ["0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1/2/3", ""]:
        with subtests.test(shard=shard), pytest.raises(ValueError, match=r"Write i/n, the i-th of n shares, as in --shard=2/4"):
            running.share(range(7), shard)


def test_more_shards_than_cells_are_refused():
    with pytest.raises(ValueError, match="has 7 cells and is split in 8"):
        running.share(range(7), "1/8")


@pytest.mark.slow
def test_shards_fill_one_table_and_say_how_far_it_is(config, tmp_path, capsys):
    cells = sweep(config, method=("none", "random"), seed=(0, 1))
    first = running.run(cells, tmp_path, shard="1/2")
    assert [(row["method"], row["seed"]) for row in first] == [("none", 0), ("none", 1)]
    whole = running.run(cells, tmp_path, shard="2/2")
    assert [(row["method"], row["seed"]) for row in whole] == [("none", 0), ("random", 0), ("none", 1), ("random", 1)]
    said = capsys.readouterr().out.splitlines()
    assert [line.split("]")[0].split(",")[0] for line in said] == ["[1/4", "[2/4", "[3/4", "[4/4"]
    assert "left] " in said[0] and "left] " not in said[1]
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "scores").rglob("*")}
    assert running.run(cells, tmp_path) == whole
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "scores").rglob("*")} == made


def test_the_time_left_is_not_reckoned_from_what_only_the_first_cells_pay():
    assert running.time_left([1000.0, 10.0, 12.0], 5) == ", 00:24 left"
    assert running.time_left([], 5) == running.time_left([1.0, 2.0], 2) == ""


@pytest.mark.slow
def test_cells_that_were_run_before_do_not_count_for_the_time_left(config, tmp_path, capsys):
    cells = sweep(config, method=("random",), seed=(0, 1, 2))
    running.run(cells[:2], tmp_path)
    capsys.readouterr()
    running.run(cells, tmp_path)
    assert "left] " not in capsys.readouterr().out  # two are read back, and after the third none is left


@pytest.mark.slow
def test_two_processes_share_a_sweep_through_the_command_and_make_nothing_twice(tmp_path):
    workdir = tmp_path / "run"
    sizes = {"pool.per_domain": 20, "budget": 8, "task.labels": 16, "task.tested": 20, "head.chunks": 8, "target.most": 8}
    command = [sys.executable, "-m", "experiments.main", "--config=configs/quickstart.py", f"--workdir={workdir}"]
    command += [f"--config.{field}={value}" for field, value in sizes.items()]
    command += ["--config.sweep.method=('none','tapt_c')", "--config.sweep.seed=(0,1)", "--config.probe=False"]
    shards = [
        subprocess.Popen([*command, f"--shard={place}/2"], cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True) for place in (1, 2)
    ]
    said = [shard.communicate() for shard in shards]
    assert [shard.returncode for shard in shards] == [0, 0], said
    rows = [json.loads(line) for line in (workdir / "results.jsonl").read_text().splitlines()]
    assert sorted((row["method"], row["seed"]) for row in rows) == list(itertools.product(("none", "tapt_c"), (0, 1)))
    embeddings = list((workdir / "embeddings").iterdir())
    assert sum(text.count("Embedded ") for _, text in said) == len(embeddings) == 3  # the pool, two targets
    assert not list(workdir.rglob("*.partial"))


def test_what_cells_share_is_read_once_for_all_of_them_and_a_problem_is_built_once_a_cell(config, tmp_path, monkeypatch):
    read = []

    def counted(owner, name):
        function = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given, **named: read.append(name) or function(*given, **named))

    for owner, name in ((named_tasks, "read"), (domains, "read"), (CellData, "without")):
        counted(owner, name)
    config.evaluation, config.task.home, config.model = "selection", ("food",), "nowhere/model"
    config.sweep.method, config.sweep.seed = ("random", "tapt_c"), (0,)
    cells, shared = list(cells_of(config)), Shared()
    running.check(config, cells, tmp_path, shared)
    assert sorted(read) == ["read"] * 2 + ["without"] * 2
    running.run(cells, tmp_path, shared)
    assert sorted(read) == ["read"] * 2 + ["without"] * 4


def test_rows_of_other_settings_in_the_workdir_are_not_taken_for_this_sweeps(config, tmp_path):
    old = running.run(sweep(config, method=("none",), seed=(0,)), tmp_path)
    config.finetune.learning_rate *= 2
    new = running.run(sweep(config, method=("none",), seed=(0,)), tmp_path)
    assert len(old) == len(new) == 1 and old[0]["cell"] != new[0]["cell"]
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 2


def test_noise_is_swept_for_methods_with_values(config):
    cells = sweep(config, method=("random", "dsir"), noise=(0.0, 0.5))
    found = [(swept["method"], swept["noise"], cell.ranking.noise) for cell, swept in cells]
    assert found == [("random", None, 0.0), ("dsir", 0.0, 0.0), ("dsir", 0.5, 0.5)]


def test_what_a_method_does_not_read_is_not_swept_for_it(config):
    config.where = (("encoder", "small", "embed.max_length", 16), ("encoder", "words", "embed.layers", 0))
    cells = sweep(
        config, method=("none", "dsir", "tapt_c", "got_d"), encoder=("small", "words"), epsilon=(0.1, 0.2), budget=(5, 9)
    )
    found = [(swept["method"], swept["encoder"], swept["epsilon"], swept["budget"]) for _, swept in cells]
    assert len(found) == len(set(found)) and set(found) == {
        ("none", None, None, 0),
        *(("dsir", None, None, budget) for budget in (5, 9)),
        *(("tapt_c", encoder, None, budget) for encoder in ("small", "words") for budget in (5, 9)),
        *(("got_d", encoder, epsilon, budget) for encoder in ("small", "words") for epsilon in (0.1, 0.2) for budget in (5, 9)),
    }
    by_settings = {(swept["method"], swept["encoder"], swept["epsilon"], swept["budget"]): cell for cell, swept in cells}
    last, first = by_settings["got_d", "words", 0.2, 9], by_settings["tapt_c", "small", None, 5]
    assert (last.embed.max_length, last.embed.layers, last.ot.epsilon, last.budget) == (32, 0, 0.2, 9)
    assert first.embed.max_length == 16 and first.embed.layers is None


def test_what_holds_for_one_value_of_a_sweep_holds_for_no_other(config):
    config.where = (("seed", 1, "finetune.epochs", 7), ("seed", 1, "task.home", ("sea",)))
    one, other = (cell for cell, _ in sweep(config, seed=(0, 1)))
    assert (one.finetune.epochs, one.task.home) == (1, ()) and (other.finetune.epochs, other.task.home) == (7, ("sea",))
    assert one.where == other.where == ()


IN_A_LOG = """
import runpy, sys
from gotd_jax import progress
progress.SECONDS = 0  # a line at every step, so that steps of seconds have theirs
runpy.run_module("experiments.main", run_name="__main__", alter_sys=True)
"""


@pytest.mark.slow
def test_every_long_step_of_a_run_into_a_log_says_how_far_it_is(tmp_path):
    sizes = {"pool.per_domain": 20, "budget": 8, "task.labels": 16, "task.tested": 20, "head.chunks": 8, "target.most": 8}
    command = [sys.executable, "-c", IN_A_LOG, "--config=configs/quickstart.py", f"--workdir={tmp_path / 'run'}"]
    command += [f"--config.{field}={value}" for field, value in sizes.items()]
    command += ["--config.sweep.method=('dsir','got_d')", "--config.sweep.seed=(0,)", "--config.probe=False"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    said = {line.split(":")[0] for line in ran.stderr.splitlines() if line.endswith((" left", " so far"))}
    steps = ("reading", "embedding", "transport", "n-grams of the pool", "pre-fine-tuning", "fine-tuning")
    assert [step for step in steps if not any(name.startswith(step) for name in said)] == [], said
    assert "left" not in ran.stdout.replace("left] ", "")
