"""A candidate pool: each source read and cut into chunks once, kept in the work folder, and sampled."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data import sampling
from gotd_jax.data.chunks import chunk_records
from gotd_jax.data.corpus import Corpus
from gotd_jax.files import read_json, write_json
from gotd_jax.pipeline.sources import Opened, Packaged, Source

CHUNKS, CONTENTS = "chunks.arrow", "contents.json"


@dataclasses.dataclass(frozen=True)
class Chunking:
    """How texts become chunks; see `gotd_jax.data.chunks.chunk`.

    Attributes:
      characters: of a chunk; None or 0 cuts nothing.
      short: treatment of a shorter text: 'keep', 'drop' or 'join'.
      long: treatment of a longer text: 'split' or 'cut'.
    """

    characters: int | None = 1000
    short: str = "keep"
    long: str = "split"


@dataclasses.dataclass(frozen=True)
class Pool:
    """The candidates of a selection, before any chunk is refused.

    Attributes:
      corpus: the chunks, mapped; those of a source follow each other.
      contents: of each source a dict: name, source, version, left_out (files), texts, chunks and their fingerprint. The
        version is the package's, the TensorFlow dataset's or the hub's commit; files have none but the fingerprint.
    """

    corpus: Corpus
    contents: list[dict]


def read(sources: Sequence[Source | Packaged], chunking: Chunking, work: Path) -> Pool:
    """Returns the pool of all `sources`, each read once and kept whole in `work`, so that any sample can be drawn from it.

    All that must be read are opened before the first is read whole: a fault in the last is met at once.

    Args:
      sources: of different names.
      chunking: how texts become chunks.
      work: where chunks are kept.

    Raises:
      ValueError: a source cannot be read, changed while it was read, or no text of it is as long as a chunk.
    """
    commits = _commits(work)
    identities = [_identity(source, chunking) for source in sources]  # once, for they hash whole files
    for source, identity in zip(sources, identities):
        if not _folder(source, identity, work).exists():
            source.opened(commits)
    parts = [_part(source, chunking, identity, work) for source, identity in zip(sources, identities)]
    return Pool(Corpus.concatenate([corpus for corpus, _ in parts]), [contents for _, contents in parts])


def is_kept(source: Source | Packaged, chunking: Chunking, work: Path) -> bool:
    """Returns whether the chunks of a source lie in `work`, so that it is not read again."""
    return _folder(source, _identity(source, chunking), work).is_dir()


def _identity(source: Source | Packaged, chunking: Chunking) -> dict:
    return source.identity() | dataclasses.asdict(chunking)


def _folder(source: Source | Packaged, identity: dict, work: Path) -> Path:
    name = source.name.replace("/", "-")
    return work / "domains" / f"{name}-{fingerprint([source.name, identity])}"


def _commits(work: Path) -> dict[str, str]:
    """Returns the commits at which the hub's datasets in `work` were read, by their places."""
    contents = [read_json(path) for path in sorted(work.glob(f"domains/*/{CONTENTS}"))]
    return {str(entry["source"]): entry["version"] for entry in contents if entry["version"]}


def _part(source: Source | Packaged, chunking: Chunking, identity: dict, work: Path) -> tuple[Corpus, dict]:
    """Returns the chunks of a source that the pool takes, all or a sample of them, and their description."""
    folder = _chunked(source, chunking, identity, work)
    chunks, contents = Corpus.open(folder / CHUNKS), read_json(folder / CONTENTS)
    if source.most is None or len(chunks) <= source.most:
        return chunks, contents
    drawing = {"domain": folder.name, "most": source.most, "seed": source.seed}

    def make(partial: Path) -> None:
        rows = sampling.drawn(len(chunks), source.most, source.seed)
        np.save(partial / "rows.npy", rows)
        taken = chunks.take(rows)
        write_json(partial / CONTENTS, contents | {"chunks": len(taken), "fingerprint": taken.fingerprint})

    name = source.name.replace("/", "-")
    sample = stage(work / "samples" / f"{name}-{fingerprint(drawing)}", drawing, make, kind="samples")
    return chunks.take(np.load(sample / "rows.npy")), read_json(sample / CONTENTS)


def _chunked(source: Source | Packaged, chunking: Chunking, identity: dict, work: Path) -> Path:
    """Returns the folder of all chunks of a source and of their description, made once."""

    def make(partial: Path) -> None:
        opened = source.opened(_commits(work))
        texts, chunks = _chunks(source.name, opened, chunking, partial)
        origin = {"name": source.name, "source": source.label, "version": opened.version, "left_out": opened.left_out}
        write_json(partial / CONTENTS, origin | {"texts": texts, "chunks": len(chunks), "fingerprint": chunks.fingerprint})
        if _identity(source, chunking) != identity:  # else the chunks would be kept under the hashes of other files
            raise ValueError(f"A file of {source.name} changed while it was read. Start again when it is whole.")

    return stage(_folder(source, identity, work), identity, make, kind="domains")


def _chunks(name: str, opened: Opened, chunking: Chunking, folder: Path) -> tuple[int, Corpus]:
    """Returns how many texts of a source were read, and their chunks, mapped from `folder`."""
    read = itertools.count()
    records = (record for record, _ in zip(opened.records, read))
    pieces = itertools.islice(chunk_records(records, **dataclasses.asdict(chunking)), opened.most)
    chunks, texts = Corpus.from_records(pieces, folder / CHUNKS), next(read)
    if not len(chunks):
        raise ValueError(
            f"None of the {texts:,} texts of {name} has {chunking.characters:,} characters, so there are no chunks. Lower the "
            "number of characters, or keep or join what is shorter."
        )
    return texts, chunks
