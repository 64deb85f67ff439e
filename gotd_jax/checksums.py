"""Checksums of files: SHA-256, by which contents are told apart, and never by size and time, which a copy can keep."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

SETTLED_SECONDS = 2.0  # clocks of file systems tick coarsely: a file changed more lately may change again unseen
_KNOWN: dict[str, tuple[tuple[int, ...], str]] = {}


def sha256(path: str | os.PathLike) -> str:
    """Returns the SHA-256 of a file's bytes, in hex.

    A file is read once a process, and again as soon as the system noted a change: its `ctime`, beside device, inode and size.
    No program can set that time, as `cp -p`, `rsync` and `tar` set the time of modification. Nothing is remembered beyond
    the process.

    Raises:
      ValueError: the file cannot be read.
    """
    path = os.path.abspath(path)
    try:
        found = _state(path)
        known = _KNOWN.get(path)
        if known and known[0] == found:
            return known[1]
        began = time.time_ns()
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        settled = began - os.stat(path).st_ctime_ns > SETTLED_SECONDS * 1e9
        if settled and _state(path) == found:
            _KNOWN[path] = found, digest
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}). Check that it is there, and whose it is.") from error
    return digest


def _state(path: str | os.PathLike) -> tuple[int, ...]:
    """Returns numbers that change with the file: device, inode, size and the times of its last modification and change."""
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def digest_of(paths: Iterable[Path]) -> str:
    """Returns the SHA-256 over the contents of `paths`, in their order, in hex, whatever their names and places."""
    total = hashlib.sha256()
    for path in paths:
        total.update(bytes.fromhex(sha256(path)))
    return total.hexdigest()
