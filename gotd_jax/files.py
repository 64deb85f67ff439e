"""Files and folders that appear whole or not at all, JSON in them, and a lock that processes share."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def cache_folder() -> Path:
    """Returns where downloads and compiled programs are kept: $GOTD_CACHE, or `gotd_jax` in $XDG_CACHE_HOME or ~/.cache."""
    own = os.environ.get("GOTD_CACHE")
    if own:
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gotd_jax"


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path; the file written there appears at `path` whole, or not at all.

    The parent folder is made where it is missing. If the body raises, the temporary file is removed and an
    earlier one at `path` still stands.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        _flush(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a new temporary folder; it becomes the folder `path` when it is complete, or is removed.

    The parent folder is made where it is missing. If the body raises, the temporary folder is removed.

    Raises:
      OSError: something other than an empty folder has come to lie at `path` meanwhile.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    try:
        yield partial
        flush_folder(partial)
        os.rename(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_json(path: str | os.PathLike, content: Any) -> None:
    """Writes `content` as indented JSON, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def write_json_lines(path: str | os.PathLike, records: Iterable[Mapping]) -> None:
    """Writes a line of JSON for each record into a file of a folder that is not whole yet."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in records)


def read_json(path: str | os.PathLike) -> Any:
    """Returns the content of a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_object(path: str | os.PathLike) -> dict[str, Any]:
    """Returns the JSON object that a fetched file holds.

    Raises:
      ValueError: it holds none.
    """
    try:
        content = read_json(path)
    except ValueError as error:
        raise ValueError(f"{path} is no JSON ({error}). Fetch it again.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__} and not a JSON object. Fetch it again.")
    return content


@contextlib.contextmanager
def lock(folder: str | os.PathLike, *, waiting: str = "") -> Iterator[None]:
    """Makes `folder` where it is missing and locks it: of all processes that ask for it, one at a time is inside.

    Args:
      folder: may be renamed or removed by the process that holds the lock.
      waiting: printed on stderr if another process holds it.
    """
    descriptor = None
    while descriptor is None:
        descriptor = _acquire(Path(folder), waiting)
    try:
        yield
    finally:
        os.close(descriptor)  # which also releases the lock


def flush_folder(folder: Path) -> None:
    """Makes the system write `folder` and all below it to the disk."""
    for path in (*folder.rglob("*"), folder):
        _flush(path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _acquire(folder: Path, waiting: str) -> int | None:
    """Returns the descriptor of `folder`, locked; None if the process that held it before has renamed or removed it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except (FileExistsError, FileNotFoundError):  # it was renamed or removed while it was looked for
        if folder.is_file():
            raise
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if waiting:
            print(waiting, file=sys.stderr, flush=True)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(descriptor), os.stat(folder)):
            return descriptor
    os.close(descriptor)
    return None
