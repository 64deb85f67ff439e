"""How much of the pool and the targets the model of a selection reads, and which texts it cannot read at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data import coverage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.coverage import Coverage
from gotd_jax.data.sampling import drawn
from gotd_jax.data.vector_file import keep_coverage, kept_coverage
from gotd_jax.methods import METHODS
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.tool.report_inputs import SAMPLE
from gotd_jax.tool.request import Request
from gotd_jax.tool.request_texts import RequestTexts

LISTED = 6  # warnings


@dataclasses.dataclass(frozen=True)
class ModelReading:
    """How much of the texts of a request is read.

    Attributes:
      max_length: tokens of a text that are read.
      pool: counts of `Coverage.summary` by the name of the domain.
      targets: the same counts by the name of the target.
      looked_at: chunks of the pool that were counted: all of them where the method reads embeddings, else a sample.
      unreadable: the chunks of the pool that the method cannot tell apart, bool [n]; none where it reads no embeddings.
      readable: the texts of each target that can be told apart, bool [m], by its name; all where no embeddings are read.
    """

    max_length: int
    pool: dict[str, dict[str, int]]
    targets: dict[str, dict[str, int]]
    looked_at: int
    unreadable: np.ndarray
    readable: dict[str, np.ndarray]

    def to_dict(self) -> dict:
        """Returns the counts JSON-like."""
        return {name: getattr(self, name) for name in ("max_length", "looked_at", "pool", "targets")}

    def warnings(self) -> list[str]:
        """Returns warnings about targets and domains with too much text unread or unknown: the first few, and how many more."""
        return warnings(self.pool, self.targets, self.max_length)


def measure_reading(texts: RequestTexts, request: Request, embedder: Embedder, work: Path) -> ModelReading:
    """Returns how much of `texts` the request's model reads; the counts of the pool are kept in `work`.

    Where embeddings are read, a text of whose tokens the tokeniser knows a tenth or less is no candidate and no part of a
    target: texts of unknown tokens differ in little but their length.

    Raises:
      ValueError: a target has no readable text.
    """
    whole = "embeddings" in METHODS[request.method].reads
    rows = np.arange(len(texts.pool)) if whole else drawn(len(texts.pool), SAMPLE, request.seed)
    read = _of_pool(texts.pool if whole else texts.pool.take(rows), embedder, work)
    of_targets = {name: embedder.count_coverage(corpus) for name, corpus in texts.targets.items()}
    readable = {name: ~found.unreadable if whole else np.ones(len(found.read), bool) for name, found in of_targets.items()}
    for name, kept in readable.items():
        if not kept.any():
            raise ValueError(
                f"No text of the target {name} can be read by {request.model}, whose tokeniser knows next to none of their "
                "tokens. Name a model that knows their script, or a method that reads no embeddings, such as dsir."
            )
    return ModelReading(
        max_length=embedder.how.max_length,
        pool=by_domain(read, texts.pool.domains[rows]),
        targets={name: found.summary() for name, found in of_targets.items()},
        looked_at=len(rows),
        unreadable=read.unreadable if whole else np.zeros(len(texts.pool), bool),
        readable=readable,
    )


def warnings(pool: Mapping[str, dict], targets: Mapping[str, dict], max_length: int) -> list[str]:
    """Returns the sentences of `ModelReading.warnings` for counts by the names of domains and targets."""
    found = [
        *((f"texts of the target {name}", counts) for name, counts in targets.items()),
        *((f"chunks of the pool{f' from {name}' * (len(pool) > 1)}", counts) for name, counts in pool.items()),
    ]
    said = [sentence for of, counts in found for sentence in coverage.warnings(counts, of, max_length)]
    more = [f"{len(said) - LISTED:,} more such warnings are left out here; `read` in the manifest has all counts."]
    return said if len(said) <= LISTED else said[:LISTED] + more


def by_domain(read: Coverage, domains: np.ndarray) -> dict[str, dict[str, int]]:
    """Returns the counts of each domain, in the order in which they are first met; `domains` are those of the texts, [n]."""
    names, first, inverse = np.unique(domains.astype(str), return_index=True, return_inverse=True)
    groups = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    return {str(names[place]): read.take(groups[place]).summary() for place in np.argsort(first)}


def _of_pool(pool: Corpus, embedder: Embedder, work: Path) -> Coverage:
    settings = {"corpus": pool.fingerprint, **embedder.reading}

    def make(folder: Path) -> None:
        keep_coverage(folder, embedder.count_coverage(pool))

    return kept_coverage(stage(work / f"read-{fingerprint(settings)}", settings, make, kind="coverage"))
