import gzip
import json
import threading

import numpy as np
import pytest

from gotd_jax.files import lock
from gotd_jax.report import results


def row(cell="a", **fields):
    return {"cell": cell, "task": "CoLA", "method": "got_d", "budget": 500, "seed": 0, "score": 0.5, **fields}


def test_rows_read_back_as_written(tmp_path):
    written = row(text="Größe\nund \u2028 mehr", seconds={"embed": 1.5}, nothing=None)
    results.write(tmp_path / "results.jsonl", written)
    assert results.read(tmp_path / "results.jsonl") == [written]


def test_rows_that_are_kept_compressed_are_read_as_they_are(tmp_path):
    results.write(tmp_path / "results.jsonl", row())
    (tmp_path / "kept.jsonl.gz").write_bytes(gzip.compress((tmp_path / "results.jsonl").read_bytes()))
    assert results.read(tmp_path / "kept.jsonl.gz") == [row()]


def test_a_cell_run_again_replaces_its_row(tmp_path):
    path = tmp_path / "results.jsonl"
    for score, cell in ((0.1, "a"), (0.2, "b"), (0.3, "a")):
        results.write(path, row(cell, score=score))
    assert [(found["cell"], found["score"]) for found in results.read(path)] == [("a", 0.3), ("b", 0.2)]


def test_configs_of_one_cell_have_a_row_each(tmp_path):
    path = tmp_path / "results.jsonl"
    for score, config in ((0.1, "x"), (0.2, "y"), (0.3, "x")):
        results.write(path, row(config=config, score=score))
    assert [(found["config"], found["score"]) for found in results.read(path)] == [("x", 0.3), ("y", 0.2)]


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


def test_a_broken_line_is_an_error_that_names_it(tmp_path, subtests):
    for line in ['{"cell": "b", "sco', "[1, 2]", "", "3", "{}"]:
        with subtests.test(line=line):
            path = tmp_path / "results.jsonl"
            path.write_text(json.dumps(row()) + "\n" + line + "\n")
            with pytest.raises(ValueError, match=r"Line 2 of .*results\.jsonl"):
                results.read(path)


def test_writers_take_turns_and_lose_no_row(tmp_path):
    path = tmp_path / "results.jsonl"
    results.write(path, row("first"))
    writer = threading.Thread(target=results.write, args=(path, row("later")))
    with lock(tmp_path):
        before = path.read_text()
        writer.start()
        writer.join(0.5)
        assert writer.is_alive()
        path.write_text(before + json.dumps(row("between")) + "\n")
    writer.join(30)
    assert {each["cell"] for each in results.read(path)} == {"first", "between", "later"}


def test_rows_of_other_code_are_dropped(tmp_path):
    path = tmp_path / "results.jsonl"
    for cell, code in (("a", "of then"), ("b", "of then"), ("c", "of today")):
        results.write(path, row(cell, code=code))
    assert [found["cell"] for found in results.read(path)] == ["c"]
