"""The values of single items, prompts or questions, that a cell was measured on: two cells of one seed are paired by them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gotd_jax.files import whole_file

FILE = "items.parquet"


def write(folder: str | os.PathLike, values: Mapping[str, Mapping[str, float]]) -> None:
    """Writes `items.parquet` into `folder`: a row an item, its `id`, and float64 columns, null where an item has no value.

    Args:
      folder: of a cell's scores.
      values: of each item, by its id, by the table's column; on its scale, so that their mean is the cell's number.
    """
    ids = list(dict.fromkeys(name for of_column in values.values() for name in of_column))
    columns = {column: pa.array([of.get(name) for name in ids], pa.float64()) for column, of in values.items()}
    with whole_file(Path(folder) / FILE) as partial:
        pq.write_table(pa.table({"id": ids, **columns}), partial)


def read(folder: str | os.PathLike) -> dict[str, dict[str, float]]:
    """Returns each item's value by its id, by column, as `write` took them; empty where the folder has none."""
    path = Path(folder) / FILE
    if not path.exists():
        return {}
    table = pq.read_table(path)
    ids = table["id"].to_pylist()
    return {
        column: {name: value for name, value in zip(ids, table[column].to_pylist()) if value is not None}
        for column in table.column_names
        if column != "id"
    }
