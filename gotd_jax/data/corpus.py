"""`Corpus`: the one noun for text. Row i of every array about a corpus is its example i."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotd_jax.files import whole_file
from gotd_jax.progress import progress

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.large_string()),
        ("pair", pa.large_string()),  # the second sentence of a pair; null where there is none
        ("domain", pa.string()),
        ("hash", pa.binary(16)),
    ]
)
ROWS_PER_BATCH = 4096
CHARACTERS_PER_BATCH = 1 << 24  # texts as long as books would otherwise fill the memory before they are written


def content_hash(text: str, pair: str | None = None) -> bytes:
    """Returns the 16-byte hash of an example's text and pair; its id and domain do not count."""
    content = text if pair is None else f"{text}\0{pair}"
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Corpus:
    """An ordered, immutable sequence of texts with ids, domains and content hashes, in memory or mapped from a file.

    Only `take` and `concatenate` drop, reorder or join rows; both carry ids and hashes along, and copy no text.

    Args:
      table: an Arrow table of `SCHEMA`.
      rows: the table's rows that are in the corpus, int64 [n], in their order; None: all of them.
    """

    def __init__(self, table: pa.Table, rows: np.ndarray | None = None):
        if table.schema != SCHEMA:
            raise ValueError(
                f"A corpus has the columns {SCHEMA.names}, not {table.schema.names}. Read it with gotd_jax.data.readers."
            )
        self._table, self._taken = table, rows

    @classmethod
    def from_records(cls, records: Iterable[Mapping], path: str | os.PathLike | None = None) -> Corpus:
        """Returns a corpus of `records`, mappings with `text` and optionally `id`, `pair` and `domain`.

        Ids default to the row number. With `path`, rows are streamed to that Arrow file and the result maps it, so
        that a pool larger than memory can be built; if `records` raises, an earlier file at `path` stays.

        Raises:
          ValueError: a text is not a string.
        """
        batches = _batches(records)
        if path is None:
            return cls(pa.Table.from_batches(list(batches), SCHEMA))
        return _written(path, batches)

    @classmethod
    def from_texts(cls, texts: Sequence[str], *, domain: str = "") -> Corpus:
        """Returns an in-memory corpus of plain strings, with their positions as ids."""
        return cls.from_records({"text": text, "domain": domain} for text in texts)

    @classmethod
    def open(cls, path: str | os.PathLike) -> Corpus:
        """Returns the corpus in the Arrow file at `path`, mapped and not read.

        Raises:
          ValueError: the file was not written by a corpus.
        """
        try:
            return cls(pa.ipc.open_file(pa.memory_map(str(path))).read_all())
        except pa.ArrowInvalid as error:
            raise ValueError(f"{path} was not written by Corpus.save. Read other files with gotd_jax.data.readers.") from error

    def save(self, path: str | os.PathLike) -> Corpus:
        """Writes the corpus to an Arrow file, a block at a time, whole or not at all, and returns it mapped from there."""
        return _written(path, (batch for block in self._blocks(SCHEMA.names) for batch in block.to_batches()))

    def __len__(self) -> int:
        return self._table.num_rows if self._taken is None else len(self._taken)

    def __iter__(self) -> Iterator[dict]:
        for block in self._blocks(SCHEMA.names):
            yield from block.to_pylist()

    def __repr__(self) -> str:
        return f"Corpus({len(self):,} texts, {self.fingerprint})"

    @property
    def table(self) -> pa.Table:
        """All rows as an Arrow table of `SCHEMA`; of taken rows a copy in memory."""
        return self._columns(SCHEMA.names)

    @property
    def ids(self) -> list[str]:
        """The ids, in order."""
        return self.column("id").to_pylist()

    @property
    def domains(self) -> np.ndarray:
        """The domain of every row, `str [n]`."""
        return self.column("domain").to_numpy()

    @property
    def is_paired(self) -> bool:
        """Whether any row has a second sentence."""
        return self._table["pair"].null_count < self._table.num_rows and any(
            block["pair"].null_count < len(block) for block in self._blocks(["pair"])
        )

    @functools.cached_property
    def hashes(self) -> np.ndarray:
        """The content hash of every row, `V16 [n]`; equal texts have equal hashes, and np.unique and np.isin compare them.

        Not `S16`, which would drop the zero bytes that a hash ends in.
        """
        chunks = [chunk for chunk in self.column("hash").chunks if len(chunk)]
        # A chunk's second buffer is its values, 16 bytes a row.
        arrays = [np.frombuffer(chunk.buffers()[1], "V16", len(chunk), 16 * chunk.offset) for chunk in chunks]
        return np.concatenate([np.empty(0, "V16"), *arrays])

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hex digits over all ids and contents, in order."""
        digest = hashlib.sha256()
        for block in self._blocks(["id"]):
            digest.update("".join(f"{name}\0" for name in block["id"].to_pylist()).encode())
        digest.update(self.hashes.tobytes())
        return digest.hexdigest()[:16]

    @functools.cached_property
    def fingerprint_with_domains(self) -> str:
        """16 hex digits over all ids, contents and domains, in order: for stages that read domains or keep them."""
        domains = self.column("domain").combine_chunks().dictionary_encode()
        digest = hashlib.sha256(self.fingerprint.encode())
        digest.update("".join(f"{name}\0" for name in domains.dictionary.to_pylist()).encode())
        digest.update(domains.indices.to_numpy(zero_copy_only=False).astype(np.int32).tobytes())
        return digest.hexdigest()[:16]

    def column(self, name: str, rows: Sequence[int] | np.ndarray | slice | None = None) -> pa.ChunkedArray:
        """Returns a column of `SCHEMA` at `rows` (at all rows by default), in the order asked for."""
        return self._columns([name], rows)[name]

    def texts(self, rows: Sequence[int] | np.ndarray | slice | None = None) -> list[str]:
        """Returns the texts of `rows` (of all rows by default), in the order asked for."""
        return self.column("text", rows).to_pylist()

    def pairs(self, rows: Sequence[int] | np.ndarray | slice | None = None) -> list[str | None]:
        """Returns the second sentences of `rows`, None where a row has none."""
        return self.column("pair", rows).to_pylist()

    def take(self, rows: Sequence[int] | np.ndarray) -> Corpus:
        """Returns the corpus of `rows` (integer positions), in that order. It holds the positions, and reads texts when asked.

        Raises:
          ValueError: a row is not an integer (a boolean mask) or lies outside the corpus.
        """
        return Corpus(self._table, self._stored(self._positions(rows)))

    @staticmethod
    def concatenate(corpora: Sequence[Corpus]) -> Corpus:
        """Returns the rows of all `corpora`, one after another."""
        table = pa.concat_tables([corpus._table for corpus in corpora])
        if all(corpus._taken is None for corpus in corpora):
            return Corpus(table)
        sizes = [corpus._table.num_rows for corpus in corpora]
        starts = np.concatenate([[0], np.cumsum(sizes[:-1], dtype=np.int64)])
        return Corpus(
            table, np.concatenate([start + corpus._stored(np.arange(len(corpus))) for start, corpus in zip(starts, corpora)])
        )

    def rows_in(self, whole: Corpus) -> np.ndarray | None:
        """Returns the positions in `whole` of this corpus's rows, int64 [n]; None where not all of them were taken from it."""
        if self._table is not whole._table:
            return None
        own, others = self._stored(np.arange(len(self))), whole._stored(np.arange(len(whole)))
        order = np.argsort(others, kind="stable")
        places = np.searchsorted(others[order], own)
        found = order[np.minimum(places, len(whole) - 1)]
        return found if np.array_equal(others[found], own) else None

    def count_domains(self) -> dict[str, int]:
        """Returns the number of rows of each domain, in order of first appearance."""
        counts = pc.value_counts(self.column("domain")).to_pylist()
        return {entry["values"]: entry["counts"] for entry in counts}

    def _columns(self, names: Sequence[str], rows: Sequence[int] | np.ndarray | slice | None = None) -> pa.Table:
        if rows is None:
            rows = slice(None)
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1 and self._taken is None:
                return self._table.select(names).slice(start, max(stop - start, 0))
            rows = np.arange(start, stop, step)
        return self._gathered(self._stored(self._positions(rows)), names)

    def _blocks(self, names: Sequence[str]) -> Iterator[pa.Table]:
        """Yields some columns of all rows, a block of them at a time."""
        if self._taken is None:
            batches = self._table.select(names).to_batches(max_chunksize=ROWS_PER_BATCH)
            yield from (pa.Table.from_batches([batch]) for batch in batches)
            return
        for start in range(0, len(self), ROWS_PER_BATCH):
            yield self._columns(names, slice(start, start + ROWS_PER_BATCH))

    def _stored(self, positions: np.ndarray) -> np.ndarray:
        """Returns the rows of the table at which the rows of the corpus lie, int64."""
        return positions if self._taken is None else self._taken[positions]

    def _gathered(self, stored: np.ndarray, names: Sequence[str]) -> pa.Table:
        """Returns columns of some rows of the table, in the order given, and reads no other part of its file.

        Arrow's own take first joins the chunks of a string column, which reads a mapped pool into memory whole.
        """
        order = np.argsort(stored, kind="stable")
        places = np.searchsorted(self._ends, stored[order], side="right")
        numbers, firsts = np.unique(places, return_index=True)
        parts = []
        for number, wanted in zip(numbers, np.split(stored[order], firsts[1:])):
            batch = self._batches[number].select(names)
            parts.append(batch.take(pa.array(wanted - (self._ends[number] - batch.num_rows))))
        schema = pa.schema([SCHEMA.field(name) for name in names])
        table = pa.Table.from_batches(parts, schema)
        if (np.diff(stored) >= 0).all():
            return table
        return table.combine_chunks().take(pa.array(np.argsort(order)))

    def _positions(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        rows = np.asarray(rows)
        if rows.size == 0:
            return np.empty(0, np.int64)
        if not np.issubdtype(rows.dtype, np.integer):
            raise ValueError(f"Rows are integer positions, not {rows.dtype}. Turn a mask into positions with np.flatnonzero.")
        if rows.min() < 0 or rows.max() >= len(self):
            raise ValueError(f"Rows {rows.min()} to {rows.max()} were asked for; the corpus has rows 0 to {len(self) - 1}.")
        return rows.astype(np.int64)

    @functools.cached_property
    def _batches(self) -> list[pa.RecordBatch]:
        return self._table.to_batches()

    @functools.cached_property
    def _ends(self) -> np.ndarray:
        return np.cumsum([batch.num_rows for batch in self._batches], dtype=np.int64)


def _written(path: str | os.PathLike, batches: Iterable[pa.RecordBatch]) -> Corpus:
    """Returns the corpus of `batches`, written to an Arrow file one by one and mapped from there."""
    with whole_file(path) as partial, pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return Corpus.open(path)


def _batches(records: Iterable[Mapping]) -> Iterator[pa.RecordBatch]:
    rows, characters = [], 0
    for number, record in enumerate(progress(records, unit="texts", step="reading")):
        text, pair = record.get("text"), record.get("pair")
        if not isinstance(text, str):
            raise ValueError(f"Record {number} has the text {text!r:.60}, which is not a string. Give strings.")
        name = record.get("id")
        rows.append((str(number if name is None else name), text, pair, record.get("domain") or "", content_hash(text, pair)))
        characters += len(text)
        if len(rows) == ROWS_PER_BATCH or characters >= CHARACTERS_PER_BATCH:
            yield _batch(rows)
            rows, characters = [], 0
    if rows:
        yield _batch(rows)


def _batch(rows: list[tuple]) -> pa.RecordBatch:
    columns = [pa.array(values, field.type) for values, field in zip(zip(*rows), SCHEMA)]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
