"""The texts of a request are those that its files hold now, and each source and its files stand in the manifest."""

import hashlib
import json
import os
import shutil

import datasets
import pytest

from gotd_jax import tool
from gotd_jax.data import readers
from gotd_jax.tool import request_texts


def test_a_field_can_name_the_domain(asked, texts, lines, tmp_path):
    rows = [json.loads(line) for name in ("sea", "law") for line in (texts / f"{name}.jsonl").read_text().splitlines()]
    pool = lines(tmp_path / "pool.jsonl", [row | {"meta": {"kind": row["id"][:3]}} for row in rows])
    chosen = tool.select(asked(pool=str(pool), domain_field="meta.kind", budget="5"), tmp_path / "chosen")
    assert chosen.manifest["pool"]["domains"] == {"sea": 60, "law": 60}


@pytest.mark.parametrize("side", ["pool", "target"])
def test_a_file_that_changes_while_it_is_read_is_noticed(asked, lines, tmp_path, monkeypatch, side):
    path = lines(tmp_path / "texts.jsonl", [f"bread and butter {number}" for number in range(9)])
    begun = readers.records

    def written_to_meanwhile(source, **fields):
        rows = list(begun(source, **fields))
        if str(source) == str(path):
            path.write_text(path.read_text().replace("bread", "bream"))
        return iter(rows)

    with monkeypatch.context() as context:
        context.setattr(readers, "records", written_to_meanwhile)
        with pytest.raises(ValueError, match="changed while it was read"):
            tool.select(asked(**{side: str(path)}, budget="3"), tmp_path / "chosen")
    assert not (tmp_path / "chosen").exists()
    if side == "pool":  # what was read is not kept under the name of what was there before
        made = tool.select(asked(pool=str(path), budget="3"), tmp_path / "chosen")
        assert all(text.startswith("bream") for text in made.table["text"].to_pylist())


def test_a_file_replaced_at_the_same_size_and_time_is_read_again_and_is_what_the_manifest_says(asked, lines, tmp_path):
    pool, sure = tmp_path / "pool.jsonl", []
    for word in ("bread", "onion"):
        lines(pool, [f"{word} and butter {number}" for number in range(30)])
        os.utime(pool, ns=(10**18, 10**18))
        made = tool.select(asked(pool=str(pool), budget="5"), tmp_path / word, work=tmp_path / "work")
        assert {text.split()[0] for text in made.table["text"].to_pylist()} == {word}
        (written,) = (file for entry in made.manifest["inputs"] if entry["side"] == "pool" for file in entry["files"])
        assert written["sha256"] == hashlib.sha256(pool.read_bytes()).hexdigest()
        sure.append((written["bytes"], request_texts.changed(made.manifest["inputs"])))
    assert sure[0] == sure[1] == (pool.stat().st_size, [])
    made = tool.Chosen(tmp_path / "bread")
    assert request_texts.changed(made.manifest["inputs"]) == [f"{pool} has changed."]


def test_a_saved_dataset_replaced_at_the_same_size_and_time_is_read_again(asked, tmp_path):
    datasets.disable_progress_bars()
    for word in ("bread", "onion"):
        shutil.rmtree(tmp_path / "saved", ignore_errors=True)
        rows = datasets.Dataset.from_dict({"text": [f"{word} and butter {number}" for number in range(30)]})
        rows.save_to_disk(tmp_path / "saved")
        for file in (tmp_path / "saved").iterdir():
            os.utime(file, ns=(10**18, 10**18))
        made = tool.select(asked(pool=str(tmp_path / "saved"), budget="5"), tmp_path / word, work=tmp_path / "work")
        assert {text.split()[0] for text in made.table["text"].to_pylist()} == {word}
        (entry,) = (entry for entry in made.manifest["inputs"] if entry["side"] == "pool")
        assert any(file["name"].endswith(".arrow") for file in entry["files"])


def test_what_is_left_out_of_a_folder_stands_in_the_manifest_its_warnings_and_the_report(asked, lines, tmp_path):
    (tmp_path / "pool").mkdir()
    lines(tmp_path / "pool" / "a.jsonl", [f"bread and butter {number}" for number in range(30)])
    (tmp_path / "pool" / "b.csv").write_text("text\nold oven\n")
    (tmp_path / "pool" / "LICENSE.txt").write_text("a licence of bread and butter\n")
    request = asked(pool=str(tmp_path / "pool"), budget="5")
    made = tool.select(request, tmp_path / "chosen")
    (entry,) = (entry for entry in made.manifest["inputs"] if entry["side"] == "pool")
    assert [left["name"] for left in entry["left_out"]] == ["LICENSE.txt", "b.csv"]
    (said,) = (warning for warning in made.manifest["warnings"] if "left out" in warning)
    assert "the source pool, 2" in said and "b.csv (of no supported format (.csv))" in said
    assert "b.csv" in (made.folder / "report.html").read_text().partition("<details")[0]
    planned = tool.plan(request)
    assert planned.left_out == 2 and said in planned.notes and "left out 2 files" in str(planned)


def test_two_files_of_one_name_are_two_sources_and_no_row_is_another(asked, lines, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        lines(tmp_path / folder / "train.jsonl", [{"id": f"{n}", "text": f"{folder} bread and butter {n}"} for n in range(9)])
    pool = [str(tmp_path / folder / "train.jsonl") for folder in ("a", "b")]
    made = tool.select(asked(pool=pool, budget="5"), tmp_path / "chosen")
    rows = {(row["domain"], row["id"]) for row in made.pool.to_pylist()}
    assert len(rows) == 18 and {source for source, _ in rows} == {"a/train", "b/train"}
