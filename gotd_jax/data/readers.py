"""Readers: text of any kept kind, wherever it lies, as a stream of records or as a corpus."""

from __future__ import annotations

import dataclasses
import functools
import glob
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from gotd_jax.data import libraries
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.fields import DEFAULT_ID, Fields, listed
from gotd_jax.data.formats import SUPPORTED, format_of

SPLIT = re.compile(r"(?P<name>.+?):(?P<split>[^:/\[]+(\[[^\]]*\][^:/\[]*)*)")  # train, train[:10%], train[:9]+test
LIBRARIES = {"tfds": libraries.tfds, "hf": libraries.hub}
TXT = ("line", "paragraph", "file")
Source = str | os.PathLike


@dataclasses.dataclass(frozen=True)
class Part:
    """One file or one library's dataset of a source.

    Attributes:
      label: begins the ids of its rows that have none of their own; no machine's path.
      place: begins the messages about it.
      rows: returns a new iterator of (number from 1, row).
    """

    label: str
    place: str
    rows: libraries.Rows


def read(source: Source | Sequence[Source], *, path: str | os.PathLike | None = None, **options) -> Corpus:
    """Returns the corpus of all texts of `source`.

    Args:
      source: see `records`.
      path: an Arrow file to stream the corpus to and to map it from, for a pool that does not fit in memory; None
        keeps it in memory.
      **options: the fields and the domain; see `records`.

    Raises:
      ValueError: see `records`; then nothing is written, and what stood at `path` before still stands.
    """
    return Corpus.from_records(records(source, **options), path)


def records(
    source: Source | Sequence[Source],
    *,
    text_field: str = "text",
    id_field: str | None = DEFAULT_ID,
    pair_field: str | None = None,
    domain_field: str | None = None,
    domain: str = "",
    txt: str = "line",
) -> Iterator[dict]:
    """Returns an iterator over the texts of `source`, dicts of id, text, pair and domain, that holds few of them at a time.

    Every part of the source is opened, and its first text read, before this returns. Rows whose text and pair are null or
    only white space are passed over. Half surrogates, which JSON can escape and UTF-8 cannot hold, become U+FFFD.

    Args:
      source: one of these, or a sequence of them, in order:
        a file of one of the formats `gotd_jax.data.formats.SUPPORTED`;
        a glob (`pool/**/*.jsonl.gz`), its files sorted;
        a folder: all files below it of those formats, sorted, but hidden ones;
        a folder that datasets' save_to_disk wrote, with `:split` after it if it has several;
        `tfds:name/configuration:split` or `tfds:folder:split`, a TensorFlow dataset prepared as array_record;
        `hf:owner/name/configuration@revision:split`, from the Hugging Face hub; see `gotd_jax.data.hub_datasets.named`.
      text_field: the field with the text; `meta.text` is the field `text` of the field `meta`.
      id_field: the field with the id. Rows without the default one, and all rows with None, get
        `<file>:<line or row number from 1>`, the file's name counted from the folder common to all files. Ids of the
        source's own are kept as they are, even if they repeat.
      pair_field: the field with the second sentence of a pair; None: there are no pairs.
      domain_field: the field with the domain; None: there is none.
      domain: the domain of every record, or of those whose field is null.
      txt: what one text of a plain-text file is: 'line', 'paragraph' (between blank lines) or 'file'.

    Raises:
      ValueError: the source does not exist, is of no supported format, is damaged, is not UTF-8, lacks a field, has
        something other than a string in one, or has no text at all.
    """
    if txt not in TXT:
        raise ValueError(f"txt is {txt!r}. One text of a plain-text file is a {', a '.join(TXT)}.")
    fields = Fields(text_field, id_field, pair_field, domain_field, txt)
    sources = _each(source)
    parts = _parts(sources, fields)
    # A list, not a generator: a fault in the last file must not wait for the first ones to be read.
    if not any([next(_part_records(part, fields, domain), None) for part in parts]):
        raise ValueError(f"{', '.join(map(str, sources)) or 'The source'} is empty. Name files with text in them.")
    return itertools.chain.from_iterable(_part_records(part, fields, domain) for part in parts)


def describe(source: Source | Sequence[Source]) -> list[list]:
    """Returns what tells, without reading it, whether `source` is still the same: JSON-like, one entry a file.

    An entry is name, bytes and time of the last change (nanoseconds); of `tfds:` and `hf:`, the name alone.

    Raises:
      ValueError: there is no such file, or it is of no supported format.
    """
    entries: list[list] = []
    for name in map(os.fspath, _each(source)):
        if name.partition(":")[0] in LIBRARIES:
            entries.append([name])
            continue
        path = Path(name).expanduser()
        saved = libraries.find_saved(path)
        for file in sorted(file for file in saved[0].rglob("*") if file.is_file()) if saved else _files(path, name):
            entries.append([str(file), file.stat().st_size, file.stat().st_mtime_ns])
    return entries


def version(source: Source | Sequence[Source]) -> str | None:
    """Returns the version of what a library keeps, `tfds:` and `hf:`; None for files, and where the library tells none.

    Raises:
      ValueError: there is no such dataset.
    """
    found = []
    for name in map(os.fspath, _each(source)):
        scheme = name.partition(":")[0]
        if scheme in LIBRARIES:
            named = _named(name)
            found.append(libraries.version_of(scheme, os.path.expanduser(named["name"])))
    return ", ".join(filter(None, found)) or None


def _each(source: Source | Sequence[Source]) -> list[Source]:
    return [source] if isinstance(source, (str, os.PathLike)) else list(source)


def _part_records(part: Part, fields: Fields, domain: str) -> Iterator[dict]:
    for number, row in part.rows():
        place = f"{part.place}:{number}"
        text, pair = fields.text_of(row, place), fields.pair_of(row, place)
        if text.strip() or (pair and pair.strip()):
            name = fields.id_of(row, place)
            yield {
                "id": f"{part.label}:{number}" if name is None else name,
                "text": text,
                "pair": pair,
                "domain": fields.domain_of(row, place) or domain,
            }


def _parts(sources: Sequence[Source], fields: Fields) -> list[Part]:
    found = [entry for source in sources for entry in _resolve(os.fspath(source), fields)]
    folders = [entry.absolute().parent for entry in found if isinstance(entry, Path)]
    common = os.path.commonpath(folders) if folders else ""
    return [_file(entry, common, fields) if isinstance(entry, Path) else entry for entry in found]


def _file(path: Path, common: str, fields: Fields) -> Part:
    label = path.absolute().relative_to(common).as_posix()
    return Part(label, str(path), functools.partial(format_of(path), path, fields))


def _resolve(source: str, fields: Fields) -> list[Path | Part]:
    """Returns what `source` names: the paths of files, or one part that a library reads."""
    scheme = source.partition(":")[0]
    if scheme in LIBRARIES:
        named = _named(source)
        label, rows = LIBRARIES[scheme](os.path.expanduser(named["name"]), named["split"], fields)
        return [Part(label, source, rows)]
    path = Path(source).expanduser()
    saved = libraries.find_saved(path)
    if saved:
        label, rows = libraries.saved(*saved, fields)
        return [Part(label, source, rows)]
    return _files(path, source)


def _named(source: str) -> re.Match:
    """Returns the `name` and `split` of a library's dataset."""
    scheme, _, rest = source.partition(":")
    named = SPLIT.fullmatch(rest)
    if not named:
        raise ValueError(f"{source} names no split. Write it after the name, as in {scheme}:{rest.strip(':')}:train.")
    return named


def _files(path: Path, source: str) -> list[Path]:
    if path.is_dir():
        return _files_below(path)
    if path.exists():
        files = [path]
    elif glob.has_magic(source):
        files = sorted(found for found in map(Path, glob.glob(str(path), recursive=True)) if found.is_file())
        if not files:
            raise ValueError(f"No file matches {source}. Check the pattern, and that it is seen from {Path.cwd()}.")
    else:
        raise ValueError(f"There is no file or folder {source}. Check the path, and that it is seen from {Path.cwd()}.")
    for file in files:
        if format_of(file) is None:
            raise ValueError(f"{file} is of no supported format. Those are told by the name's end: {SUPPORTED}.")
    return files


def _files_below(folder: Path) -> list[Path]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not _is_hidden(file.relative_to(folder))]
    readable = [file for file in files if format_of(file)]
    if (folder / "dataset_info.json").is_file() and (folder / "features.json").is_file():
        raise ValueError(f"{folder} is a prepared TensorFlow dataset. Write it as tfds:{folder}:train, or another split.")
    if not readable:
        endings = listed(sorted({file.suffix or file.name for file in files}))
        raise ValueError(
            f"{folder} has no file of a supported format; the endings of its files: {endings}. The formats are {SUPPORTED}."
        )
    return readable


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
