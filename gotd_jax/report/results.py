"""`results.jsonl`: one row per cell, written by processes that share the file."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import numpy as np

from gotd_jax.files import lock, whole_file


def write(path: str | os.PathLike, row: dict) -> None:
    """Adds `row` to the file at `path`, in place of the row of the same `cell` and `config` if there is one.

    Cells of different configs can be one: the score of `none` depends on no epsilon. Rows of another `code` are dropped:
    a table is of one version of the code.

    The file is rewritten whole, ordered by task, method, budget, seed and cell. Processes that share it wait for each other.

    Raises:
      ValueError: the row names no cell, or holds a number that is not finite.
    """
    if not row.get("cell"):
        raise ValueError(f"A row of results needs a 'cell' to be told by; this one has {', '.join(row) or 'nothing'}.")
    path = Path(path)
    with lock(path.parent):
        rows = {_key(old): old for old in read(path) if old.get("code") == row.get("code")} if path.exists() else {}
        rows[_key(row)] = row
        lines = [_line(row) for row in sorted(rows.values(), key=_order)]
        with whole_file(path) as partial:
            partial.write_text("".join(lines), encoding="utf-8")


def read(path: str | os.PathLike) -> list[dict]:
    """Returns the rows of the file at `path`, or of one compressed to `.gz`, in its order.

    Raises:
      ValueError: a line is no JSON object with a cell.
    """
    opened = gzip.open if Path(path).suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:  # its lines end at line feeds only, as those of str.splitlines do not
        return [_parsed(line, f"Line {number} of {path}") for number, line in enumerate(file, 1)]


def _key(row: dict) -> tuple:
    return row["cell"], row.get("config", "")


def _order(row: dict) -> tuple:
    return row.get("task", ""), row.get("method", ""), row.get("budget", 0), row.get("seed", 0), *_key(row)


def _parsed(line: str, where: str) -> dict:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict) or "cell" not in row:
        raise ValueError(f"{where} is no row of results: {line[:80]!r}. Remove the line.")
    return row


def _line(row: dict) -> str:
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False, default=_plain) + "\n"
    except ValueError as error:
        raise ValueError(f"The row of cell {row['cell']} holds a number that is not finite, and is not kept: {row}.") from error


def _plain(value):
    """Returns `value` in a type that JSON has: NumPy's numbers as numbers, any other object (a path) as text."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
