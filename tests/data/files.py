"""Small files in every format that the readers know, and what reading a bad one raises."""

import bz2
import gzip
import json
import lzma

import pyarrow as pa
import pyarrow.parquet
import pytest

TEXTS = ["plain", "two words", "é 中 😀", "  edges  ", 'quote " and \\ slash']


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


COMPRESS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


def json_lines(rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def content_of(suffix: str, texts=TEXTS) -> bytes:
    if suffix in (".txt", ".text"):
        return "".join(f"{text}\n" for text in texts).encode()
    return json_lines({"text": text, "other": number} for number, text in enumerate(texts))


def write_parquet(path, **columns):
    pyarrow.parquet.write_table(pa.table(columns), path, row_group_size=2)


def refused(message: str):
    return pytest.raises(ValueError, match=message)
