import json
import shutil

import numpy as np
import pytest

from gotd_jax import tool
from gotd_jax.checksums import sha256


@pytest.fixture
def copy(chosen, tmp_path):
    return tool.Chosen(shutil.copytree(chosen.folder, tmp_path / "copy"))


def faults(selection):
    return [fault for check in tool.verify(selection) for fault in check.faults]


def rewrite(selection, change):
    """Changes the rows of the first part, and its hash in the manifest with it."""
    path = selection.folder / selection.parts[0]
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    change(rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    sign(selection, path)


def sign(selection, path):
    manifest = json.loads((selection.folder / "manifest.json").read_text())
    manifest["files"][path.name] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    (selection.folder / "manifest.json").write_text(json.dumps(manifest))


def test_what_was_just_made_is_right(chosen):
    assert len(tool.verify(chosen)) == 6 and faults(chosen) == []


def test_a_byte_that_changed_is_found(copy):
    path = copy.folder / copy.parts[0]
    path.write_bytes(path.read_bytes().replace(b"bread", b"broad", 1))
    assert faults(copy) == [f"{path.name} has other bytes than were written."]


def test_a_file_that_is_missing_and_a_part_too_many_are_found(copy):
    (copy.folder / "report.html").unlink()
    (copy.folder / "part-00009-of-00009.jsonl").write_text("{}")
    assert faults(copy) == [
        "report.html is missing.",
        "part-00009-of-00009.jsonl is not of this selection, and would be loaded with it.",
    ]


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda rows: rows[0].update(rank=5), "The ranks do not run from 0 on"),
        (lambda rows: rows[1].update(row=rows[0]["row"]), "1 chunks are chosen twice"),
        (lambda rows: rows.pop(), "The parts hold 19 chunks; the manifest says 20"),
        (lambda rows: rows[0].update(text="old bread"), "1 chunks have another text than in the pool"),
        (lambda rows: rows[0].update(id="other"), "1 chunks have another id than in the pool"),
        (lambda rows: rows[0].update(tokens=999), "tokens; the manifest says"),
        (lambda rows: rows[0].update(value=-9.0), "1 chunks have another value than in values.npy"),
    ],
)
def test_rows_that_were_changed_are_found_even_when_their_hash_was_too(copy, change, sentence):
    rewrite(copy, change)
    assert any(sentence in fault for fault in faults(tool.Chosen(copy.folder)))


def test_a_better_candidate_that_was_left_is_found_unless_noise_was_asked_for(copy):
    values = np.load(copy.folder / "values.npy")
    values[np.argmax(values)] = -100
    np.save(copy.folder / "values.npy", values)
    sign(copy, copy.folder / "values.npy")
    assert faults(tool.Chosen(copy.folder)) == ["1 candidates have lower values than the last that was chosen."]
    manifest = json.loads((copy.folder / "manifest.json").read_text())
    for part, fields in ((manifest["request"]["options"], {"noise": 0.5}), (manifest["targets"][0], {"method": {}})):
        before = dict(part)
        part.update(fields)  # with noise, or by a method that solves nothing, the lowest values need not be chosen
        (copy.folder / "manifest.json").write_text(json.dumps(manifest))
        assert faults(tool.Chosen(copy.folder)) == []
        part.clear()
        part.update(before)


def test_a_solve_that_did_not_converge_is_found(copy):
    manifest = json.loads((copy.folder / "manifest.json").read_text())
    manifest["targets"][0]["method"]["marginal_error"] = 0.25
    (copy.folder / "manifest.json").write_text(json.dumps(manifest))
    assert faults(tool.Chosen(copy.folder)) == ["For task 25.00% of the mass is misplaced; 0.10% was asked."]


def test_a_folder_without_a_selection_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"holds no manifest.json, so it is no selection"):
        tool.Chosen(tmp_path)


def test_a_replay_is_the_same_to_the_byte(chosen, tmp_path):
    assert tool.replay(chosen, tmp_path / "again") == []
    names = {path.name for path in chosen.folder.iterdir()}
    assert names == {path.name for path in (tmp_path / "again").iterdir()} >= {"manifest.json", "report.html", "values.npy"}
    for name in names:
        assert (chosen.folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_a_replay_finds_the_file_that_is_another(copy):
    (copy.folder / "report.html").write_text("no report")
    sign(copy, copy.folder / "report.html")
    assert tool.replay(tool.Chosen(copy.folder)) == ["report.html"]
    assert [path.name for path in copy.folder.parent.iterdir()] == ["copy"]  # nothing of it is kept


def test_what_has_changed_since_cannot_be_replayed(asked, lines, texts, tmp_path):
    pool = lines(
        tmp_path / "pool.jsonl", [json.loads(line)["text"] for line in (texts / "food.jsonl").read_text().splitlines()]
    )
    chosen = tool.select(asked(pool=str(pool), budget="5"), tmp_path / "chosen")
    lines(pool, ["other bread"] * 9)
    with pytest.raises(ValueError, match=r"cannot be made again. .*pool.jsonl has changed."):
        tool.replay(chosen)
