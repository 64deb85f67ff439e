"""Files of text as streams of rows: one function a format, all in `FORMATS`."""

from __future__ import annotations

import io
import json
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from gotd_jax.data.fields import Fields

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
BYTES_PER_READ = 1 << 20
ROWS_PER_READ = 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def brief(error: Exception) -> str:
    """Returns the text of another library's error in one line of at most 300 characters."""
    return textwrap.shorten(str(error).strip().rstrip("."), 300, placeholder=" (...)")


def format_of(path: Path) -> Callable[[Path, Fields], Iterator[tuple[int, Mapping]]] | None:
    """Returns the function of `FORMATS` that reads `path`, chosen by the file's name; None where there is none."""
    suffix = path.suffix.lower()
    if suffix not in COMPRESSIONS:
        return FORMATS.get(suffix)
    inner = FORMATS.get(Path(path.stem).suffix.lower())
    return None if inner is parquet else inner


def json_lines(path: Path, fields: Fields) -> Iterator[tuple[int, Mapping]]:
    """Yields (line number from 1, object) for each line of a JSON Lines file; blank lines are passed over."""
    for number, line in enumerate(lines(path), 1):
        if not line or line.isspace():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(
                f"{path}:{number} is not JSON ({error}). Write one object a line; `jq -c '.[]'` makes lines of an array."
            ) from error
        if not isinstance(row, dict):
            raise ValueError(
                f"{path}:{number} is a JSON {type(row).__name__}, not an object with fields. "
                "Write one object a line; `jq -c '.[]'` makes lines of an array."
            )
        yield number, row


def parquet(path: Path, fields: Fields) -> Iterator[tuple[int, Mapping]]:
    """Yields (row number from 1, row) of a Parquet file, reading only the columns of `fields`."""
    import pyarrow.parquet

    try:
        # Buffered, so that a large row group is not held whole.
        with pyarrow.parquet.ParquetFile(path, buffer_size=BYTES_PER_READ, pre_buffer=False) as file:
            columns = fields.columns(file.schema_arrow.names, str(path))
            yield from table_rows(file.iter_batches(ROWS_PER_READ, columns=columns))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} cannot be read as Parquet ({brief(error)}). Copy or download it again.") from error


def plain_text(path: Path, fields: Fields) -> Iterator[tuple[int, Mapping]]:
    """Yields (number of its first line from 1, {text field: text}) for each line, paragraph or whole file."""
    if fields.txt == "line":
        for number, line in enumerate(lines(path), 1):
            yield number, {fields.text: line}
    elif fields.txt == "file":
        yield 1, {fields.text: "\n".join(lines(path))}
    else:
        paragraph: list[str] = []
        for number, line in enumerate(lines(path), 1):
            if line and not line.isspace():
                paragraph.append(line)
            elif paragraph:
                yield number - len(paragraph), {fields.text: "\n".join(paragraph)}
                paragraph = []
        if paragraph:
            yield number - len(paragraph) + 1, {fields.text: "\n".join(paragraph)}


FORMATS = {
    ".jsonl": json_lines,
    ".json": json_lines,
    ".ndjson": json_lines,
    ".parquet": parquet,
    ".txt": plain_text,
    ".text": plain_text,
}
SUPPORTED = f"{', '.join(FORMATS)}; all but .parquet also with {', '.join(COMPRESSIONS)} after it"


def table_rows(tables: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[tuple[int, Mapping]]:
    """Yields (row number from 1, row) over Arrow tables that follow one another."""
    yield from enumerate((row for table in tables for row in table.to_pylist()), 1)


def lines(path: Path) -> Iterator[str]:
    """Yields the lines of a UTF-8 file, compressed or not, without their ends (`\\n` or `\\r\\n`).

    Raises:
      ValueError: the file is not UTF-8 text, or is damaged or cut short.
    """
    offset = 0
    compression = COMPRESSIONS.get(path.suffix.lower())
    try:
        # Arrow goes on through the later members of a .gz and the later frames of a .zst file.
        with io.BufferedReader(pa.input_stream(str(path), compression=compression), BYTES_PER_READ) as stream:
            for line in stream:
                yield _decode(line, path, offset)
                offset += len(line)
    except (OSError, pa.ArrowException) as error:
        text = "its unpacked text" if compression else "it"
        raise ValueError(
            f"{path} cannot be read past byte {offset:,} of {text} ({error}). It may be cut short or damaged: copy it again."
        ) from error


def _decode(line: bytes, path: Path, offset: int) -> str:
    if not offset and line.startswith(BYTE_ORDER_MARK):
        line = line[len(BYTE_ORDER_MARK) :]
        offset = len(BYTE_ORDER_MARK)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_text(path, offset + error.start, line[error.start]) from error
    if b"\0" in line:  # UTF-16 of English text, and most binary files, can pass for UTF-8
        raise _not_text(path, offset + line.index(b"\0"), 0)
    return text.removesuffix("\n").removesuffix("\r")


def _not_text(path: Path, offset: int, byte: int) -> ValueError:
    return ValueError(
        f"{path} is not UTF-8 text: it has the byte 0x{byte:02x} at offset {offset:,}. If it is text, convert it with iconv; "
        f"if it is compressed, its name must end in {', '.join(COMPRESSIONS)}."
    )
