"""The files of a folder, a glob or a name, and the files among them that are left out, with the reasons."""

from __future__ import annotations

import dataclasses
import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gotd_jax.data.fields import listed
from gotd_jax.data.formats import SUPPORTED, format_of, plain_text

# Files that lie beside data and describe it.
COMPANIONS = re.compile(
    r"(readme|licen[cs]e|copying|notice|contributing|citation|change(log|s)|code_of_conduct|requirements|(md5|sha\d+)sums?|"
    r"checksums?|_success)\b.*",
    re.IGNORECASE,
)
DESCRIPTIONS = {"dataset_info.json", "dataset_infos.json"}
EXPECTED = {".md", ".rst", ".py", ".sh", ".yaml", ".yml", ".toml", ".lock"}  # files that are obviously no data
UNFINISHED = "_temporary"  # files that Spark is still writing
WARNED = 0.01  # share of a source's bytes from which files left out give a warning, of whatever kind
SPLITS = re.compile(r"(?<![a-z])(train|test|dev|valid|validation|val|eval)(?![a-z])", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A file, or a link to a folder, that was found in a source and not read.

    Attributes:
      name: relative to the source's folder.
      bytes: of it.
      why: in a few words.
      expected: whether it is obviously no data: README.md, a hidden file.
    """

    name: str
    bytes: int
    why: str
    expected: bool = False


@dataclasses.dataclass(frozen=True)
class Listing:
    """The files of a source.

    Attributes:
      files: to be read, in order; each of a known format.
      left_out: the files and links that lie beside them, sorted.
    """

    files: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()


def find(path: Path, source: str) -> Listing:
    """Returns the files of `path`: a file, a folder with all below it, or a glob.

    Args:
      path: of the source, `~` already expanded.
      source: the path as the person wrote it.

    Raises:
      ValueError: nothing is there, a named file is of no known format, or a folder has no file of a known one.
    """
    if path.is_dir():
        return _of_folder(path)
    if path.exists():
        return Listing((_known(path),))
    if not glob.has_magic(source):
        raise ValueError(f"There is no file or folder {source}. Check the path, and that it is seen from {Path.cwd()}.")
    found = [file for file in map(Path, glob.glob(str(path), recursive=True)) if file.is_file()]
    if not found:
        raise ValueError(f"No file matches {source}. Check the pattern, and that it is seen from {Path.cwd()}.")
    # A link to a folder above it, and every folder below is found again and again.
    once = {(os.path.realpath(file.parent), file.name): file for file in sorted(found, reverse=True)}
    common = Path(os.path.commonpath([file.absolute().parent for file in found]))
    return _parted(sorted(map(_known, once.values())), common, source)


def _known(file: Path) -> Path:
    if format_of(file) is None:
        raise ValueError(f"{file} is of no supported format. Those are told by the name's end: {SUPPORTED}.")
    return file


def _of_folder(folder: Path) -> Listing:
    if (folder / "dataset_info.json").is_file() and (folder / "features.json").is_file():
        raise ValueError(f"{folder} is a prepared TensorFlow dataset. Write it as tfds:{folder}:train, or another split.")
    found = dict(_walk(folder))
    left_out = [_left(path, folder, why) for path, why in found.items() if why]
    return _parted(sorted(path for path, why in found.items() if not why), folder, str(folder), left_out)


def _walk(top: Path) -> Iterator[tuple[Path, str | None]]:
    """Yields all but folders below `top`, through links too but each folder once, and why it is no file to read, if so."""
    seen, folders, links = set(), [top], []
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)  # links last, so that a folder is found where it really lies
        real = os.path.realpath(folder)
        if real in seen or (os.path.commonpath([real, os.path.realpath(top)]) == real and folder != top):
            yield folder, "a link to a folder that is read already, or that it lies in"
            continue
        seen.add(real)
        for path in _entries(folder):
            if path.name.startswith("."):
                yield path, "hidden"
            elif path.name == UNFINISHED:
                yield path, "still being written"
            elif path.is_dir():
                (links if path.is_symlink() else folders).append(path)
            elif path.is_file():
                yield path, None
            else:
                yield path, "a link to nothing" if path.is_symlink() else "no file"


def _entries(folder: Path) -> list[Path]:
    if (folder / "state.json").is_file() or (folder / "dataset_dict.json").is_file():
        raise ValueError(f"{folder} is a dataset of its own, saved by `save_to_disk`. Name it, and others like it, separately.")
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise ValueError(f"{folder} cannot be looked into ({error.strerror}). Check whose it is, or name its files.") from error


def _parted(files: Sequence[Path], folder: Path, source: str, left_out: Iterable[LeftOut] = ()) -> Listing:
    """Returns the listing of files that were found and not named one by one: files that are no data are left out.

    Plain text is data only where it is alone: beside JSON Lines or Parquet it describes them.
    """
    reasons = {path: _reason(path) for path in files}
    read = [path for path in files if reasons[path] is None]
    texts = [path for path in read if format_of(path) is plain_text]
    if len(texts) < len(read):
        reasons |= dict.fromkeys(texts, "plain text beside data")
        read = [path for path in read if reasons[path] is None]
    if not read:
        endings = listed(sorted({path.suffix or path.name for path in files}))
        raise ValueError(
            f"{source} has no file of a supported format; the endings of its files: {endings}. The formats are {SUPPORTED}."
        )
    found = [_left(path, folder, why) for path, why in reasons.items() if why]
    return Listing(tuple(read), tuple(sorted((*left_out, *found), key=lambda entry: entry.name)))


def _reason(path: Path) -> str | None:
    """Returns why a file is no data, None where it is."""
    if path.name in DESCRIPTIONS or (format_of(path) in (None, plain_text) and COMPANIONS.fullmatch(path.name)):
        return "about the data, by its name"
    if format_of(path) is None:
        return f"of no supported format ({path.suffix or 'no ending'})"
    return None


def _left(path: Path, folder: Path, why: str) -> LeftOut:
    size = path.stat().st_size if path.is_file() else 0
    expected = why == "hidden" or path.suffix.lower() in EXPECTED or path.name in DESCRIPTIONS
    expected = expected or (not path.suffix and bool(COMPANIONS.fullmatch(path.name)))
    return LeftOut(os.path.relpath(path.absolute(), folder.absolute()), size, why, expected)


def remarks(name: str, listing: Listing) -> list[str]:
    """Returns sentences about surprises in a source: files that were left out, and several splits in it.

    Licences and hidden files alone give no sentence, unless they are a hundredth of the bytes.

    Args:
      name: of the source, for the sentence.
      listing: its files.
    """
    said, left_out = [], listing.left_out
    read = sum(file.stat().st_size for file in listing.files)
    share = sum(entry.bytes for entry in left_out) / max(read + sum(entry.bytes for entry in left_out), 1)
    if share > WARNED or not all(entry.expected for entry in left_out):
        total = len(listing.files) + len(left_out)
        said.append(
            f"Of the {total:,} files of {name}, {len(left_out):,} ({share:.1%} of the bytes) were left out: "
            f"{listed(f'{entry.name} ({entry.why})' for entry in left_out)}. Name a file by itself for it to be read, or "
            f"convert it; the formats are {SUPPORTED}."
        )
    splits = _splits(listing.files)
    if len(splits) > 1:
        said.append(
            f"{name} has files of the splits {' and '.join(splits)}; all of them were read. Name the files of one if that is "
            "not meant."
        )
    return said


def _splits(files: Sequence[Path]) -> list[str]:
    common = os.path.commonpath([file.absolute().parent for file in files])
    names = (SPLITS.search(file.absolute().relative_to(common).as_posix()) for file in files)
    return sorted({found[1].lower() for found in names if found})
