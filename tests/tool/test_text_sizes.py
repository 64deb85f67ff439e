"""What a source holds: exact where it is small, close where it is estimated from the beginnings of its files."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from gotd_jax.data.chunks import chunk
from gotd_jax.data.readers import read
from gotd_jax.tool import text_sizes

RNG = np.random.default_rng(0)
WORDS = [RNG.bytes(3).hex() for _ in range(5000)]
ROWS = [{"text": " ".join(RNG.choice(WORDS, length))} for length in RNG.integers(5, 200, 3000)]


def write(folder, name):
    """Writes the rows as a file of the kind that its name tells."""
    path, lines = folder / name, "".join(json.dumps(row) + "\n" for row in ROWS)
    if name.endswith(".parquet"):
        pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=100)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(lines.encode(), mtime=0))
    elif name.endswith(".zst"):
        with pa.output_stream(str(path), compression="zstd") as stream:
            stream.write(lines.encode())
    else:
        path.write_text("".join(row["text"] + "\n" for row in ROWS) if name.endswith(".txt") else lines)
    return str(path)


def beginnings(*places):
    return text_sizes.read_beginnings([(f"source {number}", str(place)) for number, place in enumerate(places)], 300)


def total(readings, of):
    return sum(of(reading) / reading.share for reading in readings)


@pytest.mark.parametrize("name", ["pool.jsonl", "pool.jsonl.gz", "pool.jsonl.zst", "pool.parquet", "pool.txt"])
def test_a_small_file_is_counted_and_a_large_one_estimated_from_its_beginning(tmp_path, monkeypatch, name):
    path = write(tmp_path, name)
    (whole,) = beginnings(path)
    exact = chunk(read(path), 300)
    assert (whole.texts, len(whole.chunks), whole.share) == (3000, len(exact), 1.0)
    monkeypatch.setattr(text_sizes, "COUNTED_BYTES", (tmp_path / name).stat().st_size // 4)
    readings = beginnings(path)
    assert readings[0].texts < 2900 and readings[0].share < 1
    assert total(readings, lambda reading: reading.texts) == pytest.approx(3000, rel=0.1)
    assert total(readings, lambda reading: len(reading.chunks)) == pytest.approx(len(exact), rel=0.1)


def test_of_many_files_a_few_are_looked_into_and_each_source_by_itself(tmp_path, monkeypatch):
    for number in range(40):
        lines = "".join(json.dumps(row) + "\n" for row in ROWS[number * 75 : number * 75 + 75])
        (tmp_path / f"part-{number:02d}.jsonl").write_text(lines)
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "a.txt").write_text("one\n\ntwo\n")
    monkeypatch.setattr(text_sizes, "COUNTED_BYTES", 400_000)
    monkeypatch.setattr(text_sizes, "BYTES_OF_A_FILE", 10_000)
    large, small = beginnings(tmp_path / "part-*", tmp_path / "small")
    assert 0 < large.share < 16 / 40 + 0.05 and large.texts / large.share == pytest.approx(3000, rel=0.15)
    assert (small.texts, small.share) == (2, 1.0)


def test_a_file_of_one_long_line_is_read_to_its_end(tmp_path, monkeypatch):
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps({"text": "wave " * 50_000}))
    monkeypatch.setattr(text_sizes, "COUNTED_BYTES", 1000)
    (reading,) = beginnings(path)
    assert (reading.texts, reading.share) == (1, 1.0)


def test_what_a_library_keeps_is_counted_to_the_end(tmp_path, monkeypatch):
    import datasets

    datasets.disable_progress_bars()
    datasets.Dataset.from_list(ROWS[:60]).save_to_disk(tmp_path / "saved")
    monkeypatch.setattr(text_sizes, "LIBRARY_TEXTS", 20)
    (reading,) = beginnings(tmp_path / "saved")
    assert reading.texts == 20 and reading.texts / reading.share == pytest.approx(60)


def test_a_missing_field_is_met_in_files_that_are_not_looked_into_too(tmp_path, monkeypatch):
    for number in range(5):
        (tmp_path / f"{number}.jsonl").write_text(json.dumps({"body" if number == 3 else "text": "wave"}) + "\n")
    monkeypatch.setattr(text_sizes, "COUNTED_BYTES", 1)
    with pytest.raises(ValueError, match=r"3\.jsonl:1 has no field 'text'"):
        beginnings(tmp_path)
