"""Datasets of the Hugging Face hub by name and revision: a whole split, or a random sample of one that is read as a stream.

No download was run by us from the hub itself: the tests use a server of the same interface on this machine.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from gotd_jax.data.fields import Fields
from gotd_jax.data.formats import brief

# owner/name, owner/name/configuration, owner/name/folder/*.jsonl; each with @revision at its end
NAME = re.compile(r"(?P<repository>[^/@]+(?:/[^/@]+)?)(?:/(?P<part>[^/@][^@]*))?(?:@(?P<revision>.+))?")
FILES = re.compile(r".*\.(?P<builder>jsonl|json|parquet|csv)(?:\.gz|\.zst)?")
BUILDERS = {"jsonl": "json"}
COMMIT = re.compile(r"hf://datasets/[^@]+@(?P<commit>[0-9a-f]{40})/")
FILES_AT_ONCE = 40  # that a sample is read from in turn: as many as Wikipedia has, and Amazon Reviews has 34, one a category
ROWS_OF_A_FILE = 1_000  # that lie in memory while it is read: mostly the size of a row group in the hub's files
CHARACTERS_AT_ONCE = 1 << 30  # in these rows of all files together: books are long, and few of their files are read at once
SHUFFLED = 10_000  # texts that are held back to draw from,
SHUFFLED_CHARACTERS = 1 << 28  # or as many as have this many characters
ROWS_PER_READ = 64


@dataclasses.dataclass(frozen=True)
class DatasetName:
    """A parsed name: the arguments of datasets' `load_dataset`.

    Attributes:
      repository: `owner/name`, or a folder.
      path: the repository, or the builder of `data_files`.
      configuration: its name, or None.
      data_files: addresses on the hub, or None where the repository itself names its files.
      revision: a branch, a tag or a commit; None is the newest.
      label: begins ids: the name without its revision.
    """

    repository: str
    path: str
    configuration: str | None
    data_files: str | None
    revision: str | None
    label: str


def parse_name(name: str) -> DatasetName:
    """Returns the parts of the name of a dataset.

    Args:
      name: `owner/name`, `owner/name/configuration`, `owner/name/folder/*.jsonl` (files of a repository by their path, of
        the formats JSON Lines, Parquet and CSV) or the folder of a dataset repository; all but the last may end in
        `@revision`.

    Raises:
      ValueError: it is none of these.
    """
    if Path(name).is_dir():
        return DatasetName(name, name, None, None, None, Path(name).name)
    found = NAME.fullmatch(name)
    if not found:
        raise ValueError(
            f"hf:{name} is no name of a dataset. Write it as hf:owner/name:split, hf:owner/name/configuration:split or "
            "hf:owner/name/configuration@revision:split."
        )
    repository, part, revision = found["repository"], found["part"], found["revision"]
    label = f"{repository}/{part}" if part else repository
    files = FILES.fullmatch(part or "")
    if not files:
        return DatasetName(repository, repository, part, None, revision, label)
    builder = BUILDERS.get(files["builder"], files["builder"])
    return DatasetName(repository, builder, None, f"hf://datasets/{repository}@{revision or 'main'}/{part}", revision, label)


def load(name: str, split: str, *, streaming: bool = False):
    """Returns a split as an object of datasets: downloaded, unless it lies in the library's cache, or to be read as a stream.

    Args:
      name: see `parse_name`.
      split: in the library's notation; a stream takes no slices such as `train[:10%]`.
      streaming: whether only the rows that are read are downloaded, and none are kept.

    Raises:
      ValueError: there is no such dataset or split, or the hub cannot be reached.
    """
    import datasets

    given = parse_name(name)
    try:
        return datasets.load_dataset(
            given.path,
            given.configuration,
            data_files=given.data_files,
            revision=None if given.data_files else given.revision,
            split=split,
            streaming=streaming,
        )
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise _unreachable(f"hf:{name}:{split}", error) from error


def commit(name: str) -> str | None:
    """Returns the commit of the hub's files that `name` stands for now, 40 hex digits; None for files that are not the hub's.

    Raises:
      ValueError: there is no such dataset, or the hub cannot be reached.
    """
    import datasets
    import huggingface_hub

    given = parse_name(name)
    try:
        if given.data_files:
            return huggingface_hub.HfApi().dataset_info(given.repository, revision=given.revision).sha
        builder = datasets.load_dataset_builder(given.path, given.configuration, revision=given.revision)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise _unreachable(f"hf:{name}", error) from error
    files = itertools.chain.from_iterable((builder.config.data_files or {}).values())
    commits = (COMMIT.match(str(file)) for file in files)
    return next((found["commit"] for found in commits if found), None)


def drawn(name: str, split: str, fields: Fields, seed: int, domain: str = "") -> Iterator[dict]:
    """Returns an iterator over the texts of a split in an order drawn by `seed`: records of id, text, pair and domain.

    So the first n of them are a sample of n, for which no more is downloaded than is read: the files come in an order drawn by
    the seed, up to 40 of them (of long texts fewer: see `CHARACTERS_AT_ONCE`) are read in turn, each from its beginning, and
    each text yielded is drawn from the last 10,000 texts read (or as many as have 2^28 characters). Two biases stay:
    files that are not reached give no text, and the beginning of a file comes before its end. Rows without a text are
    passed over.

    Args:
      name: see `parse_name`.
      split: without a slice.
      fields: where a row keeps its text. Rows without an id get `<name>:<split>:<file>:<row>`, both numbers from 1, whichever
        the order.
      seed: of the order.
      domain: of every record.

    Raises:
      ValueError: there is no such dataset, split or field, or the hub cannot be reached.
    """
    place = f"hf:{name}:{split}"
    dataset, rng = load(name, split, streaming=True), np.random.default_rng(seed)
    columns = fields.columns(dataset.column_names or _names(dataset, place), place)
    files = rng.permutation(dataset.num_shards)
    label = f"{parse_name(name).label}:{split}"

    def records_of(file: int) -> Iterator[dict]:
        rows = _rows(dataset.shard(len(files), int(file)), columns, place)
        records = (_record(row, fields, f"{label}:{file + 1}:{number}", domain) for number, row in rows)
        return (record for record in records if record["text"].strip())

    return _shuffled(_in_turn(map(records_of, files)), rng)


def _rows(file, columns: list[str], place: str) -> Iterator[tuple[int, dict]]:
    """Yields (number from 1, row) of one file of a stream."""
    tables = file.select_columns(columns).with_format("arrow").iter(ROWS_PER_READ)
    rows = itertools.chain.from_iterable(table.to_pylist() for table in tables)
    try:
        yield from enumerate(rows, 1)
    except OSError as error:
        raise RuntimeError(
            f"{place} broke off ({brief(error)}). Run again when the network holds; nothing half read is kept."
        ) from error


def _names(dataset, place: str) -> list[str]:
    """Returns the field names of a stream whose format does not declare them, from its first row."""
    first = next(iter(dataset), None)
    if first is None:
        raise ValueError(f"{place} is empty. Name another split.")
    return list(first)


def _record(row: dict, fields: Fields, place: str, domain: str) -> dict:
    name = fields.id_of(row, place)
    return {"id": place if name is None else name, "text": fields.text_of(row, place), "pair": None, "domain": domain}


def _in_turn(streams: Iterator[Iterator[dict]]) -> Iterator[dict]:
    """Yields one record of each of several streams in turn; where a stream ends, the next one takes its place."""
    first = next(streams)
    begun = list(itertools.islice(first, ROWS_PER_READ))
    waiting = itertools.chain([itertools.chain(begun, first)], streams)
    opened = list(itertools.islice(waiting, _files_at_once(begun)))
    while opened:
        for place, stream in enumerate(opened):
            while stream is not None and (item := next(stream, None)) is None:
                stream = next(waiting, None)
            opened[place] = stream
            if stream is not None:
                yield item
        opened = [stream for stream in opened if stream is not None]


def _files_at_once(records: list[dict]) -> int:
    """Returns how many files to read from in turn, given `records`, the first rows of the first file."""
    of_a_file = ROWS_OF_A_FILE * sum(len(record["text"]) for record in records) // max(len(records), 1)
    return min(max(CHARACTERS_AT_ONCE // max(of_a_file, 1), 1), FILES_AT_ONCE)


def _shuffled(records: Iterable[dict], rng: np.random.Generator) -> Iterator[dict]:
    """Yields `records` in random order, holding back no more than `SHUFFLED` of them or `SHUFFLED_CHARACTERS`."""
    held: list[dict] = []
    characters = 0
    for record in records:
        held.append(record)
        characters += len(record["text"])
        while len(held) > SHUFFLED or (characters > SHUFFLED_CHARACTERS and len(held) > 1):
            given = _pop_random(held, rng)
            characters -= len(given["text"])
            yield given
    while held:
        yield _pop_random(held, rng)


def _pop_random(held: list[dict], rng: np.random.Generator) -> dict:
    """Removes a record from `held` at random and returns it; the last record takes its place."""
    place = int(rng.integers(len(held)))
    held[place], held[-1] = held[-1], held[place]
    return held.pop()


def _unreachable(place: str, error: Exception) -> ValueError:
    if isinstance(error, ConnectionError):
        remedy = "There is no network to the Hugging Face hub, or HF_HUB_OFFLINE is set. Restore it"
    else:
        remedy = "Check its name, its split and the network"
    return ValueError(
        f"{place} cannot be loaded ({brief(error)}). {remedy}, or download its files elsewhere and name their folder."
    )
