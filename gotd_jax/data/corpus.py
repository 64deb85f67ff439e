"""`Corpus`: the one noun for text. Row i of every array about a corpus is its example i."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotd_jax.artifacts import whole_file
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
    """Returns the 16-byte hash of what an example says, whatever its id and domain."""
    content = text if pair is None else f"{text}\0{pair}"
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Corpus:
    """An ordered, immutable, memory-mapped sequence of texts with ids, domains and content hashes.

    Only `take`, `keep` and `concatenate` leave out, reorder or join; all carry ids and hashes along.

    Args:
      table: an Arrow table of `SCHEMA`.
    """

    def __init__(self, table: pa.Table):
        if table.schema != SCHEMA:
            raise ValueError(
                f"A corpus has the columns {SCHEMA.names}, not {table.schema.names}. Read it with gotd_jax.data.readers."
            )
        self.table = table

    @classmethod
    def from_records(cls, records: Iterable[Mapping], path: str | os.PathLike | None = None) -> Corpus:
        """Returns a corpus of `records`, mappings with `text` and optionally `id`, `pair` and `domain`.

        Ids default to the row number. With `path`, rows are streamed to that Arrow file and the result maps it, so
        that a pool larger than memory can be built; if `records` raises, what stood at `path` before still stands.

        Raises:
          ValueError: a text is not a string.
        """
        batches = _batches(records)
        if path is None:
            return cls(pa.Table.from_batches(list(batches), SCHEMA))
        with whole_file(path) as partial, pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
            for batch in batches:
                writer.write_batch(batch)
        return cls.open(path)

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
        """Writes the corpus to an Arrow file, whole or not at all, and returns it mapped from there."""
        with whole_file(path) as partial, pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
            writer.write_table(self.table, max_chunksize=ROWS_PER_BATCH)
        return self.open(path)

    def __len__(self) -> int:
        return self.table.num_rows

    def __iter__(self) -> Iterator[dict]:
        for batch in self.table.to_batches(max_chunksize=ROWS_PER_BATCH):
            yield from batch.to_pylist()

    def __repr__(self) -> str:
        return f"Corpus({len(self):,} texts, {self.fingerprint})"

    @property
    def ids(self) -> list[str]:
        """The ids, in order."""
        return self.table["id"].to_pylist()

    @property
    def domains(self) -> np.ndarray:
        """The domain of every row, `str [n]`."""
        return self.table["domain"].to_numpy()

    @property
    def is_paired(self) -> bool:
        """Whether any row has a second sentence."""
        return self.table["pair"].null_count < len(self)

    @functools.cached_property
    def hashes(self) -> np.ndarray:
        """The content hash of every row, `V16 [n]`; equal texts have equal hashes, and np.unique and np.isin compare them.

        Not `S16`, which would drop the zero bytes that a hash ends in.
        """
        chunks = [chunk for chunk in self.table["hash"].chunks if len(chunk)]
        # A chunk's second buffer is its values, 16 bytes a row.
        arrays = [np.frombuffer(chunk.buffers()[1], "V16", len(chunk), 16 * chunk.offset) for chunk in chunks]
        return np.concatenate([np.empty(0, "V16"), *arrays])

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hex digits over all ids and contents, in order."""
        digest = hashlib.sha256()
        for chunk in self.table["id"].chunks:
            digest.update("".join(f"{name}\0" for name in chunk.to_pylist()).encode())
        digest.update(self.hashes.tobytes())
        return digest.hexdigest()[:16]

    @functools.cached_property
    def fingerprint_with_domains(self) -> str:
        """16 hex digits over all ids, contents and domains, in order: for stages that read domains or keep them."""
        digest = hashlib.sha256(self.fingerprint.encode())
        for chunk in self.table["domain"].chunks:
            runs = chunk.dictionary_encode()
            digest.update("".join(f"{name}\0" for name in runs.dictionary.to_pylist()).encode())
            digest.update(runs.indices.to_numpy(zero_copy_only=False).astype(np.int32).tobytes())
        return digest.hexdigest()[:16]

    def texts(self, rows: Sequence[int] | np.ndarray | slice | None = None) -> list[str]:
        """Returns the texts of `rows` (of all rows by default), in the order asked for."""
        return self._column("text", rows).to_pylist()

    def pairs(self, rows: Sequence[int] | np.ndarray | slice | None = None) -> list[str | None]:
        """Returns the second sentences of `rows`, None where a row has none."""
        return self._column("pair", rows).to_pylist()

    def take(self, rows: Sequence[int] | np.ndarray) -> Corpus:
        """Returns the corpus of `rows` (integer positions), in that order.

        Raises:
          ValueError: a row is not an integer (a boolean mask) or lies outside the corpus.
        """
        return Corpus(self._rows(rows, SCHEMA.names))

    def keep(self, kept: np.ndarray, path: str | os.PathLike) -> Corpus:
        """Writes the rows at which `kept`, bool [n], is true to an Arrow file, in order, and returns them mapped from there.

        Batch by batch, whole or not at all: for a corpus that does not fit in memory, of which `take` would make a copy there.
        """
        with whole_file(path) as partial, pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
            start = 0
            for batch in self._batches:
                writer.write_batch(batch.filter(pa.array(kept[start : start + batch.num_rows])))
                start += batch.num_rows
        return self.open(path)

    @staticmethod
    def concatenate(corpora: Sequence[Corpus]) -> Corpus:
        """Returns the rows of all `corpora`, one after another."""
        return Corpus(pa.concat_tables([corpus.table for corpus in corpora]))

    def count_domains(self) -> dict[str, int]:
        """Returns the number of rows of each domain, in order of first appearance."""
        counts = pc.value_counts(self.table["domain"]).to_pylist()
        return {entry["values"]: entry["counts"] for entry in counts}

    def _column(self, name: str, rows) -> pa.ChunkedArray:
        if rows is None:
            return self.table[name]
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                return self.table[name].slice(start, max(stop - start, 0))
            rows = np.arange(start, stop, step)
        return self._rows(rows, [name])[name]

    def _rows(self, rows, columns: Sequence[str]) -> pa.Table:
        """Returns `columns` of `rows`, reading no part of the file but theirs.

        Arrow's own take first joins the chunks of a string column, which reads a mapped pool into memory whole.
        """
        rows = self._positions(rows)
        order = np.argsort(rows, kind="stable")
        places = np.searchsorted(self._ends, rows[order], side="right")
        numbers, firsts = np.unique(places, return_index=True)
        parts = []
        for number, wanted in zip(numbers, np.split(rows[order], firsts[1:])):
            batch = self._batches[number].select(columns)
            parts.append(batch.take(pa.array(wanted - (self._ends[number] - batch.num_rows))))
        schema = pa.schema([SCHEMA.field(name) for name in columns])
        table = pa.Table.from_batches(parts, schema).combine_chunks()
        return table.take(pa.array(np.argsort(order)))

    def _positions(self, rows) -> np.ndarray:
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
        return self.table.to_batches()

    @functools.cached_property
    def _ends(self) -> np.ndarray:
        return np.cumsum([batch.num_rows for batch in self._batches], dtype=np.int64)


def _batches(records: Iterable[Mapping]) -> Iterator[pa.RecordBatch]:
    rows, characters = [], 0
    for number, record in enumerate(progress(records, unit="texts", what="reading")):
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
