"""`results.jsonl`, a row a cell, and where a row's numbers came from."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path

import numpy as np

import gotd_jax
from gotd_jax import devices, machine
from gotd_jax.artifacts import turn, whole_file

PACKAGES = ("jax", "jaxlib", "flax", "optax", "ott-jax", "numpy")


def write(path: str | os.PathLike, row: dict) -> None:
    """Adds `row` to the file at `path`, in place of the row of the same `cell` and `config` if there is one.

    Cells of different configs can be one: what `none` scores depends on no epsilon.

    The file is rewritten whole, ordered by task, method, budget, seed and cell. Processes that share it take turns.

    Raises:
      ValueError: the row names no cell, or holds a number that is not finite.
    """
    if not row.get("cell"):
        raise ValueError(f"A row of results needs a 'cell' to be told by; this one has {', '.join(row) or 'nothing'}.")
    path = Path(path)
    with turn(path.parent):
        rows = {_key(old): old for old in read(path)} if path.exists() else {}
        rows[_key(row)] = row
        lines = [_line(row) for row in sorted(rows.values(), key=_order)]
        with whole_file(path) as partial:
            partial.write_text("".join(lines), encoding="utf-8")


def read(path: str | os.PathLike) -> list[dict]:
    """Returns the rows of the file at `path`, in its order.

    Raises:
      ValueError: a line is no JSON object with a cell.
    """
    with open(path, encoding="utf-8") as file:  # its lines end at line feeds only, as those of str.splitlines do not
        return [_parsed(line, f"Line {number} of {path}") for number, line in enumerate(file, 1)]


def provenance() -> dict:
    """Returns what a row's numbers were made with and on, JSON-like.

    `commit` is that of the checkout this package runs from, and `modified` whether files differ from it; outside a
    checkout they are None, and `version` tells. Then Python's and the packages' versions, the devices, and the machine.
    """
    return {**_code(), "versions": _versions(), "device": devices.describe(), "machine": machine.describe()}


@functools.cache
def _code() -> dict:
    root = Path(gotd_jax.__file__).parents[1]
    commit = _git(root, "rev-parse", "HEAD") if (root / ".git").exists() else None
    modified = None if commit is None else bool(_git(root, "status", "--porcelain"))
    return {"version": gotd_jax.__version__, "commit": commit, "modified": modified}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        run = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # no git here, or no commit yet
        return None
    return run.stdout.strip()


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}


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
    """Returns what JSON can hold in place of `value`: NumPy's numbers as numbers, anything else (a path) as text."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
