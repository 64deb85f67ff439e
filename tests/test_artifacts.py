import json
import os
import signal
import subprocess
import sys
import time

import pytest

from gotd_jax.artifacts import fingerprint, read_json, seconds_of, stage, turn, whole_file, whole_folder, write_json


def test_stage_is_made_once(tmp_path):
    made = []

    def make(folder):
        made.append(folder)
        (folder / "content").write_text("x")

    first = stage(tmp_path / "a", {"n": 1}, make)
    second = stage(tmp_path / "a", {"n": 1}, make)
    assert first == second == tmp_path / "a"
    assert len(made) == 1
    assert (first / "content").read_text() == "x"
    assert seconds_of(first).keys() == {f"{tmp_path.name}/a"}


def test_seconds_are_told_apart_by_stage_whether_it_was_made_for_this_one_or_before(tmp_path):
    def lasting(seconds, *inside):
        def make(folder):
            for name, made in inside:
                stage(tmp_path / name, {}, made)
            time.sleep(seconds)

        return make

    deep, shared = ("deep", lasting(0.2)), ("shared", lasting(0.4))
    stage(tmp_path / "first", {}, lasting(0.1, ("middle", lasting(0.0, deep)), shared))
    second = stage(tmp_path / "second", {}, lasting(0.0, shared))
    name = tmp_path.name
    found = seconds_of(tmp_path / "first")
    assert list(found) == [f"{name}/deep", f"{name}/middle", f"{name}/shared", f"{name}/first"]
    assert list(found.values()) == pytest.approx([0.2, 0.0, 0.4, 0.1], abs=0.09)
    assert seconds_of(second) == {f"{name}/shared": found[f"{name}/shared"], f"{name}/second": pytest.approx(0.0, abs=0.09)}


def test_a_stage_that_failed_takes_no_time_of_the_next(tmp_path):
    def fail(folder):
        raise KeyboardInterrupt

    def outer(folder):
        with pytest.raises(KeyboardInterrupt):
            stage(tmp_path / "inner", {}, fail)

    stage(tmp_path / "outer", {}, outer)
    assert seconds_of(tmp_path / "outer").keys() == {f"{tmp_path.name}/outer"}


def test_stage_of_other_settings_is_refused_by_name_and_left_alone(tmp_path):
    stage(tmp_path / "a", {"n": 1, "same": 0}, lambda folder: (folder / "content").write_text("x"))
    with pytest.raises(ValueError, match=r"other settings: n was 1, now 2\. Delete it"):
        stage(tmp_path / "a", {"n": 2, "same": 0}, lambda folder: None)
    assert (tmp_path / "a" / "content").read_text() == "x"


def test_stage_that_failed_is_absent_and_goes_on_from_what_it_had(tmp_path):
    def stop(folder):
        (folder / "half").write_text("1")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path / "a", {"n": 1}, stop)
    assert not (tmp_path / "a").exists()

    def go_on(folder):
        assert (folder / "half").read_text() == "1"

    assert stage(tmp_path / "a", {"n": 1}, go_on).exists()


def test_partial_stage_of_other_settings_is_not_gone_on_with(tmp_path):
    def stop(folder):
        (folder / "half").write_text("1")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path / "a", {"n": 1}, stop)
    folder = stage(tmp_path / "a", {"n": 2}, lambda folder: None)
    assert not (folder / "half").exists()


AT_ONCE = """
import sys, time
from pathlib import Path
from gotd_jax.artifacts import stage
folder, going = Path(sys.argv[1]), Path(sys.argv[2])
def make(partial):
    going.open("a").write("made\\n")
    time.sleep(0.5)
    (partial / "content").write_text("whole")
print((stage(folder, {"n": 1}, make) / "content").read_text())
"""


def test_processes_that_want_a_stage_at_once_make_it_once(tmp_path):
    command = [sys.executable, "-c", AT_ONCE, tmp_path / "stage", tmp_path / "going"]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [child.communicate(timeout=60)[0] for child in children] == ["whole\n"] * 4
    assert (tmp_path / "going").read_text() == "made\n"
    assert sorted(os.listdir(tmp_path)) == ["going", "stage"]


def test_a_folder_that_goes_as_it_is_looked_for_is_looked_for_again(tmp_path, monkeypatch):
    make, refusals = os.mkdir, iter([FileExistsError])

    def finds_one_that_goes(*arguments):
        for refusal in refusals:
            raise refusal
        make(*arguments)

    monkeypatch.setattr(os, "mkdir", finds_one_that_goes)
    with turn(tmp_path / "wanted"):
        assert (tmp_path / "wanted").is_dir()


def test_a_turn_at_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError), turn(tmp_path / "file"):
        pass


def test_a_stage_whose_maker_was_killed_is_made_by_who_waits(tmp_path):
    command = [sys.executable, "-c", AT_ONCE.replace("0.5", "60"), tmp_path / "stage", tmp_path / "going"]
    killed = subprocess.Popen(command)
    while not (tmp_path / "going").exists():
        assert killed.poll() is None
        time.sleep(0.02)
    command = [sys.executable, "-c", AT_ONCE, tmp_path / "stage", tmp_path / "going"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as waiting:
        assert "Another process is making stage; this one waits" in waiting.stderr.readline()
        killed.kill()
        assert waiting.communicate(timeout=60)[0] == "whole\n"
    assert killed.wait() == -signal.SIGKILL


def test_folder_that_is_no_stage_is_refused(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(ValueError, match="is no stage of ours"):
        stage(tmp_path / "mine", {}, lambda folder: None)


def test_interrupted_file_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as partial:
        partial.write_text("new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_json_comes_back(tmp_path):
    write_json(tmp_path / "deep" / "a.json", {"ü": [1, None]})
    assert read_json(tmp_path / "deep" / "a.json") == {"ü": [1, None]}
    assert json.loads((tmp_path / "deep" / "a.json").read_text(encoding="utf-8"))


def test_fingerprint_ignores_the_order_of_keys_and_nothing_else():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1, "b": 2}) != fingerprint({"a": 2, "b": 1})


def test_a_folder_is_whole_or_absent(tmp_path):
    with whole_folder(tmp_path / "deep" / "made") as partial:
        (partial / "text").write_text("all")
        assert not (tmp_path / "deep" / "made").exists()
    assert (tmp_path / "deep" / "made" / "text").read_text() == "all"
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "other") as partial:
        (partial / "text").write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


def test_a_whole_folder_takes_no_other_ones_place(tmp_path):
    with pytest.raises(OSError, match="not empty"), whole_folder(tmp_path / "made") as partial:
        (partial / "text").write_text("second")
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "text").write_text("first")
    assert (tmp_path / "made" / "text").read_text() == "first" and len(list(tmp_path.iterdir())) == 1
