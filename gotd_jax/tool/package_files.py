"""A selection on disk: the chosen text in parts, the pool, the targets, and the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gotd_jax.checksums import sha256
from gotd_jax.data.corpus import Corpus
from gotd_jax.files import write_json, write_json_lines
from gotd_jax.pipeline.candidates import Candidates
from gotd_jax.tool.allocation import Allocation

MANIFEST = "manifest.json"
PACKAGES = ("jax", "jaxlib", "numpy", "ott-jax", "tokenizers", "datasketch")  # that the bytes of a selection depend on
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("domain", pa.string()),
        ("text", pa.large_string()),
        ("value", pa.float32()),
        ("rank", pa.int64()),
        ("row", pa.int64()),
        ("tokens", pa.int64()),
        ("target", pa.string()),
    ]
)


def write_parts(
    folder: Path, candidates: Candidates, allocation: Allocation, names: Sequence[str], *, parts: int, format: str
) -> None:
    """Writes the chosen text as `part-00000-of-00008.jsonl` or `.parquet` and so on, best first.

    A row has the chunk's id, domain, text, value (lower is better; null where the method gives none), rank from 0, row in
    the pool, tokens, and the target that it was chosen for.
    """
    for number, places in enumerate(np.array_split(np.arange(len(allocation.rows)), parts)):
        path = folder / f"part-{number:05d}-of-{parts:05d}.{format}"
        rows = list(_rows(candidates, allocation, names, places))
        if format == "parquet":
            pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path)
        else:
            write_json_lines(path, rows)


def _rows(candidates: Candidates, allocation: Allocation, names: Sequence[str], places: np.ndarray) -> Iterator[dict]:
    rows = allocation.rows[places]
    for place, row, record in zip(places, rows, candidates.corpus.take(rows)):
        values = allocation.selections[allocation.served[place]].values
        valued = values is not None and np.isfinite(values[row])
        yield {
            "id": record["id"],
            "domain": record["domain"],
            "text": record["text"],
            "value": float(str(values[row])) if valued else None,  # the shortest decimals of a float32
            "rank": int(place),
            "row": int(candidates.rows[row]),
            "tokens": int(allocation.tokens[place]),
            "target": names[allocation.served[place]],
        }


def write_pool(folder: Path, pool: Corpus, candidates: Candidates, allocation: Allocation) -> None:
    """Writes status and values of the pool's chunks: `pool.parquet` (id, domain, hash, status, first) and `values.npy`.

    `values.npy` is float32 [n], or [n, t] for t targets, in the pool's order; see `Candidates.over_pool`. It is absent where
    the method gives no values.
    """
    columns = {
        "id": pool.column("id"),
        "domain": pool.column("domain"),
        "hash": pool.column("hash"),
        "status": candidates.status(),
        "first": candidates.first,
    }
    pq.write_table(pa.table(columns), folder / "pool.parquet")
    values = [selection.values for selection in allocation.selections]
    if all(value is not None for value in values):
        whole = [candidates.over_pool(value) for value in values]
        np.save(folder / "values.npy", whole[0] if len(whole) == 1 else np.stack(whole, axis=1))


def write_targets(folder: Path, targets: Mapping[str, Corpus]) -> None:
    """Writes the texts of all targets, in the order of their potentials: `targets.parquet` (target, id, text)."""
    columns = {
        "target": [name for name, corpus in targets.items() for _ in range(len(corpus))],
        "id": [id for corpus in targets.values() for id in corpus.ids],
        "text": [text for corpus in targets.values() for text in corpus.texts()],
    }
    pq.write_table(pa.table(columns), folder / "targets.parquet")


def write_manifest(folder: Path, content: Mapping) -> None:
    """Writes `manifest.json`: `content`, and bytes and SHA-256 of every other file in `folder`, which must be there already."""
    files = {path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in sorted(folder.iterdir())}
    write_json(folder / MANIFEST, {**content, "files": files})


def versions() -> dict[str, str]:
    """Returns the versions of the packages that the bytes of a selection depend on, by name."""
    return {name: metadata.version(name) for name in ("gotd_jax", *PACKAGES)}


def without_seconds(found):
    """Returns JSON-like `found` without its `seconds`, so that a selection made again is the same to the byte."""
    if isinstance(found, Mapping):
        return {key: without_seconds(value) for key, value in found.items() if key != "seconds"}
    if isinstance(found, (list, tuple)):
        return [without_seconds(value) for value in found]
    return found
