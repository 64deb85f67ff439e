"""Targets made of domains: texts of the pool's own domains, as many of each, which are held out of the pool."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments.cell_data import CellData
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus


@dataclasses.dataclass(frozen=True)
class SplitPool:
    """A pool in three parts, no text in two of them.

    Attributes:
      pool: the candidates.
      target: at most `config.target.most` texts, as many of each of `config.target.domains`.
      held_out: at most `config.selection.held_out` texts of the same domains, to measure on.
    """

    pool: Corpus
    target: Corpus
    held_out: Corpus


def check(config) -> None:
    """Raises ValueError where parts of one text could lie in pool and target, or an encoder would need labels."""
    if config.pool.characters and config.pool.long != "cut":
        raise ValueError(
            f"A target of domains is held out of the pool text by text, and pool.long={config.pool.long!r} makes several "
            "chunks of one. Set --config.pool.long=cut."
        )
    if config.embed.finetuned:
        raise ValueError("A target of domains has no labels to fine-tune the encoder on. Set --config.embed.finetuned=False.")


def split_pool(data: CellData) -> SplitPool:
    """Returns the cell's pool in three parts, split once by `config.task.seed` and kept in the workdir.

    Raises:
      ValueError: a domain is not one of the pool's, or has fewer texts than are held out.
    """
    whole, config, domains = data.pool, data.config, list(data.config.target.domains)
    sizes = {"target": config.target.most // len(domains), "held_out": config.selection.held_out // len(domains)}
    settings = {"pool": whole.fingerprint_with_domains, "domains": domains, "of_each": sizes, "seed": config.task.seed}

    def make(folder: Path) -> None:
        rows = _rows(whole, domains, sizes, config.task.seed)
        kept = np.setdiff1d(np.arange(len(whole)), np.concatenate(list(rows.values())))
        for name, of_part in (rows | {"pool": kept}).items():
            np.save(folder / f"{name}.npy", np.sort(of_part))

    folder = stage(data.workdir / f"parts-{fingerprint(settings)}", settings, make, kind="parts")
    return SplitPool(*(whole.take(np.load(folder / f"{field.name}.npy")) for field in dataclasses.fields(SplitPool)))


def _rows(whole: Corpus, domains: Sequence[str], sizes: Mapping[str, int], seed: int) -> dict[str, np.ndarray]:
    """Returns the rows of each held-out part, int64, drawn from one domain after another."""
    rng, counts = np.random.default_rng(seed), whole.count_domains()
    found: dict[str, list[np.ndarray]] = {name: [] for name in sizes}
    for domain in domains:
        if counts.get(domain, 0) <= sum(sizes.values()):
            raise ValueError(
                f"{sum(sizes.values()):,} texts of the domain {domain!r} are held out of the pool, and it has "
                f"{counts.get(domain, 0):,}. It has, by domain: {counts}. Lower config.target.most or "
                "config.selection.held_out, or name other config.target.domains."
            )
        drawn = rng.permutation(np.flatnonzero(whole.domains == domain))[: sum(sizes.values())]
        for name, rows in zip(sizes, np.split(drawn, [sizes["target"]])):
            found[name].append(rows)
    return {name: np.concatenate(rows) for name, rows in found.items()}
