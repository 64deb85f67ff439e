import gzip

import numpy as np
import pyarrow as pa
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.readers import read, records
from tests.data.files import COMPRESS, json_lines, refused, write_parquet


def test_bad_file_is_told_in_words_and_nothing_that_existed_is_lost(tmp_path, subtests):
    cases = [
        ("a.jsonl", b'{"text": "x"}\n{"text": ', r"a\.jsonl:2 is not JSON .*one object a line"),
        ("a.jsonl", b'[\n{"text": "x"}\n]', r"a\.jsonl:1 is not JSON .*jq"),
        ("a.jsonl", b'[{"text": "x"}]', r"a\.jsonl:1 is a JSON list, not an object.*jq"),
        (
            "a.jsonl",
            b'{"body": "x", "meta": {"b": 1, "c": 2}}',
            r"a\.jsonl:1 has no field 'text'; .*: body, meta\.b, meta\.c\. .*text_field",
        ),
        ("a.jsonl", b'{"text": "x"}\n{"text": 3}', r"a\.jsonl:2 has a value of type int in the field 'text'.*text_field"),
        ("a.jsonl", b'{"text": ["x"]}', "type list"),
        ("a.txt", "caf\u00e9".encode("latin-1"), r"a\.txt:1 is not UTF-8 text: it has the byte 0xe9 at offset 3\. .*iconv"),
        ("a.txt", b"ok\n\xef\xbb\xbfok\nbad\xc3(", r"a\.txt:3 is not .* byte 0xc3 at offset 12"),
        ("a.txt", b"\xef\xbb\xbfab\xff", "byte 0xff at offset 5"),
        ("a.txt", "text".encode("utf-16-le"), "byte 0x00 at offset 1"),
        ("a.txt", "text".encode("utf-16"), "byte 0xff at offset 0"),
        ("a.txt", gzip.compress(b"text", mtime=0), r"byte 0x8b at offset 1\b.*must end in \.gz"),
        ("a.txt.gz", b"not compressed", r"a\.txt\.gz cannot be read: it is no gzip file, whatever its name says"),
        ("a.txt.zst", b"not compressed", r"a\.txt\.zst cannot be read: it is no zstd file"),
        ("a.arrow", b"not so", r"a\.arrow cannot be read as Arrow"),
        ("a.parquet", b"PAR1 not so", r"a\.parquet cannot be read as Parquet"),
        ("a.parquet", b"", r"a\.parquet cannot be read as Parquet"),
        ("a.csv", b"text\nx", r"a\.csv is of no supported format.*\.jsonl.*\.parquet.*\.gz"),
        ("a.gz", gzip.compress(b"x", mtime=0), r"a\.gz is of no supported format"),
        ("a.parquet.gz", b"x", r"a\.parquet\.gz is of no supported format"),
    ]
    for name, content, message in cases:
        with subtests.test(name=name, content=content):
            (tmp_path / name).write_bytes(content)
            path = tmp_path / "pool.arrow"
            Corpus.from_texts(["old"]).save(path)
            with refused(message):
                read(tmp_path / name, path=path)
            assert Corpus.open(path).texts() == ["old"]
            assert {file.name for file in tmp_path.iterdir()} == {name, "pool.arrow"}
            (tmp_path / name).unlink()


def test_compressed_file_cut_short_is_refused_wherever_it_is_cut(tmp_path, subtests):
    for compression in [".gz", ".bz2", ".xz", ".zst"]:
        with subtests.test(compression=compression):
            path = tmp_path / f"pool.txt{compression}"
            text = np.random.default_rng(0).integers(33, 127, 200_000).astype(np.uint8).tobytes()
            whole = COMPRESS[compression](text)
            for share in (0.0001, 0.3, 0.9, 0.9999):
                path.write_bytes(whole[: int(len(whole) * share)])
                with refused("it ends within its compressed data: it is cut short"):
                    read(path)


def test_parquet_without_the_column_lists_its_columns(tmp_path):
    write_parquet(tmp_path / "pool.parquet", body=["x"], label=[1])
    with refused(r"pool\.parquet has no field 'text'; its fields: body, label\..*text_field"):
        read(tmp_path / "pool.parquet")
    with refused("no field 'second'.*pair_field"):
        read(tmp_path / "pool.parquet", text_field="body", pair_field="second")
    with refused("no field 'key'; its fields: body, label.*id_field"):
        read(tmp_path / "pool.parquet", text_field="body", id_field="key")


def test_damaged_parquet_is_refused(tmp_path):
    path = tmp_path / "pool.parquet"
    write_parquet(path, text=[f"text {i}" for i in range(1000)])
    content = bytearray(path.read_bytes())
    content[4:2000] = bytes(1996)
    path.write_bytes(content)
    with refused("cannot be read as Parquet"):
        read(path)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_row_of_a_table_whose_bytes_are_no_text_is_named(tmp_path, kind):
    bad = pa.array([b"fine", b"also", b"caf\xe9", b"fine"]).view(pa.string())
    path = tmp_path / f"pool.{kind}"
    if kind == "parquet":
        write_parquet(path, text=bad)
    else:
        with pa.ipc.new_file(path, pa.schema([("text", pa.string())])) as file:
            file.write_table(pa.table({"text": bad}))
    with refused(rf"pool\.{kind}:3 cannot be read \('utf-8' codec can't decode"):
        read(path)


def test_row_nested_too_deeply_is_named(tmp_path):
    depth = 100_000
    (tmp_path / "pool.jsonl").write_bytes(
        json_lines([{"text": "x"}]) + b'{"text": "y", "tree": ' + b"[" * depth + b"]" * depth + b"}"
    )
    with refused(r"pool\.jsonl:2 has values within values, more deeply than can be read"):
        read(tmp_path / "pool.jsonl")


def test_only_the_default_id_may_be_missing(tmp_path):
    (tmp_path / "pool.jsonl").write_bytes(json_lines([{"text": "x"}]))
    with refused(r"pool\.jsonl:1 has no field 'key'; its fields: text\..*id_field"):
        read(tmp_path / "pool.jsonl", id_field="key")


def test_fault_in_the_beginning_of_the_last_file_is_met_before_the_first_is_read(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(json_lines([{"text": "x"}]))
    (tmp_path / "b.jsonl").write_bytes(json_lines([{"body": "x"}]))
    with refused(r"b\.jsonl:1 has no field 'text'"):
        records(tmp_path)


def test_sources_that_are_not_there_are_told(tmp_path):
    with refused("There is no file or folder .*missing.jsonl"):
        records(tmp_path / "missing.jsonl")
    with refused(r"No file matches .*\*\.jsonl"):
        records(str(tmp_path / "*.jsonl"))
    (tmp_path / "notes.md").write_text("text", encoding="utf-8")
    with refused(r"no file of a supported format; .*: \.md\. .*\.jsonl"):
        records(tmp_path)


def test_long_lists_of_fields_are_shortened(tmp_path):
    (tmp_path / "pool.jsonl").write_bytes(json_lines([{f"f{i}": i for i in range(50)}]))
    with refused("f0, .* f19 and 30 more"):
        read(tmp_path)
