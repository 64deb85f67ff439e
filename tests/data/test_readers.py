import gzip

import datasets
import pyarrow as pa
import pyarrow.parquet
import pytest

from gotd_jax.data import formats
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.readers import read, records
from tests.data.files import COMPRESS, TEXTS, content_of, json_lines, refused, write_parquet, zstd

compressions = pytest.mark.parametrize("compression", COMPRESS)


# Formats and compressions


def test_every_format_is_read_with_every_compression(tmp_path, subtests):
    for suffix in [".jsonl", ".json", ".ndjson", ".txt", ".text", ".JSONL"]:
        for compression in COMPRESS:
            with subtests.test(suffix=suffix, compression=compression):
                path = tmp_path / f"pool.v1{suffix}{compression}"
                path.write_bytes(COMPRESS[compression](content_of(suffix)))
                corpus = read(path, domain="web")
                assert corpus.texts() == TEXTS
                assert corpus.ids == [f"{path.name}:{line}" for line in range(1, 6)]
                assert set(corpus.domains) == {"web"}


def test_all_members_of_a_compressed_file_are_read(tmp_path, subtests):
    for suffix in [".jsonl", ".txt"]:
        for compression in COMPRESS:
            with subtests.test(suffix=suffix, compression=compression):
                path = tmp_path / f"pool{suffix}{compression}"
                first, second = content_of(suffix)[:33], content_of(suffix)[33:]  # a member may end within a line
                path.write_bytes(COMPRESS[compression](first) + COMPRESS[compression](b"") + COMPRESS[compression](second))
                assert read(path).texts() == TEXTS


def test_arrow_files_and_arrow_streams_are_read(tmp_path):
    table = pa.table({"text": TEXTS, "id": range(5), "other": [[1.0]] * 5})
    for new, name in ((pa.ipc.new_file, "file.arrow"), (pa.ipc.new_stream, "stream.arrow")):
        with new(tmp_path / name, table.schema) as sink:
            sink.write_table(table, max_chunksize=2)
        corpus = read(tmp_path / name)
        assert (corpus.texts(), corpus.ids) == (TEXTS, ["0", "1", "2", "3", "4"])
        assert formats.row_count(tmp_path / name) == 5


def test_skippable_frames_of_zstd_are_passed_over(tmp_path):
    path = tmp_path / "pool.txt.zst"
    path.write_bytes(zstd(b"one\n") + b"\x50\x2a\x4d\x18\x03\x00\x00\x00xyz" + zstd(b"two\n"))
    assert read(path).texts() == ["one", "two"]


def test_parquet_is_read_over_its_row_groups(tmp_path):
    path = tmp_path / "pool.parquet"
    write_parquet(path, text=TEXTS, id=[7, 8, 9, 10, 11], other=[[1.0]] * 5)
    corpus = read(path)
    assert corpus.texts() == TEXTS
    assert corpus.ids == ["7", "8", "9", "10", "11"]


@pytest.mark.parametrize(
    "column",
    [pa.array(TEXTS, pa.large_string()), pa.array(TEXTS).dictionary_encode(), pa.array([text.encode() for text in TEXTS])],
    ids=["large", "dictionary", "bytes"],
)
def test_parquet_text_may_be_of_any_string_type(tmp_path, column):
    write_parquet(tmp_path / "pool.parquet", text=column)
    assert read(tmp_path / "pool.parquet").texts() == TEXTS


def test_lines_longer_than_the_read_buffer_are_whole(tmp_path):
    texts = ["é" * 3_000_000, "short", "x" * 1_048_576]
    (tmp_path / "pool.txt.gz").write_bytes(gzip.compress("\n".join(texts).encode()))
    assert read(tmp_path / "pool.txt.gz").texts() == texts


@pytest.mark.parametrize("suffix", [".jsonl", ".txt"])
def test_byte_order_mark_windows_ends_and_a_missing_last_end_leave_no_trace(tmp_path, suffix):
    content = content_of(suffix).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    (tmp_path / f"pool{suffix}").write_bytes(b"\xef\xbb\xbf" + content)
    assert read(tmp_path / f"pool{suffix}").texts() == TEXTS


def test_plain_text_is_one_text_a_line_a_paragraph_or_a_file(tmp_path):
    (tmp_path / "a.txt").write_text("\none\ntwo\n \nthree\n\n\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("four\n\nfive", encoding="utf-8")
    expected = {
        "line": {"a.txt:2": "one", "a.txt:3": "two", "a.txt:5": "three", "b.txt:1": "four", "b.txt:3": "five"},
        "paragraph": {"a.txt:2": "one\ntwo", "a.txt:5": "three", "b.txt:1": "four", "b.txt:3": "five"},
        "file": {"a.txt:1": "\none\ntwo\n \nthree\n\n", "b.txt:1": "four\n\nfive"},
    }
    for txt, texts in expected.items():
        corpus = read(tmp_path, txt=txt)
        assert dict(zip(corpus.ids, corpus.texts())) == texts
    assert read(tmp_path).texts() == list(expected["line"].values())
    with refused("txt is 'word'. .*line, a paragraph, a file"):
        read(tmp_path, txt="word")


# Fields


def test_fields_may_be_named_and_nested(tmp_path):
    rows = [{"meta": {"body": f"text {i}", "key": i}, "second": f"pair {i}", "text": "not this"} for i in range(3)]
    (tmp_path / "pool.jsonl").write_bytes(json_lines(rows))
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "pool.parquet")
    for name in ("pool.jsonl", "pool.parquet"):
        corpus = read(tmp_path / name, text_field="meta.body", id_field="meta.key", pair_field="second")
        assert corpus.texts() == ["text 0", "text 1", "text 2"]
        assert corpus.pairs() == ["pair 0", "pair 1", "pair 2"]
        assert corpus.ids == ["0", "1", "2"]


def test_a_field_of_a_null_one_is_null_in_every_format(tmp_path):
    rows = [
        {"meta": {"text": "a", "id": 1}},
        {"meta": None},
        {"meta": {"text": None, "id": 3}},
        {"meta": {"text": "b", "id": 4}},
    ]
    (tmp_path / "pool.jsonl").write_bytes(json_lines(rows))
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "pool.parquet")
    datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "saved")
    for name in ("pool.jsonl", "pool.parquet", "saved"):
        corpus = read(tmp_path / name, text_field="meta.text", id_field="meta.id")
        assert (corpus.texts(), corpus.ids) == (["a", "b"], ["1", "4"])
    (tmp_path / "pool.jsonl").write_bytes(json_lines([{"meta": "a text"}]))
    with refused("has no field 'meta.text'"):
        read(tmp_path / "pool.jsonl", text_field="meta.text")


def test_a_missing_text_that_was_written_as_nan_is_passed_over(tmp_path):
    (tmp_path / "pool.jsonl").write_bytes(json_lines([{"text": float("nan")}, {"text": "b"}]))
    assert read(tmp_path / "pool.jsonl").ids == ["pool.jsonl:2"]
    (tmp_path / "pool.jsonl").write_bytes(json_lines([{"text": 1.5}]))
    with refused("has a value of type float"):
        read(tmp_path / "pool.jsonl")


def test_field_whose_own_name_has_a_dot_is_found(tmp_path):
    (tmp_path / "pool.jsonl").write_bytes(json_lines([{"meta.body": "here"}]))
    write_parquet(tmp_path / "pool.parquet", **{"meta.body": ["here"]})
    assert read([tmp_path / "pool.jsonl", tmp_path / "pool.parquet"], text_field="meta.body").texts() == ["here"] * 2


def test_ids_of_the_source_are_kept_even_if_they_repeat_and_can_be_left_aside(tmp_path):
    (tmp_path / "pool.jsonl").write_bytes(
        json_lines([{"id": 5, "text": "a"}, {"id": 5, "text": "b"}, {"id": None, "text": "c"}])
    )
    assert read(tmp_path / "pool.jsonl").ids == ["5", "5", "pool.jsonl:3"]
    assert read(tmp_path / "pool.jsonl", id_field=None).ids == ["pool.jsonl:1", "pool.jsonl:2", "pool.jsonl:3"]


def test_null_and_blank_texts_are_passed_over_and_the_others_keep_their_line_numbers(tmp_path):
    texts = [None, "a", "", " \n\t", "b"]
    (tmp_path / "pool.jsonl").write_bytes(b"\n" + json_lines({"text": text} for text in texts))
    write_parquet(tmp_path / "pool.parquet", text=texts)
    assert read(tmp_path / "pool.jsonl").ids == ["pool.jsonl:3", "pool.jsonl:6"]
    assert read(tmp_path / "pool.parquet").ids == ["pool.parquet:2", "pool.parquet:5"]


def test_row_with_a_pair_but_no_text_is_kept_and_a_null_pair_is_none(tmp_path):
    (tmp_path / "pool.jsonl").write_bytes(json_lines([{"text": "", "pair": "b"}, {"text": "a", "pair": None}]))
    corpus = read(tmp_path / "pool.jsonl", pair_field="pair")
    assert list(zip(corpus.texts(), corpus.pairs())) == [("", "b"), ("a", None)]


def test_half_surrogates_become_replacement_characters(tmp_path):
    (tmp_path / "pool.jsonl").write_text(r'{"text": "a\ud800b \ud83d\ude00", "id": "\udc00"}', encoding="utf-8")
    corpus = read(tmp_path / "pool.jsonl")
    assert corpus.texts() == ["a\ufffdb 😀"]
    assert corpus.ids == ["\ufffd"]


def test_a_field_names_the_domain_of_each_row_and_null_leaves_the_sources(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(json_lines([{"text": "x", "of": {"kind": 7}}, {"text": "y", "of": {"kind": None}}]))
    assert list(read(path, domain="web", domain_field="of.kind").domains) == ["7", "web"]
    with pytest.raises(ValueError, match=r"has no field 'kind'.*Name the right one by domain_field"):
        read(path, domain_field="kind")


def test_records_are_streamed(tmp_path):
    path = tmp_path / "pool.txt"
    path.write_bytes(b"line\n" * 1_000_000 + b"\xff")
    stream = records(path)
    assert next(stream) == {"id": "pool.txt:1", "text": "line", "pair": None, "domain": ""}
    with refused("offset 5,000,000"):
        list(stream)


def test_corpus_read_to_a_file_equals_the_one_in_memory(tmp_path):
    (tmp_path / "pool.jsonl").write_bytes(content_of(".jsonl"))
    corpus = read(tmp_path / "pool.jsonl", path=tmp_path / "out" / "pool.arrow")
    assert corpus.table.equals(read(tmp_path / "pool.jsonl").table)
    assert Corpus.open(tmp_path / "out" / "pool.arrow").texts() == TEXTS
