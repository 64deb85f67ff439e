"""Datasets of TensorFlow Datasets and of Hugging Face datasets, as streams of rows."""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from gotd_jax.data import hub_datasets
from gotd_jax.data.fields import Fields, listed
from gotd_jax.data.formats import FAULTS, ROWS_PER_READ, brief, table_rows
from gotd_jax.files import read_json

Rows = Callable[[], Iterator[tuple[int, Mapping]]]
SPLITS = "dataset_dict.json"  # in the folder of several splits that `save_to_disk` wrote
HOW_TO_PREPARE = "Prepare it where TensorFlow is installed with `tfds build {name} --file_format=array_record`."


def find_saved(path: Path) -> tuple[Path, str] | None:
    """Returns folder and split ('' if none is named) of a `path` that `save_to_disk` wrote, or of one with `:split` behind."""
    folder, _, split = str(path).rpartition(":")
    for candidate, name in ((path, ""), (Path(folder or path), split)):
        if (candidate / SPLITS).is_file() or (candidate / "state.json").is_file():
            return candidate, name
    return None


def saved(folder: Path, split: str, fields: Fields) -> tuple[str, Rows]:
    """Returns a short name and the rows of a folder written by datasets' `save_to_disk`.

    Args:
      folder: of a Dataset or a DatasetDict.
      split: which of the DatasetDict; '' for a Dataset, or a DatasetDict of one.
      fields: where a row keeps its text.

    Raises:
      ValueError: there is no such split, it has no rows, or the folder cannot be read.
    """
    import datasets

    place, label = _saved_split(folder, split)
    try:
        if (place / "state.json").is_file() and not read_json(place / "state.json")["_data_files"]:
            return label, lambda: iter(())  # which datasets itself cannot load
        found = datasets.load_from_disk(str(place))
    except (*FAULTS, datasets.exceptions.DatasetsError) as error:
        raise ValueError(f"{place} cannot be read as a saved dataset ({brief(error)}). Save it again.") from error
    return label, _arrow_rows(found, fields, str(place))


def saved_files(folder: Path, split: str) -> list[Path]:
    """Returns all files of a saved dataset, or of its split that is named, sorted."""
    place, _ = _saved_split(folder, split)
    return sorted(file for file in place.rglob("*") if file.is_file())


def _saved_split(folder: Path, split: str) -> tuple[Path, str]:
    """Returns the folder of a saved dataset's split, and its short name."""
    if not (folder / SPLITS).is_file():
        if split:
            raise ValueError(f"{folder} holds a single dataset, without splits. Leave off ':{split}'.")
        return folder, folder.name
    try:
        names = list(read_json(folder / SPLITS)["splits"])
    except FAULTS as error:
        raise ValueError(f"{folder / SPLITS} does not name the splits ({brief(error)}). Save the dataset again.") from error
    if split not in names and (split or len(names) != 1):
        raise ValueError(
            f"{folder} has the splits {listed(names)}. Name one of them, as in {folder}:{(names or ['train'])[0]}."
        )
    split = split or names[0]
    return folder / split, f"{folder.name}:{split}"


def hub(name: str, split: str, fields: Fields) -> tuple[str, Rows]:
    """Returns a short name and the rows of a Hugging Face dataset, downloaded unless it lies in the library's cache.

    Args:
      name: see `gotd_jax.data.hub_datasets.parse_name`.
      split: its split, in the library's notation (`train[:10%]`).
      fields: where a row keeps its text.

    Raises:
      ValueError: there is no such dataset or split, or the hub cannot be reached.
    """
    found = hub_datasets.load(name, split)
    return _label(hub_datasets.parse_name(name).label, split), _arrow_rows(found, fields, f"hf:{name}:{split}")


def tfds(name: str, split: str, fields: Fields) -> tuple[str, Rows]:
    """Returns a short name and the rows of a prepared TensorFlow dataset, read without TensorFlow.

    Args:
      name: `dataset/configuration` in the library's data folder (the environment's TFDS_DATA_DIR), or the folder of
        one prepared version.
      split: its split, in the library's notation (`train[:10%]`).
      fields: where a row keeps its text.

    Raises:
      ValueError: there is no such dataset or split, or it was not prepared as array_record, the only one of the
        library's formats that is read whole without TensorFlow.
    """
    builder = _builder(name)
    if not builder.info.splits:
        raise ValueError(f"tfds:{name} is not prepared in {builder.data_path}. {HOW_TO_PREPARE.format(name=name)}")
    if builder.info.file_format.value != "array_record":
        raise ValueError(
            f"tfds:{name} was prepared as {builder.info.file_format.value}, which needs TensorFlow. "
            f"{HOW_TO_PREPARE.format(name=builder.name)}"
        )
    try:
        source = builder.as_data_source(split)
    except (ValueError, OSError) as error:
        splits = listed(builder.info.splits)
        raise ValueError(f"tfds:{name}:{split} cannot be opened ({brief(error)}). Name one of its splits: {splits}.") from error
    fields.columns(list(builder.info.features), f"tfds:{name}:{split}")

    def rows() -> Iterator[tuple[int, Mapping]]:
        for start in range(0, len(source), ROWS_PER_READ):
            positions = range(start, min(start + ROWS_PER_READ, len(source)))
            yield from enumerate(source.__getitems__(positions), start + 1)

    return _label(builder.info.full_name, split), rows


def version_of(scheme: str, name: str) -> str | None:
    """Returns a dataset's version: TensorFlow Datasets' own, or the commit of the hub's files; None where neither is known.

    Args:
      scheme: 'tfds' or 'hf'.
      name: as `tfds` and `hub` take it.
    """
    return str(_builder(name).info.version) if scheme == "tfds" else hub_datasets.commit(name)


def _builder(name: str):
    import tensorflow_datasets

    if Path(name).is_absolute() or Path(name).is_dir():
        try:
            return tensorflow_datasets.builder_from_directory(name)
        except OSError as error:
            raise ValueError(
                f"{name} is not the folder of a prepared TensorFlow dataset ({brief(error)}). "
                "Name the folder with dataset_info.json in it."
            ) from error
    importlib.import_module("tensorflow_datasets.text")  # GLUE, Wikipedia and others are known only once it is imported
    dataset = re.split("[/:]", name)[0]
    known = tensorflow_datasets.list_builders(with_community_datasets=False)
    if dataset not in known:
        nearest = listed(difflib.get_close_matches(dataset, known))
        raise ValueError(f"TensorFlow Datasets knows no {dataset!r}; names like it: {nearest}. Correct it, or give its folder.")
    try:
        return tensorflow_datasets.builder(name)
    except ValueError as error:
        configurations = listed(tensorflow_datasets.builder_cls(dataset).builder_configs)
        raise ValueError(f"tfds:{name} is unknown; {dataset} has the configurations {configurations}. Name one.") from error


def _arrow_rows(dataset, fields: Fields, place: str) -> Rows:
    tables = dataset.select_columns(fields.columns(dataset.column_names, place)).with_format("arrow")

    def rows() -> Iterator[tuple[int, Mapping]]:
        try:
            yield from table_rows(tables.iter(ROWS_PER_READ), place)
        except (pa.ArrowException, OSError, LookupError) as error:
            raise ValueError(f"{place} cannot be read to its end ({brief(error)}). Save or download it again.") from error

    return rows


def _label(name: str, split: str) -> str:
    return f"{name}:{split}" if split else name
