"""Readers: text in any supported format, from files or libraries, as a stream of records or as a corpus."""

from __future__ import annotations

import dataclasses
import functools
import glob
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from gotd_jax.checksums import sha256
from gotd_jax.data import dataset_libraries, source_files
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.fields import DEFAULT_ID, Fields
from gotd_jax.data.formats import format_of
from gotd_jax.data.source_files import LeftOut, Listing

SPLIT = re.compile(r"(?P<name>.+?):(?P<split>[^:/\[]+(\[[^\]]*\][^:/\[]*)*)")  # train, train[:10%], train[:9]+test
LIBRARIES = {"tfds": dataset_libraries.tfds, "hf": dataset_libraries.hub}
TXT = ("line", "paragraph", "file")
Source = str | os.PathLike


@dataclasses.dataclass(frozen=True)
class RowStream:
    """One file or one library's dataset of a source.

    Attributes:
      label: begins the ids of rows without an id of their own; never a path of this machine.
      place: names it in messages.
      rows: returns a new iterator of (number from 1, row).
    """

    label: str
    place: str
    rows: dataset_libraries.Rows


def read(source: Source | Sequence[Source], *, path: str | os.PathLike | None = None, **options) -> Corpus:
    """Returns the corpus of all texts of `source`.

    Args:
      source: see `records`.
      path: an Arrow file to stream the corpus to and to map it from, for a pool that does not fit in memory; None
        keeps it in memory.
      **options: the fields and the domain; see `records`.

    Raises:
      ValueError: see `records`; then no file is written, and an earlier one at `path` still stands.
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
    only white space are passed over. Lone surrogates, which JSON can escape and UTF-8 cannot hold, become U+FFFD.

    Args:
      source: one of these, or a sequence of them, in order:
        a file of one of the formats `gotd_jax.data.formats.SUPPORTED`;
        a glob (`pool/**/*.jsonl.gz`), its files sorted;
        a folder: all files below it of those formats, sorted, through links too; not hidden ones, nor, there and in a glob,
        plain text beside files of rows or files whose names say that they describe the data (`left_out` returns them);
        a folder that datasets' save_to_disk wrote, with `:split` after it if it has several;
        `tfds:name/configuration:split` or `tfds:folder:split`, a TensorFlow dataset prepared as array_record;
        `hf:owner/name/configuration@revision:split`, from the Hugging Face hub; see `gotd_jax.data.hub_datasets.parse_name`.
      text_field: the field with the text; `meta.text` is the field `text` of the field `meta`.
      id_field: the field with the id. Rows without the default one, and all rows with None, get
        `<file>:<line or row number from 1>`, the file's name counted from the folder common to all files. Ids of the
        source's own are kept as they are, even if they repeat.
      pair_field: the field with the second sentence of a pair; None: there are no pairs.
      domain_field: the field with the domain; None: there is none.
      domain: the domain of every record, or of the records whose domain field is null.
      txt: the unit of text in a plain-text file: 'line', 'paragraph' (between blank lines) or 'file'.

    Raises:
      ValueError: the source does not exist, is of no supported format, is damaged, is not UTF-8, lacks a field, has
        something other than a string in a field, names a file twice, or has no text at all.
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


def describe(source: Source | Sequence[Source], *, versions: bool = True) -> list[list]:
    """Returns the state of `source` today: JSON-like, one entry a file, with its name, bytes and SHA-256.

    A saved dataset, and a folder after `tfds:` or `hf:`, have an entry for each of their files. A dataset that a library keeps
    elsewhere has its name and the library's version of it, or None.

    Args:
      source: see `records`.
      versions: whether libraries are asked for their versions, which may need the network.

    Raises:
      ValueError: there is no such file or dataset, or it is of no supported format.
    """
    entries: list[list] = []
    for name in map(os.fspath, _each(source)):
        files = files_of(name)
        entries.extend([str(file), file.stat().st_size, sha256(file)] for file in files)
        if not files:
            entries.append([name, _version(name)] if versions else [name])
    return entries


def left_out(source: Source | Sequence[Source]) -> list[LeftOut]:
    """Returns the files in the folders and globs of `source` that are not read."""
    return [entry for listing in _listings(source) for entry in listing.left_out]


def remarks(name: str, source: Source | Sequence[Source]) -> list[str]:
    """Returns sentences about surprises in `source`: files that are left out, several splits together.

    Args:
      name: of the source, for the sentences.
      source: see `records`.
    """
    return [said for listing in _listings(source) for said in source_files.remarks(name, listing)]


def exists(source: str) -> bool:
    """Returns whether `source` exists: as a file, a folder, a match of a glob, or a library's name."""
    path = Path(source).expanduser()
    if source.partition(":")[0] in LIBRARIES or path.exists() or dataset_libraries.find_saved(path):
        return True
    return glob.has_magic(source) and next(glob.iglob(str(path), recursive=True), None) is not None


def version(source: Source | Sequence[Source]) -> str | None:
    """Returns the version of a library's dataset, `tfds:` and `hf:`; None for files, and where the library knows none.

    Raises:
      ValueError: there is no such dataset.
    """
    names = (name for name in map(os.fspath, _each(source)) if name.partition(":")[0] in LIBRARIES)
    return ", ".join(filter(None, map(_version, names))) or None


@functools.lru_cache
def _version(source: str) -> str | None:
    named = _named(source)
    return dataset_libraries.version_of(source.partition(":")[0], os.path.expanduser(named["name"]))


def files_of(source: str) -> list[Path]:
    """Returns the files that `source` is read from; none of a dataset that a library keeps in a place of its own."""
    scheme = source.partition(":")[0]
    if scheme in LIBRARIES:
        folder = Path(_named(source)["name"]).expanduser()
        return sorted(file for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else []
    path = Path(source).expanduser()
    saved = dataset_libraries.find_saved(path)
    return dataset_libraries.saved_files(*saved) if saved else list(source_files.find(path, source).files)


def _listings(source: Source | Sequence[Source]) -> list[Listing]:
    found = []
    for name in map(os.fspath, _each(source)):
        path = Path(name).expanduser()
        if name.partition(":")[0] not in LIBRARIES and not dataset_libraries.find_saved(path):
            found.append(source_files.find(path, name))
    return found


def _each(source: Source | Sequence[Source]) -> list[Source]:
    return [source] if isinstance(source, (str, os.PathLike)) else list(source)


def _part_records(part: RowStream, fields: Fields, domain: str) -> Iterator[dict]:
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


def _parts(sources: Sequence[Source], fields: Fields) -> list[RowStream]:
    found = [entry for source in sources for entry in _resolve(os.fspath(source), fields)]
    files = [os.path.abspath(entry) for entry in found if isinstance(entry, Path)]
    twice = next((file for file in files if files.count(file) > 1), None) if len(set(files)) < len(files) else None
    if twice:
        raise ValueError(f"{twice} is named twice among {', '.join(map(str, sources))}. Name every file once.")
    folders = [entry.absolute().parent for entry in found if isinstance(entry, Path)]
    common = os.path.commonpath(folders) if folders else ""
    return [_file(entry, common, fields) if isinstance(entry, Path) else entry for entry in found]


def _file(path: Path, common: str, fields: Fields) -> RowStream:
    label = path.absolute().relative_to(common).as_posix()
    return RowStream(label, str(path), functools.partial(format_of(path), path, fields))


def _resolve(source: str, fields: Fields) -> list[Path | RowStream]:
    """Returns the parts of `source`: the paths of files, or one part that a library reads."""
    scheme = source.partition(":")[0]
    if scheme in LIBRARIES:
        named = _named(source)
        label, rows = LIBRARIES[scheme](os.path.expanduser(named["name"]), named["split"], fields)
        return [RowStream(label, source, rows)]
    path = Path(source).expanduser()
    saved = dataset_libraries.find_saved(path)
    if saved:
        label, rows = dataset_libraries.saved(*saved, fields)
        return [RowStream(label, source, rows)]
    return list(source_files.find(path, source).files)


def _named(source: str) -> re.Match:
    """Returns the `name` and `split` of a library's dataset."""
    scheme, _, rest = source.partition(":")
    named = SPLIT.fullmatch(rest)
    if not named:
        raise ValueError(f"{source} names no split. Write it after the name, as in {scheme}:{rest.strip(':')}:train.")
    return named
