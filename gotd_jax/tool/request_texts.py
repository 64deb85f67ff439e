"""The texts of a request, and whether they are still the same as when they were read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from gotd_jax.data import readers
from gotd_jax.data.chunks import chunk
from gotd_jax.data.corpus import Corpus
from gotd_jax.pipeline import pool as pools
from gotd_jax.pipeline.pool import Chunking
from gotd_jax.pipeline.sources import Source
from gotd_jax.tool.request import Request
from gotd_jax.tool.source_names import name_and_place, names_and_places

FILE = ("name", "bytes", "sha256")


@dataclasses.dataclass(frozen=True)
class RequestTexts:
    """The texts that a request names.

    Attributes:
      pool: chunks, mapped from the work folder; a row's domain is its source.
      targets: chunks of each target, by its name, in the order of the request; of targets that are one problem all of them,
        by their names together, and a row's domain is its target.
      tested: texts that must not be chosen; None where none are named.
      away: texts to move away from; None where none are named.
      reference: chunks of the kind that the model was pre-trained on; None where none are named.
      inputs: of each source that was read its side, name, place and version; the name, bytes and SHA-256 of its files; and the
        name and bytes of the files in its folders that are left out, and why they are.
      remarks: sentences about the sources, as `remarks` returns them.
    """

    pool: Corpus
    targets: dict[str, Corpus]
    tested: Corpus | None
    away: Corpus | None
    reference: Corpus | None
    inputs: list[dict]
    remarks: list[str]


def read(request: Request, work: Path) -> RequestTexts:
    """Returns the texts of `request`; the pool is kept in `work`, and read again only if a file has changed.

    Raises:
      ValueError: a source does not exist, is damaged, lacks a field, has no text, or changed while it was read; two targets
        have one name, or two sources of the pool.
    """
    found = _found(request)
    pool = pools.read(_of_pool(request), Chunking(request.characters), work)
    targets = {name: chunk(_of_target(place, request, name), request.characters) for name, place in target_places(request)}
    if request.together:
        targets = {" + ".join(targets): Corpus.concatenate(list(targets.values()))}
    reference = _joined(request.reference, request)
    texts = RequestTexts(
        pool=pool.corpus,
        targets=targets,
        tested=_joined(request.leak_check, request),
        away=_joined(request.away, request),
        reference=reference and chunk(reference, request.characters),
        inputs=_inputs(found, {contents["name"]: contents["version"] for contents in pool.contents}),
        remarks=remarks(request),
    )
    if _found(request) != found:
        raise ValueError("A file changed while it was read. Start again when all files of the request are whole.")
    return texts


def target_places(request: Request) -> list[tuple[str, str]]:
    """Returns the name and the place of each target.

    Raises:
      ValueError: two targets have one name.
    """
    places = [name_and_place(source) for source in request.target]
    names = [name for name, _ in places]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(f"Two targets are called {twice}. Name them apart, as in --target {twice}=... other=...")
    return places


def remarks(request: Request) -> list[str]:
    """Returns sentences about surprises in the sources of the pool and of the targets; see `readers.remarks`."""
    sides = (("the source", names_and_places(request.pool)), ("the target", target_places(request)))
    return [said for side, places in sides for name, place in places for said in readers.remarks(f"{side} {name}", place)]


def changed(written: Sequence[dict]) -> list[str]:
    """Returns a sentence for each difference between the sources now and `written`, the `inputs` of an earlier run."""
    found: dict[str, list] = {entry["side"]: [] for entry in written}
    try:
        for entry in written:
            place = entry["source"]
            found[entry["side"]].append((entry["name"], place, readers.describe(place, versions=entry["side"] != "pool")))
        now = _inputs(found, {})
    except ValueError as error:
        return [str(error)]
    before, after = ({file["name"]: file["sha256"] for entry in side for file in entry["files"]} for side in (written, now))
    faults = [f"{name} is no longer among the inputs." for name in before if name not in after]
    faults += [f"{name} was not among the inputs." for name in after if name not in before]
    faults += [f"{name} has changed." for name in before if name in after and before[name] != after[name]]
    versions = {entry["source"]: entry["version"] for entry in written}
    return faults + [
        f"{entry['source']} has the version {entry['version']}, and had {versions[entry['source']]}."
        for entry in now
        if entry["version"] != versions.get(entry["source"], entry["version"])
    ]


def _inputs(found: Mapping[str, list[tuple[str, str, list]]], versions: Mapping[str, str | None]) -> list[dict]:
    """Returns the inputs of the sources in `found`; those of the pool by name in `versions` have the version given there."""
    return [
        {
            "side": side,
            "name": name,
            "source": place,
            "version": versions[name] if side == "pool" and name in versions else readers.version(place),
            "files": [dict(zip(FILE, entry)) for entry in entries if len(entry) == len(FILE)],
            "left_out": [{"name": left.name, "bytes": left.bytes, "why": left.why} for left in readers.left_out(place)],
        }
        for side, sources in found.items()
        for name, place, entries in sources
    ]


def _found(request: Request) -> dict[str, list[tuple[str, str, list]]]:
    """Returns for each side the name, the place and the description of its sources: the files that are there now."""
    places = {"pool": names_and_places(request.pool), "target": target_places(request)}
    places |= {side: list(map(name_and_place, getattr(request, side))) for side in ("leak_check", "away", "reference")}
    return {
        side: [(name, place, readers.describe(place, versions=side != "pool")) for name, place in sources]
        for side, sources in places.items()
    }


def _of_pool(request: Request) -> list[Source]:
    fields = {"text_field": request.text_field, "id_field": request.id_field, "domain_field": request.domain_field}
    return [Source(name, place, **fields) for name, place in names_and_places(request.pool)]


def _joined(named_sources: Sequence[str], request: Request) -> Corpus | None:
    parts = [_of_target(place, request, name) for name, place in map(name_and_place, named_sources)]
    return Corpus.concatenate(parts) if parts else None


def _of_target(place: str, request: Request, name: str) -> Corpus:
    field = request.target_text_field or request.text_field
    return readers.read(place, text_field=field, id_field=request.id_field, domain=name)
