import json
import os
import signal
import subprocess
import sys
import time

import pytest

from gotd_jax import artifacts, provenance
from gotd_jax.artifacts import fingerprint, made_with, seconds_of
from gotd_jax.files import write_json

KIND = "embeddings"  # any


def stage(folder, settings, make, **options):
    return artifacts.stage(folder, settings, make, kind=KIND, **options)


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
    assert made_with(first).keys() == {f"{tmp_path.name}/a"}


def lasting(folder, seconds, *inside, step=None):
    """Returns the function that makes a stage, for which those `inside` are asked for and seconds pass."""

    def make(_):
        for other in inside:
            other()
        time.sleep(seconds)

    return lambda: stage(folder, {}, make, step=step)


def test_seconds_are_told_apart_by_the_step_that_a_stage_says_whether_it_was_made_for_this_one_or_before(tmp_path):
    shared = lasting(tmp_path / "shared", 0.4, step="embed")
    middle = lasting(tmp_path / "middle", 0.0, lasting(tmp_path / "deep", 0.2, step="embed"), step="losses")
    first = lasting(tmp_path / "first", 0.1, middle, shared, step="select")()
    second = lasting(tmp_path / "second", 0.0, shared, step="select")()
    assert seconds_of(first) == pytest.approx({"embed": 0.6, "losses": 0.0, "select": 0.1}, abs=0.09)
    assert seconds_of(second) == pytest.approx({"embed": 0.4, "select": 0.0}, abs=0.09)
    assert list(made_with(first)) == [f"{tmp_path.name}/{name}" for name in ("deep", "middle", "shared", "first")]


def test_seconds_of_a_stage_that_says_no_step_count_as_those_of_the_stage_that_asked_for_it(tmp_path):
    selected = lasting(tmp_path / "selected", 0.0, lasting(tmp_path / "unnamed", 0.2), step="select")
    scored = lasting(tmp_path / "scored", 0.0, selected, lasting(tmp_path / "other", 0.3), step="evaluate")()
    assert seconds_of(scored) == pytest.approx({"select": 0.2, "evaluate": 0.3}, abs=0.09)
    assert seconds_of(scored, besides=tmp_path / "selected") == pytest.approx({"evaluate": 0.3}, abs=0.09)
    assert seconds_of(tmp_path / "unnamed") == pytest.approx({None: 0.2}, abs=0.09)


def test_a_stage_that_failed_takes_no_time_of_the_next(tmp_path):
    def fail(folder):
        raise KeyboardInterrupt

    def outer(folder):
        with pytest.raises(KeyboardInterrupt):
            stage(tmp_path / "inner", {}, fail)

    stage(tmp_path / "outer", {}, outer)
    assert made_with(tmp_path / "outer").keys() == {f"{tmp_path.name}/outer"}


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
print((stage(folder, {"n": 1}, make, kind="embeddings") / "content").read_text())
"""


def test_processes_that_want_a_stage_at_once_make_it_once(tmp_path):
    command = [sys.executable, "-c", AT_ONCE, tmp_path / "stage", tmp_path / "going"]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [child.communicate(timeout=60)[0] for child in children] == ["whole\n"] * 4
    assert (tmp_path / "going").read_text() == "made\n"
    assert sorted(os.listdir(tmp_path)) == ["going", "stage"]


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


def test_fingerprint_ignores_the_order_of_keys_and_nothing_else():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1, "b": 2}) != fingerprint({"a": 2, "b": 1})


def made(text):
    return lambda folder: (folder / "content").write_text(text)


def raised(monkeypatch, kind, number):
    monkeypatch.setattr(provenance, "VERSIONS", provenance.VERSIONS | {kind: number})


def test_a_stage_tells_with_what_it_was_made_for_ever(tmp_path, monkeypatch):
    stage(tmp_path / "a", {}, made("x"))
    first = made_with(tmp_path / "a")[f"{tmp_path.name}/a"]
    assert first == json.loads(json.dumps(provenance.now()))
    monkeypatch.setattr(provenance, "now", lambda: {"commit": "another"})
    stage(tmp_path / "a", {}, made("y"))
    stage(tmp_path / "b", {}, lambda folder: stage(tmp_path / "a", {}, made("y")))
    assert list(made_with(tmp_path / "b").values()) == [first, {"commit": "another"}]


def test_what_an_earlier_version_made_is_made_again_with_a_sentence(tmp_path, monkeypatch, capsys):
    stage(tmp_path / "a", {}, made("old"))
    stage(tmp_path / "a", {}, made("new"))
    assert (tmp_path / "a" / "content").read_text() == "old" and capsys.readouterr().err == ""
    raised(monkeypatch, KIND, 2)
    stage(tmp_path / "a", {}, made("new"))
    assert (tmp_path / "a" / "content").read_text() == "new"
    said = capsys.readouterr().err
    assert said == f"{tmp_path / 'a'} was made by an earlier version of this code (embeddings 1, here 2) and is made again.\n"
    stage(tmp_path / "a", {}, made("newer"))
    assert (tmp_path / "a" / "content").read_text() == "new" and os.listdir(tmp_path) == ["a"]


def test_a_stage_from_before_there_were_versions_is_made_again(tmp_path, capsys):
    stage(tmp_path / "a", {}, made("old"))
    write_json(tmp_path / "a" / "made.json", {"seconds": 1.0, "asked_for": {}})
    stage(tmp_path / "a", {}, made("new"))
    assert (tmp_path / "a" / "content").read_text() == "new"
    assert capsys.readouterr().err.count("made by an earlier version") == 1


def test_what_was_made_from_a_stage_of_an_earlier_version_is_made_again_with_it(tmp_path, monkeypatch):
    def asking(text):
        def make(folder):
            inner = artifacts.stage(tmp_path / "inner", {}, made(text), kind="heads")
            (folder / "content").write_text((inner / "content").read_text())

        return make

    def content():
        return [(tmp_path / name / "content").read_text() for name in ("inner", "outer", "noted", "other")]

    def all_of(text):
        stage(tmp_path / "outer", {}, asking(text))
        stage(tmp_path / "noted", {}, lambda folder: (artifacts.note(tmp_path / "inner"), made(text)(folder)))
        stage(tmp_path / "other", {}, made(text))

    all_of("old")
    raised(monkeypatch, "heads", 2)
    all_of("new")
    assert content() == ["new", "new", "new", "old"]


def test_a_stage_of_a_later_version_is_refused_and_left_alone(tmp_path, monkeypatch):
    with monkeypatch.context() as later:
        raised(later, KIND, 3)
        stage(tmp_path / "a", {}, made("later"))
    with pytest.raises(ValueError, match=r"made by a later version of this code \(embeddings 3, here 1\)"):
        stage(tmp_path / "a", {}, made("earlier"))
    assert (tmp_path / "a" / "content").read_text() == "later"


def test_what_a_person_named_is_not_replaced(tmp_path, monkeypatch):
    stage(tmp_path / "mine", {}, made("old"), replace=False)
    raised(monkeypatch, KIND, 2)
    with pytest.raises(ValueError, match=r"earlier version of this code \(embeddings 1, here 2\).*Move it away"):
        stage(tmp_path / "mine", {}, made("new"), replace=False)
    assert (tmp_path / "mine" / "content").read_text() == "old"


def test_what_earlier_code_left_half_made_is_not_gone_on_with(tmp_path, monkeypatch):
    def stop(folder):
        (folder / "half").write_text("1")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path / "a", {}, stop)
    raised(monkeypatch, "heads", 2)  # which the stage may have read
    assert not (stage(tmp_path / "a", {}, made("whole")) / "half").exists()


def test_a_workdir_of_earlier_code_is_spoken_of_once(tmp_path, monkeypatch, capsys):
    for name in ("a", "deep/b"):
        stage(tmp_path / name, {}, made("old"))
    artifacts.say_outdated(tmp_path)
    assert capsys.readouterr().err == ""
    raised(monkeypatch, KIND, 2)
    artifacts.say_outdated(tmp_path)
    artifacts.say_outdated(tmp_path)
    stage(tmp_path / "a", {}, made("new"))
    said = capsys.readouterr().err
    assert (
        said.startswith(f"2 of 2 stages in {tmp_path} were made by an earlier version of this code") and said.count("\n") == 1
    )


def test_an_unknown_kind_or_step_of_a_stage_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no kind of stage 'tea'\. There are: domains"):
        artifacts.stage(tmp_path / "a", {}, made("x"), kind="tea")
    with pytest.raises(ValueError, match=r"no step 'brew'\. There are: embed"):
        stage(tmp_path / "a", {}, made("x"), step="brew")
