"""Stages on disk: readable folders that are whole or absent, each beside the settings that made it."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

SETTINGS = "settings.json"
MADE = "made.json"


@dataclasses.dataclass
class _Making:
    """A stage being made: the stages that it asked for, with the seconds of each, and the time that went into asking."""

    asked_for: dict[str, float] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0


_MAKING: contextvars.ContextVar[_Making | None] = contextvars.ContextVar("making", default=None)


def cache_folder() -> Path:
    """Returns where downloads and compiled programs are kept: $GOTD_CACHE, or `gotd_jax` in $XDG_CACHE_HOME or ~/.cache."""
    own = os.environ.get("GOTD_CACHE")
    if own:
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gotd_jax"


def fingerprint(settings: Any) -> str:
    """Returns 16 hex digits that identify JSON-like `settings`, whatever the order of their keys."""
    text = json.dumps(settings, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path; what is written there appears at `path` at once, or not at all.

    The parent folder is made where it is missing. If the body raises, the temporary file is removed and what stood at
    `path` before still stands.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a new temporary folder; what is written there appears as the folder `path` at once, or not at all.

    The parent folder is made where it is missing. If the body raises, the temporary folder is removed.

    Raises:
      OSError: something other than an empty folder has come to lie at `path` meanwhile.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    try:
        yield partial
        _sync(partial)
        os.rename(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_json(path: str | os.PathLike, content: Any) -> None:
    """Writes `content` as indented JSON, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


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


def stage(folder: str | os.PathLike, settings: Mapping[str, Any], make: Callable[[Path], None]) -> Path:
    """Returns `folder`, made by `make` unless it is there already.

    `make` gets the path of a `.partial` folder beside the final one, which is renamed when `make` returns. If an
    earlier attempt was stopped, `make` gets its partial folder as it was left, so that it can go on from there; a
    partial folder of other settings is cleared first. While one process makes a stage, others that ask for it wait, and
    take it as it was made. How long the last attempt took is kept in `made.json`, without what it took to make
    stages that `make` asked for; those are named beside it (see `seconds_of`).

    Args:
      folder: where the stage lies.
      settings: everything the content depends on, JSON-like; kept in the folder as `settings.json`.
      make: writes the content into the folder it is given.

    Raises:
      ValueError: `folder` exists and was made with other settings (the differing ones are named).
    """
    folder, began = Path(folder), time.perf_counter()
    settings = json.loads(json.dumps(settings, default=str))
    if not folder.exists():
        partial = folder.with_name(folder.name + ".partial")
        with turn(partial, waiting=f"Another process is making {folder.name}; this one waits for it."):
            if folder.exists():  # another process made it meanwhile
                partial.rmdir()
            else:
                _make(partial, settings, make)
                os.replace(partial, folder)
    _check_settings(folder, settings)
    if outer := _MAKING.get():
        outer.asked_for |= seconds_of(folder)
        outer.seconds += time.perf_counter() - began
    return folder


@contextlib.contextmanager
def turn(folder: str | os.PathLike, *, waiting: str = "") -> Iterator[None]:
    """Makes `folder` where it is missing and holds it: of all processes that ask for it, one at a time is inside.

    Args:
      folder: may be renamed or removed by who holds it.
      waiting: what is said if another process holds it.
    """
    descriptor = None
    while descriptor is None:
        descriptor = _hold(Path(folder), waiting)
    try:
        yield
    finally:
        os.close(descriptor)  # which also lets go


def _hold(folder: Path, waiting: str) -> int | None:
    """Returns the descriptor of `folder`, locked; None if whoever held it before has renamed or removed it."""
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


def seconds_of(folder: str | os.PathLike) -> dict[str, float]:
    """Returns how long the stage in `folder` and every stage that it was made from took to make, whenever that was.

    By name, `parent/folder`, the stage itself last; seconds, of each without the others.
    """
    made = read_json(Path(folder) / MADE)
    return made["asked_for"] | {_name(Path(folder)): made["seconds"]}


def _name(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def _make(partial: Path, settings: Mapping[str, Any], make: Callable[[Path], None]) -> None:
    if _settings_of(partial) != settings:
        for path in partial.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    write_json(partial / SETTINGS, settings)
    making, began = _Making(), time.perf_counter()
    outside = _MAKING.set(making)
    try:
        make(partial)
    finally:
        _MAKING.reset(outside)
    seconds = time.perf_counter() - began - making.seconds
    write_json(partial / MADE, {"seconds": round(seconds, 3), "asked_for": making.asked_for})
    _sync(partial)


def _settings_of(folder: Path) -> Any:
    path = folder / SETTINGS
    return read_json(path) if path.exists() else None


def _check_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    found = _settings_of(folder)
    if found is None:
        raise ValueError(f"{folder} has no {SETTINGS}, so it is no stage of ours. Move it away or choose another workdir.")
    differing = sorted(key for key in {*found, *settings} if found.get(key) != settings.get(key))
    if differing:
        described = "; ".join(f"{key} was {found.get(key)!r}, now {settings.get(key)!r}" for key in differing)
        raise ValueError(f"{folder} was made with other settings: {described}. Delete it or choose another workdir.")


def _sync(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
