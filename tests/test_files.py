import json
import os

import pytest

from gotd_jax.files import lock, read_json, whole_file, whole_folder, write_json


def test_a_folder_that_goes_as_it_is_looked_for_is_looked_for_again(tmp_path, monkeypatch):
    make, refusals = os.mkdir, iter([FileExistsError])

    def finds_one_that_goes(*arguments):
        for refusal in refusals:
            raise refusal
        make(*arguments)

    monkeypatch.setattr(os, "mkdir", finds_one_that_goes)
    with lock(tmp_path / "wanted"):
        assert (tmp_path / "wanted").is_dir()


def test_a_file_cannot_be_locked_as_a_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError), lock(tmp_path / "file"):
        pass


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
