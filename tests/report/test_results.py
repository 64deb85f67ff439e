import json
import subprocess
import sys

import numpy as np
import pytest

from gotd_jax.report import results


def row(cell="a", **fields):
    return {"cell": cell, "task": "CoLA", "method": "got_d", "budget": 500, "seed": 0, "score": 0.5, **fields}


def test_rows_read_back_as_written(tmp_path):
    written = row(text="Größe\nund \u2028 mehr", seconds={"embed": 1.5}, nothing=None)
    results.write(tmp_path / "results.jsonl", written)
    assert results.read(tmp_path / "results.jsonl") == [written]


def test_a_cell_run_again_replaces_its_row(tmp_path):
    path = tmp_path / "results.jsonl"
    for score, cell in ((0.1, "a"), (0.2, "b"), (0.3, "a")):
        results.write(path, row(cell, score=score))
    assert [(found["cell"], found["score"]) for found in results.read(path)] == [("a", 0.3), ("b", 0.2)]


def test_the_order_of_rows_is_that_of_their_settings_not_of_time(tmp_path):
    rows = [
        row(f"{task}{seed}{budget}", task=task, seed=seed, budget=budget)
        for task in "rc"
        for seed in (10, 2)
        for budget in (9, 30)
    ]
    for number, order in enumerate((rows, rows[::-1])):
        for each in order:
            results.write(tmp_path / f"{number}.jsonl", each)
    found = [(each["task"], each["budget"], each["seed"]) for each in results.read(tmp_path / "0.jsonl")]
    assert found == [(task, budget, seed) for task in "cr" for budget in (9, 30) for seed in (2, 10)]
    assert (tmp_path / "0.jsonl").read_bytes() == (tmp_path / "1.jsonl").read_bytes()


def test_numpy_numbers_become_numbers(tmp_path):
    path = tmp_path / "results.jsonl"
    results.write(path, row(score=np.float32(0.25), counts=np.arange(3), where=tmp_path))
    assert results.read(path)[0] == row(score=0.25, counts=[0, 1, 2], where=str(tmp_path))


def test_a_number_that_is_not_finite_is_refused_and_the_file_left(tmp_path):
    path = tmp_path / "results.jsonl"
    results.write(path, row())
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"cell b .* not finite"):
        results.write(path, row("b", score=float("nan")))
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ["results.jsonl"]


def test_a_row_without_cell_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"needs a 'cell'.*task, score"):
        results.write(tmp_path / "results.jsonl", {"task": "CoLA", "score": 1.0})


@pytest.mark.parametrize("line", ['{"cell": "b", "sco', "[1, 2]", "", "3", "{}"])
def test_a_broken_line_is_an_error_that_names_it(tmp_path, line):
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps(row()) + "\n" + line + "\n")
    with pytest.raises(ValueError, match=r"Line 2 of .*results\.jsonl"):
        results.read(path)


WRITE_25 = """
import sys
from gotd_jax.report import results

for seed in range(25):
    results.write(sys.argv[1], {"cell": f"{sys.argv[2]}{seed}", "seed": seed})
"""


def test_processes_that_share_a_file_lose_no_row(tmp_path):
    path = tmp_path / "results.jsonl"
    runs = [subprocess.Popen([sys.executable, "-c", WRITE_25, str(path), name]) for name in "ab"]
    assert [run.wait() for run in runs] == [0, 0]
    assert len(results.read(path)) == 50


def test_provenance_names_code_versions_and_devices():
    found = results.provenance()
    assert found["device"]["devices"] >= 1 and found["device"]["kind"]
    assert {"python", "jax", "flax", "optax", "ott-jax", "numpy"} <= found["versions"].keys()
    assert found["versions"]["numpy"] == np.__version__
    assert json.loads(json.dumps(found)) == found


def test_commit_and_changes_of_a_checkout_are_told(tmp_path, monkeypatch):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "gotd_jax").mkdir()
    source = tmp_path / "gotd_jax" / "__init__.py"
    source.write_text("")
    monkeypatch.setattr(results.gotd_jax, "__file__", str(source))

    def told():
        results._code.cache_clear()
        return results.provenance()["commit"], results.provenance()["modified"]

    try:
        assert told() == (None, None)
        subprocess.run([*git, "init", "-q"], check=True)
        assert told() == (None, None)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "first"], check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        assert told() == (head, False)
        source.write_text("changed = True\n")
        assert told() == (head, True)
    finally:
        results._code.cache_clear()
