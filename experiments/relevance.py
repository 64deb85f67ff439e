"""The domain relevance test (App. D.2): how far each domain of a pool lies from the target, and the pool of the closest."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from gotd_jax import ot
from gotd_jax.artifacts import fingerprint, seconds_of, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.sampling import drawn
from gotd_jax.files import read_json, write_json
from gotd_jax.methods import METHODS, find

SHARES = ("equal", "relevance")
# The published code's options for this problem.
PUBLISHED = {**ot.PUBLISHED, "epsilon": 0.5, "momentum": 1.2, "threshold": 5e-2}


def applies(config) -> bool:
    """Returns whether the config's method chooses from the closest domains alone.

    `none` chooses nothing; methods that read the domains (`all_domains`, `dapt`) choose from the whole pool by definition.
    """
    settings, method = config.pool.relevance, METHODS[config.method]
    by_default = method.selects and "domains" not in method.reads
    return settings.keep is not None and (method.name in settings.methods if settings.methods else by_default)


def check(config, pool: Corpus) -> None:
    """Raises ValueError where the test cannot be made of `pool`, or leaves fewer candidates than the budget."""
    settings, domains = config.pool.relevance, pool.count_domains()
    for name in settings.methods:
        find(name)
    if not applies(config):
        return
    if settings.shares not in SHARES:
        raise ValueError(f"The shares of the closest domains are {settings.shares!r}. They can be: {', '.join(SHARES)}.")
    if not 1 <= settings.keep <= len(domains):
        raise ValueError(
            f"{settings.keep} of the pool's {len(domains)} domains ({', '.join(domains)}) are to be kept. Set "
            "--config.pool.relevance.keep to a number of them, or name more domains."
        )
    if settings.sample < 1:
        raise ValueError(
            f"A sample of {settings.sample} chunks measures nothing. Set --config.pool.relevance.sample to 1 or more."
        )
    if settings.chunks is not None and settings.chunks < config.budget:
        raise ValueError(
            f"The closest domains give {settings.chunks:,} chunks, fewer than the budget of {config.budget:,}. Raise "
            "--config.pool.relevance.chunks or lower the budget."
        )


@dataclasses.dataclass(frozen=True, eq=False)
class DomainRelevance:
    """The test of a pool's domains, made once and kept in the workdir.

    Attributes:
      pool: all domains.
      target: the texts that they are compared with.
      embed: returns the embeddings of a corpus.
      encoder: the settings that embeddings depend on, JSON-like.
      config: of the cell.
      workdir: where stages are kept.
    """

    pool: Corpus
    target: Corpus
    embed: Callable[[Corpus], np.ndarray]
    encoder: Mapping
    config: Any
    workdir: Path

    def closest(self) -> Corpus:
        """Returns the candidates: chunks of the closest domains, drawn once and kept."""
        settings = {
            "test": self._folder.name,
            "pool": self.pool.fingerprint_with_domains,
            "kept": self.kept,
            "seed": self.config.pool.seed,
        }

        def make(folder: Path) -> None:
            rows = [self._drawn(name, count) for name, count in self.kept.items()]
            np.save(folder / "rows.npy", np.sort(np.concatenate(rows)))

        folder = stage(self.workdir / f"relevant-{fingerprint(settings)}", settings, make, kind="relevant")
        return self.pool.take(np.load(folder / "rows.npy"))

    @functools.cached_property
    def kept(self) -> dict[str, int]:
        """How many chunks each of the closest domains gives, closest first."""
        distances = {name: measured["distance"] for name, measured in self._found.items()}
        return shared_out(distances, self.pool.count_domains(), self.config.pool.relevance)

    def described(self) -> dict:
        """Returns the part of a row of results about the test: distances, chunks kept, seconds."""
        return {
            "distances": {name: measured["distance"] for name, measured in self._found.items()},
            "sampled": {name: measured["sampled"] for name, measured in self._found.items()},
            "kept": self.kept,
            "seconds": round(sum(seconds_of(self._folder).values()), 3),
        }

    @functools.cached_property
    def _found(self) -> dict[str, dict]:
        return read_json(self._folder / "distances.json")

    @functools.cached_property
    def _folder(self) -> Path:
        """The folder of `distances.json`: the entropic OT cost from a sample of each domain to the target, by domain.

        Every domain is solved with one epsilon, `config.ot.epsilon` of the mean cost over all samples, so that the entropic
        bias is about the same for all: the cost is not debiased, and counts a spread-out domain as a little farther than it
        is, and a domain with a smaller sample too. The paper took `reg_ot_cost` of its notebook's call with epsilon 0.5 in
        units of the cost, momentum 1.2 and a threshold of 5e-2, and with `config.ot.published` so does this.
        """
        settings = {
            "pool": self.pool.fingerprint_with_domains,
            "target": self.target.fingerprint,
            "encoder": self.encoder,
            "ot": {key: value for key, value in self.config.ot.to_dict().items() if key != "sample"},
            "sample": self.config.pool.relevance.sample,
            "seed": self.config.pool.seed,
        }
        folder = self.workdir / f"relevance-{self.config.task.name}-{fingerprint(settings)}"
        return stage(folder, settings, self._measure, kind="relevance", step="select")

    def _measure(self, folder: Path) -> None:
        targets, most = self.embed(self.target), self.config.pool.relevance.sample
        samples = {name: self.embed(self.pool.take(self._drawn(name, most))) for name in self.pool.count_domains()}
        options = _options(self.config, samples, targets)
        found = {}
        for name, sample in samples.items():
            potentials = ot.solve(sample, targets, seed=self.config.pool.seed, **options)
            found[name] = {"distance": potentials.cost, "sampled": len(sample), "solve": potentials.summary()}
        write_json(folder / "distances.json", found)

    def _drawn(self, name: str, most: int) -> np.ndarray:
        """Returns the rows of at most `most` chunks of a domain, drawn by the pool's seed, ascending."""
        rows = np.flatnonzero(pc.equal(self.pool.column("domain"), name).to_numpy())
        return rows[drawn(len(rows), most, self.config.pool.seed)]


def shared_out(distances: Mapping[str, float], sizes: Mapping[str, int], settings) -> dict[str, int]:
    """Returns how many chunks the closest domains give, closest first.

    A share is one in `keep`, or with shares by relevance (1 / d_i) / sum_j (1 / d_j) of the distances d: the paper has "by
    their relevance" and no formula, this one is ours. Where a domain has too few, the closest ones with more make up for it.

    Args:
      distances: by domain.
      sizes: chunks by domain.
      settings: the config's `pool.relevance`.
    """
    closest = sorted(distances, key=distances.__getitem__)[: settings.keep]
    if settings.chunks is None:
        return {name: sizes[name] for name in closest}
    nearness = [1.0 if settings.shares == "equal" else 1 / distances[name] for name in closest]
    total = min(settings.chunks, sum(sizes[name] for name in closest))
    counts = {name: min(sizes[name], int(total * near / sum(nearness))) for name, near in zip(closest, nearness)}
    for name in closest:
        counts[name] += min(sizes[name] - counts[name], total - sum(counts.values()))
    return counts


def _options(config, samples: Mapping[str, np.ndarray], targets: np.ndarray) -> dict:
    """Returns the arguments of `ot.solve`: the config's, with one epsilon in units of the cost for all domains."""
    options = config.ot.to_dict()
    del options["sample"]  # the samples are drawn already
    if options.pop("published"):
        return PUBLISHED
    if not options["absolute"]:
        centre = targets.mean(axis=0, dtype=np.float64)
        spreads = [np.square(points - centre).sum(axis=1).mean() for points in (*samples.values(), targets)]
        mean_cost = np.mean(spreads[:-1]) + spreads[-1]  # E |x - y|^2 = E |x - c|^2 + E |y - c|^2 for c = E y
        options |= {"epsilon": float(options["epsilon"] * mean_cost), "absolute": True}
    return options
