"""Files of text as streams of rows: one function a format, all in `FORMATS`."""

from __future__ import annotations

import contextlib
import io
import json
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from gotd_jax.data.decompression import COMPRESSIONS, unpacked
from gotd_jax.data.fields import Fields

BYTES_PER_READ = 1 << 20
ROWS_PER_READ = 1024
ARROW_FILE = b"ARROW1"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# The errors that other libraries raise over data that they cannot read: their own, and Python's from inside of them.
FAULTS = (pa.ArrowException, OSError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError)


def brief(error: Exception) -> str:
    """Returns the text of another library's error in one line of at most 300 characters."""
    return textwrap.shorten(str(error).strip().rstrip("."), 300, placeholder=" (...)")


def format_of(path: Path) -> Callable[[Path, Fields], Iterator[tuple[int, Mapping]]] | None:
    """Returns the function of `FORMATS` that reads `path`, chosen by the file's name; None where there is none."""
    suffix = path.suffix.lower()
    if suffix not in COMPRESSIONS:
        return FORMATS.get(suffix)
    inner = FORMATS.get(Path(path.stem).suffix.lower())
    return None if inner in TABLES else inner


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
        except RecursionError as error:
            raise ValueError(
                f"{path}:{number} has values within values, more deeply than can be read. Leave that field or the line out."
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

    buffered = {"buffer_size": BYTES_PER_READ, "pre_buffer": False}  # so that a large row group is not held whole
    with _explained(path, "Parquet"), pyarrow.parquet.ParquetFile(path, **buffered) as file:
        columns = fields.columns(file.schema_arrow.names, str(path))
        yield from table_rows(file.iter_batches(ROWS_PER_READ, columns=columns), str(path))


def arrow(path: Path, fields: Fields) -> Iterator[tuple[int, Mapping]]:
    """Yields (row number from 1, row) of an Arrow file, or of an Arrow stream as in the cache of `datasets`."""
    with _explained(path, "Arrow"), pa.memory_map(str(path)) as source:
        schema, batches = _batches(source)
        columns = fields.columns(schema.names, str(path))
        yield from table_rows((batch.select(columns) for batch in batches), str(path))


def row_count(path: Path) -> int:
    """Returns how many rows a file of one of the formats `TABLES` has, from its metadata.

    Raises:
      ValueError: it is damaged.
    """
    import pyarrow.parquet

    with _explained(path, "a table"):
        if format_of(path) is parquet:
            return pyarrow.parquet.read_metadata(path).num_rows
        with pa.memory_map(str(path)) as source:
            return sum(batch.num_rows for batch in _batches(source)[1])


def _batches(source: pa.NativeFile) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    if source.size() >= len(ARROW_FILE) and source.read(len(ARROW_FILE)) == ARROW_FILE:
        file = pa.ipc.open_file(source)
        return file.schema, map(file.get_batch, range(file.num_record_batches))
    source.seek(0)
    stream = pa.ipc.open_stream(source)
    return stream.schema, iter(stream)


@contextlib.contextmanager
def _explained(path: Path, kind: str) -> Iterator[None]:
    """A context that turns Arrow's errors over the file at `path` into a ValueError with a remedy."""
    try:
        yield
    except pa.ArrowNotImplementedError as error:
        raise ValueError(
            f"{path} is {kind} of a kind that is not read here ({brief(error)}). Write it without that, or as JSON Lines."
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} cannot be read as {kind} ({brief(error)}). Copy or download it again.") from error


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
    ".arrow": arrow,
    ".txt": plain_text,
    ".text": plain_text,
}
TABLES = (parquet, arrow)  # compressed within, if at all
SUPPORTED = f"{', '.join(FORMATS)}; all but .parquet and .arrow also with {', '.join(COMPRESSIONS)} after it"


def table_rows(tables: Iterable[pa.RecordBatch | pa.Table], place: str) -> Iterator[tuple[int, Mapping]]:
    """Yields (row number from 1, row) over Arrow tables that follow one another.

    Args:
      tables: of the same columns.
      place: names the tables in messages.

    Raises:
      ValueError: a row cannot be read, for example bytes that are not UTF-8 where the schema has strings.
    """
    before = 0
    for table in tables:
        try:
            rows = table.to_pylist()
        except FAULTS:
            rows = _one_by_one(table, place, before)
        yield from enumerate(rows, before + 1)
        before += table.num_rows


def _one_by_one(table: pa.RecordBatch | pa.Table, place: str, before: int) -> Iterator[Mapping]:
    """Yields the rows of a table up to the row that cannot be read, which the error names."""
    for row in range(table.num_rows):
        try:
            yield table.slice(row, 1).to_pylist()[0]
        except FAULTS as error:
            raise ValueError(f"{place}:{before + row + 1} cannot be read ({brief(error)}). Leave the row out.") from error


def lines(path: Path) -> Iterator[str]:
    """Yields the lines of a UTF-8 file, compressed or not, without their ends (`\\n` or `\\r\\n`).

    Raises:
      ValueError: the file is not UTF-8 text, or is damaged or cut short.
    """
    number = offset = 0
    try:
        with io.FileIO(path) as raw, io.BufferedReader(unpacked(raw, path.suffix), BYTES_PER_READ) as stream:
            for number, line in enumerate(stream, 1):
                yield _decode(line, path, number, offset)
                offset += len(line)
    except OSError as error:
        past = f" past line {number:,}" if number else ""
        raise ValueError(f"{path} cannot be read{past}: {error.strerror or error}.") from error


def _decode(line: bytes, path: Path, number: int, offset: int) -> str:
    if not offset and line.startswith(BYTE_ORDER_MARK):
        line = line[len(BYTE_ORDER_MARK) :]
        offset = len(BYTE_ORDER_MARK)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_text(path, number, offset + error.start, line[error.start]) from error
    if b"\0" in line:  # UTF-16 of English text, and most binary files, can pass for UTF-8
        raise _not_text(path, number, offset + line.index(b"\0"), 0)
    return text.removesuffix("\n").removesuffix("\r")


def _not_text(path: Path, number: int, offset: int, byte: int) -> ValueError:
    return ValueError(
        f"{path}:{number} is not UTF-8 text: it has the byte 0x{byte:02x} at offset {offset:,}. "
        "If it is text, convert it with iconv; "
        f"if it is compressed, its name must end in {', '.join(COMPRESSIONS)}."
    )
