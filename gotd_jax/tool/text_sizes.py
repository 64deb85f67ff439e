"""How much text a source holds: counted where it is small, and otherwise estimated from the beginnings of its files."""

from __future__ import annotations

import dataclasses
import io
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from gotd_jax.data import dataset_libraries, readers
from gotd_jax.data.chunks import chunk
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.decompression import unpacked
from gotd_jax.data.formats import TABLES, format_of, row_count
from gotd_jax.data.sampling import spread
from gotd_jax.data.tokens import count_tokens

COUNTED_BYTES = 16 << 20  # on disk, of all sources of the pool, or of the targets, together: fewer are read whole
FILES = 16  # of a larger source that are read from at most, evenly spaced
BYTES_OF_A_FILE = 1 << 18  # that are read at least: some of its compressed blocks
BYTES_AT_ONCE = 4096
LIBRARY_TEXTS = 20_000  # of a library's dataset
TOKENISED = 2000  # chunks of each source


@dataclasses.dataclass(frozen=True)
class Reading:
    """A source, read from its beginning.

    Attributes:
      name: of the source.
      chunks: of the texts read.
      texts: how many they were before they were cut.
      share: of the source that was read, in (0, 1]; 1 where it was read whole.
      bytes: of the source's files; where a library keeps it, of its texts.
      seconds: that reading and cutting them took.
    """

    name: str
    chunks: Corpus
    texts: int
    share: float
    bytes: int
    seconds: float

    @property
    def sample(self) -> Corpus:
        """Up to 2,000 of the chunks, to be tokenised."""
        return self.chunks.take(spread(len(self.chunks), TOKENISED))


@dataclasses.dataclass(frozen=True)
class Extent:
    """How much text the pool or the target holds.

    Attributes:
      texts: before they are cut.
      chunks: that they are cut into.
      tokens: of all chunks by the mean of up to 2,000 of each source, counted as for a budget: no special tokens, none cut off.
      bytes: on disk.
      kept_bytes: of the chunks, as they are kept for the selection.
      counted: whether texts and chunks were counted, and not estimated.
      read_bytes: of those on disk that the numbers come from.
      reading_seconds: that reading and cutting all of it will take.
    """

    texts: int
    chunks: int
    tokens: int
    bytes: int
    kept_bytes: int
    counted: bool
    read_bytes: int
    reading_seconds: float

    def __str__(self) -> str:
        about = "" if self.counted else "about "
        how = "counted" if self.counted else f"estimated from {in_bytes(self.read_bytes)} of {in_bytes(self.bytes)}"
        return f"{about}{self.texts:,} texts, {self.chunks:,} chunks, about {self.tokens:,} tokens ({how})"


def in_bytes(count: int) -> str:
    """Returns a number of bytes in words: `37.5kB`."""
    return tqdm.format_sizeof(count, "B")


def read_beginnings(sources: Sequence[tuple[str, str]], characters: int, **fields) -> list[Reading]:
    """Returns a reading of each of `sources`, the small ones whole and the larger ones from their beginnings.

    Args:
      sources: names and places, the places as `gotd_jax.data.readers.records` takes them.
      characters: of a chunk; 0 cuts nothing.
      **fields: `text_field`, `id_field`, `domain_field` of `records`.

    Raises:
      ValueError: see `records`.
    """
    return [_read_beginning(name, place, COUNTED_BYTES // len(sources), characters, fields) for name, place in sources]


def extent_of(readings: Sequence[Reading], tokenizer) -> Extent:
    """Returns how much the sources of `readings` hold together, with tokens by a Hugging Face tokeniser."""

    def whole(count: Callable[[Reading], float]) -> float:
        return sum(count(reading) / reading.share for reading in readings)

    return Extent(
        texts=round(whole(lambda reading: reading.texts)),
        chunks=round(whole(lambda reading: len(reading.chunks))),
        tokens=round(whole(lambda reading: count_tokens(tokenizer, reading.sample).mean() * len(reading.chunks))),
        bytes=sum(reading.bytes for reading in readings),
        kept_bytes=round(whole(lambda reading: reading.chunks.table.nbytes)),
        counted=all(reading.share == 1 for reading in readings),
        read_bytes=round(sum(reading.bytes * reading.share for reading in readings)),
        reading_seconds=whole(lambda reading: reading.seconds),
    )


def _read_beginning(name: str, place: str, most: int, characters: int, fields: dict) -> Reading:
    readers.records(place, **fields)  # opens every file and meets its first row
    began = time.perf_counter()
    if place.partition(":")[0] in readers.LIBRARIES or dataset_libraries.find_saved(Path(place).expanduser()):
        texts, share = _of_library(place, fields)
        corpus = Corpus.from_records(texts)
        held = round(sum(len(text.encode()) for text in corpus.texts()) / share)
    else:
        files = [(path, path.stat().st_size) for path in readers.files_of(place)]
        held = sum(size for _, size in files)
        parts = list(_of_files(files, most, fields))
        corpus = Corpus.from_records(itertools.chain.from_iterable(texts for texts, _ in parts))
        share = min(sum(read for _, read in parts) / held, 1.0)
    chunks = chunk(corpus, characters)
    return Reading(name, chunks, len(corpus), share, held, time.perf_counter() - began)


def _of_files(files: Sequence[tuple[Path, int]], most: int, fields: dict) -> Iterator[tuple[Iterator[dict], float]]:
    """Yields some files' texts from the beginning, `most` bytes in all, and how many bytes of the file they stand for."""
    if sum(size for _, size in files) <= most:
        yield from ((readers.records(path, **fields), size) for path, size in files)
        return
    places = spread(len(files), max(min(FILES, most // BYTES_OF_A_FILE), 1))
    for path, size in (files[place] for place in places):
        last, share = (_rows if format_of(path) in TABLES else _lines)(path, size, most // len(places))
        texts = readers.records(path, **fields | {"id_field": None})  # so that ids end in the number of the row or line
        yield itertools.takewhile(lambda text, last=last: int(text["id"].rpartition(":")[2]) <= last, texts), share * size


def _rows(path: Path, size: int, most: int) -> tuple[int, float]:
    """Returns how many rows of a Parquet or Arrow file to read for `most` of its bytes, and the share of it that they are."""
    rows = row_count(path)
    wanted = min(max(1, round(rows * most / size)), rows)
    return wanted, wanted / rows


def _lines(path: Path, size: int, most: int) -> tuple[int, float]:
    """Returns how many lines lie in the first `most` bytes of a file, one at least, and the share of it that they are."""
    lines = read = ended = 0
    ratio = None  # bytes of text a byte of the file, found when all that was read of the file was given out
    try:
        with _InSteps(path) as raw, unpacked(raw, path.suffix) as stream:
            while (before := raw.tell()) < most or not lines:
                block = stream.read(BYTES_AT_ONCE)
                if not block:
                    return lines + 1, 1.0
                if read and raw.tell() > before:
                    ratio = read / before
                if b"\n" in block:
                    lines, ended = lines + block.count(b"\n"), read + block.rindex(b"\n") + 1
                read += len(block)
            return lines, min(ended / ((ratio or read / raw.tell()) * size), 1.0)
    except OSError as error:
        raise ValueError(f"{path} cannot be read past its first {lines:,} lines: {error.strerror or error}.") from error


class _InSteps(io.FileIO):
    """A file that is read in small steps, so that its position says how many bytes were asked for."""

    def read(self, size: int = -1) -> bytes:
        return super().read(min(size, BYTES_AT_ONCE))


def _of_library(place: str, fields: dict) -> tuple[list[dict], float]:
    """Returns the first texts of a library's dataset, and the share of it that they are.

    A hundredth of a larger split is read where the library can cut it; else it is counted to the end.
    """
    texts = readers.records(place, **fields)
    first = list(itertools.islice(texts, LIBRARY_TEXTS))
    if len(first) < LIBRARY_TEXTS:
        return first, 1.0
    if place.rpartition(":")[2].isidentifier() and place.partition(":")[0] in readers.LIBRARIES:
        return list(itertools.islice(readers.records(f"{place}[:1%]", **fields), LIBRARY_TEXTS)), 0.01
    return first, len(first) / (len(first) + sum(1 for _ in texts))
