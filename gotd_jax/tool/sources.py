"""The texts of a request, read and cut into chunks once, and what tells whether they are still the same."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data import readers
from gotd_jax.data.chunks import chunk
from gotd_jax.data.corpus import Corpus
from gotd_jax.tool.request import Request, named

SIDES = ("pool", "target", "leak_check", "away")


@dataclasses.dataclass(frozen=True)
class Texts:
    """What a request names, read.

    Attributes:
      pool: chunks, mapped from the work folder; a row's domain is its source.
      targets: chunks of each target, by its name, in the order of the request.
      tested: texts that must not be chosen; None where none are named.
      away: texts to move away from; None where none are named.
      inputs: what was read, as `inputs` returns it.
    """

    pool: Corpus
    targets: dict[str, Corpus]
    tested: Corpus | None
    away: Corpus | None
    inputs: list[dict]


def read(request: Request, work: Path) -> Texts:
    """Returns the texts of `request`; the pool is kept in `work`, and read again only if a file has changed.

    Raises:
      ValueError: a source does not exist, is damaged, lacks a field, has no text, or changed while it was read; two targets
        have one name.
    """
    found = _found(request)
    settings = {
        "sources": found["pool"],
        "fields": [request.text_field, request.id_field, request.domain_field],
        "characters": request.characters,
    }

    def make(folder: Path) -> None:
        texts = Corpus.from_records(_pool_records(request), folder / "texts.arrow")
        chunk(texts, request.characters, path=folder / "pool.arrow")
        (folder / "texts.arrow").unlink()

    pool = Corpus.open(stage(work / f"pool-{fingerprint(settings)}", settings, make, kind="tool_pools") / "pool.arrow")
    targets = {name: chunk(_of_target(place, request, name), request.characters) for name, place in target_places(request)}
    texts = Texts(pool, targets, _joined(request.leak_check, request), _joined(request.away, request), inputs(request))
    if _found(request) != found:
        raise ValueError("A file changed while it was read. Start again when all that the request names is whole.")
    return texts


def target_places(request: Request) -> list[tuple[str, str]]:
    """Returns the name and the place of each target.

    Raises:
      ValueError: two have one name.
    """
    places = [named(source) for source in request.target]
    names = [name for name, _ in places]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(f"Two targets are called {twice}. Name them apart, as in --target {twice}=... other=...")
    return places


def inputs(request: Request) -> list[dict]:
    """Returns what the request reads: side, name, source and version of each, and of its files name, bytes and SHA-256."""
    found = []
    for side in SIDES:
        for name, place in map(named, getattr(request, side)):
            origin = {"side": side, "name": name, "source": place, "version": readers.version(place)}
            files = [{"name": entry[0], "bytes": entry[1], "sha256": sha256(entry[0])} for entry in _local(place)]
            found.append(origin | {"files": files})
    return found


def changed(written: Sequence[dict], request: Request) -> list[str]:
    """Returns sentences about what is no longer as `written`, the `inputs` of an earlier run, has it."""
    try:
        now = inputs(request)
    except ValueError as error:
        return [str(error)]
    before, after = ({file["name"]: file["sha256"] for entry in side for file in entry["files"]} for side in (written, now))
    faults = [f"{name} is no longer among the inputs." for name in before if name not in after]
    faults += [f"{name} was not among the inputs." for name in after if name not in before]
    return faults + [f"{name} has changed." for name in before if name in after and before[name] != after[name]]


def sha256(path: str | Path) -> str:
    """Returns the SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _found(request: Request) -> dict[str, list]:
    """Returns for each side what tells, without reading, whether its sources are still the same."""
    return {side: [[name, readers.describe(place)] for name, place in map(named, getattr(request, side))] for side in SIDES}


def _pool_records(request: Request) -> Iterator[dict]:
    fields = {"text_field": request.text_field, "id_field": request.id_field, "domain_field": request.domain_field}
    opened = [readers.records(place, domain=name, **fields) for name, place in map(named, request.pool)]
    return itertools.chain.from_iterable(opened)


def _joined(named_sources: Sequence[str], request: Request) -> Corpus | None:
    parts = [_of_target(place, request, name) for name, place in map(named, named_sources)]
    return Corpus.concatenate(parts) if parts else None


def _of_target(place: str, request: Request, name: str) -> Corpus:
    field = request.target_text_field or request.text_field
    return readers.read(place, text_field=field, id_field=request.id_field, domain=name)


def _local(place: str) -> list[list]:
    """Returns the entries of `readers.describe` that are files, and not the names of what a library keeps."""
    return [entry for entry in readers.describe(place) if len(entry) > 1]
