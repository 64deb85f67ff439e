"""The domain relevance test (App. D.2): how far each domain of a pool lies from the target, and the pool of the closest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from experiments import embeddings
from gotd_jax import ot
from gotd_jax.artifacts import fingerprint, read_json, seconds_of, stage, write_json
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.samples import drawn
from gotd_jax.methods import METHODS, find

SHARES = ("equal", "relevance")
# What the published code solved this problem with.
PUBLISHED = {**ot.PUBLISHED, "epsilon": 0.5, "momentum": 1.2, "threshold": 5e-2}


def applies(config) -> bool:
    """Returns whether the config's method chooses from the closest domains alone.

    `none` chooses nothing; methods that go by the domains (`all_domains`, `dapt`) are what a person would choose, from the
    whole pool by definition.
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


def relevant(pool: Corpus, target: Corpus, embed: Callable | None, config, workdir: Path) -> Corpus:
    """Returns the candidates: the closest domains' chunks, drawn once and kept in the workdir; without a test, `pool`.

    Args:
      pool: all domains.
      target: what they are held against.
      embed: returns the embeddings of a corpus; None, as while a cell is checked, leaves the pool whole.
      config: of the cell.
      workdir: where stages are kept.
    """
    if embed is None or not applies(config):
        return pool
    tested = _tested(pool, target, embed, config, workdir)
    kept = _counts(read_json(tested / "distances.json"), pool.count_domains(), config)
    settings = {"test": tested.name, "pool": pool.fingerprint_with_domains, "kept": kept, "seed": config.pool.seed}

    def make(folder: Path) -> None:
        chosen = np.zeros(len(pool), bool)
        for name, count in kept.items():
            chosen[_drawn(pool, name, count, config)] = True
        pool.keep(chosen, folder / "pool.arrow")

    folder = stage(workdir / f"relevant-{fingerprint(settings)}", settings, make, kind="relevant")
    return Corpus.open(folder / "pool.arrow")


def described(pool: Corpus, target: Corpus, config, workdir: Path) -> dict | None:
    """Returns what a row of results says of the test that `relevant` made: distances, chunks kept, seconds; None without."""
    if not applies(config):
        return None
    tested = _folder(pool, target, config, workdir)
    found = read_json(tested / "distances.json")
    return {
        "distances": {name: measured["distance"] for name, measured in found.items()},
        "sampled": {name: measured["sampled"] for name, measured in found.items()},
        "kept": _counts(found, pool.count_domains(), config),
        "seconds": round(sum(seconds_of(tested).values()), 3),
    }


def _tested(pool: Corpus, target: Corpus, embed: Callable, config, workdir: Path) -> Path:
    """Returns the folder of `distances.json`: the entropic OT cost from a sample of each domain to the target, by domain.

    Every domain is solved with one epsilon, `config.ot.epsilon` of the mean cost over all samples, so that the entropic bias
    is about the same for all: the cost is not debiased, and counts a spread-out domain as a little farther than it is. So
    does a sample smaller than the others'. The paper took `reg_ot_cost` of its notebook's call with epsilon 0.5 in units of
    the cost, momentum 1.2 and a threshold of 5e-2, and with `config.ot.published` so does this.
    """
    settings = _settings(pool, target, config)

    def make(folder: Path) -> None:
        targets = embed(target)
        most = config.pool.relevance.sample
        samples = {name: embed(pool.take(_drawn(pool, name, most, config))) for name in pool.count_domains()}
        options = _options(config, samples, targets)
        found = {}
        for name, sample in samples.items():
            potentials = ot.solve(sample, targets, seed=config.pool.seed, **options)
            found[name] = {"distance": potentials.cost, "sampled": len(sample), "solve": potentials.summary()}
        write_json(folder / "distances.json", found)

    return stage(_folder(pool, target, config, workdir), settings, make, kind="relevance")


def _settings(pool: Corpus, target: Corpus, config) -> dict:
    return {
        "pool": pool.fingerprint_with_domains,
        "target": target.fingerprint,
        "encoder": embeddings.encoder_settings(config),
        "ot": {key: value for key, value in config.ot.to_dict().items() if key != "sample"},
        "sample": config.pool.relevance.sample,
        "seed": config.pool.seed,
    }


def _folder(pool: Corpus, target: Corpus, config, workdir: Path) -> Path:
    return workdir / f"relevance-{config.task.name}-{fingerprint(_settings(pool, target, config))}"


def _drawn(pool: Corpus, name: str, most: int, config) -> np.ndarray:
    """Returns the rows of at most `most` chunks of a domain, drawn by the pool's seed, ascending."""
    rows = np.flatnonzero(pc.equal(pool.table["domain"], name).to_numpy())
    return rows[drawn(len(rows), most, config.pool.seed)]


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


def _counts(found: Mapping[str, dict], sizes: Mapping[str, int], config) -> dict[str, int]:
    """Returns how many chunks the closest domains give, closest first.

    A share is one in `keep`, or with shares by relevance (1 / d_i) / sum_j (1 / d_j) of the distances d: the paper has "by
    their relevance" and no formula, this one is ours. What a domain is short of, the closest with more to give make up for.
    """
    settings = config.pool.relevance
    closest = sorted(found, key=lambda name: found[name]["distance"])[: settings.keep]
    if settings.chunks is None:
        return {name: sizes[name] for name in closest}
    nearness = [1.0 if settings.shares == "equal" else 1 / found[name]["distance"] for name in closest]
    total = min(settings.chunks, sum(sizes[name] for name in closest))
    counts = {name: min(sizes[name], int(total * near / sum(nearness))) for name, near in zip(closest, nearness)}
    for name in closest:
        counts[name] += min(sizes[name] - counts[name], total - sum(counts.values()))
    return counts
