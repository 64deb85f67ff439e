"""From a config to its pool: the chunks of all domains, each read once and kept in the workdir."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path

import numpy as np

from experiments import domains
from gotd_jax.artifacts import fingerprint, read_json, stage, write_json
from gotd_jax.data import samples
from gotd_jax.data.chunks import chunk, chunk_records
from gotd_jax.data.corpus import Corpus


def chunked(texts: Corpus, config) -> Corpus:
    """Returns `texts` as chunks of the pool's length, at most `config.target.most`."""
    chunks = chunk(texts, config.pool.characters, short=config.target.short, long=config.target.long)
    most = config.target.most
    if most is None or len(chunks) <= most:
        return chunks
    return chunks.take(samples.drawn(len(chunks), most, config.task.seed))


def kept_domains(config, workdir: Path) -> set[str]:
    """Returns the pool's domains whose chunks lie in the workdir, so that their sources are not read again."""
    return {name for name, folder in _domain_folders(workdir, _identities(config)).items() if folder.is_dir()}


def pool(config, workdir: Path) -> tuple[Corpus, list[dict]]:
    """Returns the candidate pool, the chunks of all domains or as many as are drawn by `config.pool.seed`, and its contents.

    Every domain is read and chunked once and kept whole in the workdir, for every number and seed to draw from. The contents
    are a dict a domain: name, source, version, files left out, texts, chunks, their fingerprint. The version is the package's,
    the TensorFlow dataset's or the hub's commit; files have none but their fingerprint.
    """
    settings, identities = _pool_settings(config), _identities(config)
    folders = _domain_folders(workdir, identities)
    missing = [name for name, folder in folders.items() if not folder.exists()]
    domains.opened(settings, missing, _commits(workdir))  # or a fault ends it here
    kept = {name: _part(name, folder, identities[name], settings) for name, folder in folders.items()}
    parts = {name: Corpus.open(folder / "chunks.arrow") for name, folder in kept.items()}
    contents = [read_json(folder / "contents.json") for folder in kept.values()]
    return Corpus.concatenate(list(parts.values())), contents


def _identities(config) -> dict[str, dict]:
    return domains.identities(_pool_settings(config))


def _pool_settings(config) -> dict:
    settings = config.pool.to_dict()
    del settings["relevance"]  # comes after the pool
    domains.check(settings)
    return settings


def _domain_folders(workdir: Path, identities: dict[str, dict]) -> dict[str, Path]:
    return {name: workdir / "domains" / f"{name}-{fingerprint(of)}" for name, of in identities.items()}


def _part(name: str, folder: Path, identity: dict, settings: dict) -> Path:
    """Returns the folder of the chunks of a domain that the pool takes: all, or a sample drawn by the pool's seed."""
    whole = functools.partial(_domain, name, folder, identity, settings)
    most, contents = domains.most_of(name, settings), read_json(whole() / "contents.json")
    if most is None or contents["chunks"] <= most:
        return folder
    drawing = {"domain": folder.name, "most": most, "seed": settings["seed"]}

    def make(partial: Path) -> None:
        chunks = Corpus.open(whole() / "chunks.arrow")
        kept = np.zeros(len(chunks), bool)
        kept[samples.drawn(len(chunks), most, settings["seed"])] = True
        part = chunks.keep(kept, partial / "chunks.arrow")
        write_json(partial / "contents.json", contents | {"chunks": len(part), "fingerprint": part.fingerprint})

    return stage(folder.parents[1] / "samples" / f"{name}-{fingerprint(drawing)}", drawing, make, kind="samples")


def _domain(name: str, folder: Path, identity: dict, settings: dict) -> Path:
    """Returns the folder of all chunks of a domain, and of what they were read from."""

    def make(partial: Path) -> None:
        (domain,) = domains.opened(settings, [name], _commits(folder.parents[1]))
        texts, chunks = _chunks(domain, {key: settings[key] for key in ("characters", "short", "long")}, partial)
        origin = {"name": name, "source": domain.source, "version": domain.version, "left_out": domain.left_out, "texts": texts}
        write_json(partial / "contents.json", origin | {"chunks": len(chunks), "fingerprint": chunks.fingerprint})
        (partial / "texts.arrow").unlink(missing_ok=True)
        if domains.identities(settings)[name] != identity:
            raise ValueError(f"A file of the domain {name} changed while it was read. Start again when it is whole.")

    return stage(folder, identity, make, kind="domains")


def _chunks(domain: domains.Domain, how: dict, folder: Path) -> tuple[int, Corpus]:
    """Returns how many texts of a domain were read, and their chunks, mapped from `folder`."""
    if domain.first is None:
        texts = Corpus.from_records(domain.records, folder / "texts.arrow")
        return len(texts), chunk(texts, **how, path=folder / "chunks.arrow")
    read = itertools.count()
    records = (record for record, _ in zip(domain.records, read))
    chunks = Corpus.from_records(itertools.islice(chunk_records(records, **how), domain.first), folder / "chunks.arrow")
    texts = next(read)
    if not len(chunks):
        raise ValueError(
            f"None of the {texts:,} texts of {domain.name} has {how['characters']:,} characters, so there are no chunks. Lower "
            "--config.pool.characters, or set --config.pool.short=keep."
        )
    return texts, chunks


def _commits(workdir: Path) -> dict[str, str]:
    """Returns the commits that datasets of the hub were read at for the domains that lie in the workdir, by source."""
    contents = [read_json(path) for path in sorted(workdir.glob("domains/*/contents.json"))]
    return {str(entry["source"]): entry["version"] for entry in contents if entry["version"]}
