"""Which files a folder, a glob or a list of them is read from, and what is said of the files that are left out."""

import gzip
import hashlib
import json
import lzma
import os
import re

from gotd_jax.data.readers import describe, left_out, read, remarks
from tests.data.files import json_lines, refused, write_parquet


def make_tree(folder):
    for name in ("b/one.jsonl", "a/one.jsonl", "a/sub/two.jsonl.gz", ".hidden/x.jsonl", "notes.md"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = json_lines([{"text": name}])
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def test_folder_is_read_sorted_with_all_below_it_and_ids_tell_the_files_apart(tmp_path):
    make_tree(tmp_path)
    corpus = read(tmp_path)
    assert corpus.texts() == ["a/one.jsonl", "a/sub/two.jsonl.gz", "b/one.jsonl"]
    assert corpus.ids == [f"{name}:1" for name in corpus.texts()]


def test_globs_lists_and_paths_are_read_in_order(tmp_path, monkeypatch):
    make_tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert read("*/*.jsonl").texts() == ["a/one.jsonl", "b/one.jsonl"]
    assert read("**/*.jsonl*").texts() == ["a/one.jsonl", "a/sub/two.jsonl.gz", "b/one.jsonl"]
    corpus = read(["b/*.jsonl", tmp_path / "a" / "sub", "a/one.jsonl"])
    assert corpus.texts() == ["b/one.jsonl", "a/sub/two.jsonl.gz", "a/one.jsonl"]
    assert corpus.ids == ["b/one.jsonl:1", "a/sub/two.jsonl.gz:1", "a/one.jsonl:1"]


def test_file_whose_name_looks_like_a_glob_is_read(tmp_path):
    (tmp_path / "pool[1].txt").write_text("here", encoding="utf-8")
    assert read(tmp_path / "pool[1].txt").texts() == ["here"]


def test_empty_file_among_others_is_fine_and_nothing_but_empty_ones_is_not(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"")
    (tmp_path / "b.jsonl.gz").write_bytes(b"")
    (tmp_path / "c.jsonl").write_bytes(b"\n\n" + json_lines([{"text": " "}]))
    with refused(f"{re.escape(str(tmp_path))} is empty"):
        read(tmp_path)
    with refused("is empty"):
        read([])
    (tmp_path / "d.jsonl").write_bytes(json_lines([{"text": "text"}]))
    assert read(tmp_path).texts() == ["text"]


def make_mixed(folder):
    for name in ("part-0.jsonl", "part-1.jsonl.xz", "LICENSE.txt", "notes.txt", "part-2.csv", "part-3.jsonl.gz.incomplete"):
        content = json_lines([{"text": name}])
        (folder / name).write_bytes(lzma.compress(content) if name.endswith(".xz") else content)
    (folder / "README.md").write_text("text")
    (folder / ".part-4.jsonl.Xy12").write_text("text")


def test_what_of_a_folder_is_not_read_is_accounted_for_and_prose_is_no_data(tmp_path):
    make_mixed(tmp_path)
    assert read(tmp_path).texts() == ["part-0.jsonl", "part-1.jsonl.xz"]
    assert {entry.name: entry.why for entry in left_out(tmp_path)} == {
        ".part-4.jsonl.Xy12": "hidden",
        "LICENSE.txt": "about the data, by its name",
        "README.md": "about the data, by its name",
        "notes.txt": "plain text beside data",
        "part-2.csv": "of no supported format (.csv)",
        "part-3.jsonl.gz.incomplete": "of no supported format (.incomplete)",
    }
    (said,) = remarks("pool", tmp_path)
    assert re.match(r"Of the 8 files of pool, 6 \(\d\d\.\d% of the bytes\) were left out: .*part-2\.csv \(of no", said)


def test_plain_text_is_data_where_nothing_else_is_and_its_licence_is_none(tmp_path):
    for name in ("a.txt", "b.txt", "LICENSE.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text(name)
    assert read(tmp_path).texts() == read(f"{tmp_path}/*.txt").texts() == ["a.txt", "b.txt"]
    assert "LICENSE.txt (about the data, by its name), requirements-dev.txt" in remarks("pool", tmp_path)[0]
    assert read(tmp_path / "LICENSE.txt").texts() == ["LICENSE.txt"]  # which is named


def test_nothing_is_said_of_a_readme_and_hidden_files_alone_unless_they_are_much(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(json_lines([{"text": "word " * 1000}]))
    (tmp_path / "README.md").write_text("short")
    (tmp_path / ".gitattributes").write_text("short")
    assert len(left_out(tmp_path)) == 2 and remarks("pool", tmp_path) == []
    (tmp_path / ".b.jsonl").write_text("long " * 1000)
    assert ".b.jsonl (hidden)" in remarks("pool", tmp_path)[0]


def test_files_of_rows_are_data_whatever_their_names(tmp_path):
    (tmp_path / "requirements.jsonl").write_bytes(json_lines([{"text": "shall"}]))
    (tmp_path / "notice.jsonl").write_bytes(json_lines([{"text": "periods"}]))
    assert read(tmp_path).texts() == ["periods", "shall"]
    assert remarks("pool", tmp_path) == []


def test_a_glob_leaves_out_prose_as_a_folder_does_and_refuses_what_it_cannot_read(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(json_lines([{"text": "x"}]))
    (tmp_path / "notes.txt").write_text("prose")
    assert read(f"{tmp_path}/*").texts() == ["x"]
    assert [entry.name for entry in left_out(f"{tmp_path}/*")] == ["notes.txt"]
    (tmp_path / "b.csv").write_text("text\nx")
    with refused(r"b\.csv is of no supported format"):
        read(f"{tmp_path}/*")


def test_folders_behind_links_are_read_each_once(tmp_path):
    make_tree(tmp_path / "elsewhere")
    pool = tmp_path / "pool"
    (pool / "real").mkdir(parents=True)
    (pool / "real" / "x.jsonl").write_bytes(json_lines([{"text": "x"}]))
    for name, target in (("shards", "../elsewhere/a"), ("again", "real"), ("above", ".."), ("here", "."), ("gone", "nowhere")):
        (pool / name).symlink_to(target)
    corpus = read(pool)
    assert corpus.texts() == ["x", "a/one.jsonl", "a/sub/two.jsonl.gz"]
    assert corpus.ids == ["real/x.jsonl:1", "shards/one.jsonl:1", "shards/sub/two.jsonl.gz:1"]
    why = {entry.name: entry.why for entry in left_out(pool)}
    assert set(why) == {"again", "above", "here", "gone"} and why["gone"] == "a link to nothing"
    assert sorted(read(f"{pool}/real/**/*.jsonl").texts()) == ["x"]
    (pool / "real" / "loop").symlink_to(".")
    assert read(f"{pool}/real/**/*.jsonl").texts() == ["x"]


def test_splits_that_are_read_together_are_named(tmp_path):
    for name in ("train/a.parquet", "test/a.parquet"):
        (tmp_path / name).parent.mkdir()
        write_parquet(tmp_path / name, text=[name])
    assert read(tmp_path).texts() == ["test/a.parquet", "train/a.parquet"]
    assert remarks("pool", tmp_path) == [
        "pool has files of the splits test and train; all of them were read. Name the files of one if that is not meant."
    ]
    assert remarks("pool", tmp_path / "train") == []


def test_a_saved_dataset_inside_a_folder_is_asked_for_by_itself(tmp_path):
    (tmp_path / "pool" / "saved").mkdir(parents=True)
    (tmp_path / "pool" / "saved" / "state.json").write_text("{}")
    with refused(r"pool/saved is a dataset of its own"):
        read(tmp_path / "pool")


def test_a_file_that_is_named_twice_is_refused(tmp_path):
    make_tree(tmp_path)
    with refused(r"a/one\.jsonl is named twice among"):
        read([f"{tmp_path}/a/*.jsonl", tmp_path / "a"])


def test_files_of_one_name_in_several_folders_keep_their_rows_apart(tmp_path):
    make_tree(tmp_path)
    (tmp_path / "a" / "one.jsonl.gz").write_bytes(gzip.compress(json_lines([{"text": "packed"}])))
    corpus = read(f"{tmp_path}/*/one.*")
    assert corpus.ids == ["a/one.jsonl:1", "a/one.jsonl.gz:1", "b/one.jsonl:1"]


def test_description_changes_with_the_contents_and_only_then(tmp_path):
    make_tree(tmp_path)
    sources = [f"{tmp_path}/*/*.jsonl", tmp_path / "a" / "sub"]
    before = describe(sources)
    assert before == json.loads(json.dumps(describe(sources)))
    assert [entry[0].removeprefix(f"{tmp_path}/") for entry in before] == ["a/one.jsonl", "b/one.jsonl", "a/sub/two.jsonl.gz"]
    path = tmp_path / "a" / "one.jsonl"
    state = path.stat()
    path.write_bytes(json_lines([{"text": "A/one.jsonl"}]))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    after = describe(sources)
    assert after[0][:2] == before[0][:2] and after[0][2] == hashlib.sha256(path.read_bytes()).hexdigest() != before[0][2]
    assert after[1:] == before[1:]
    with refused("There is no file or folder"):
        describe(tmp_path / "missing.jsonl")
