"""The domains of a candidate pool, as a config names them: where each is read from, by which field, and how much is taken."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from gotd_jax.data import pools, published_pools, readers
from gotd_jax.data.document_parts import Part
from gotd_jax.pipeline import pool as pipeline_pool
from gotd_jax.pipeline.pool import Chunking, Pool
from gotd_jax.pipeline.sources import Packaged, Source
from gotd_jax.terminal import shown


def check(settings: Mapping) -> None:
    """Raises ValueError where no domain is named, two have one name, or a setting names one that is not in the pool."""
    packaged, others = settings["packaged"], (*settings["named"], *settings["domains"])
    names = list(dict.fromkeys((*packaged, *others)))
    if not names:
        raise ValueError(
            "No pool is named. Set --config.pool.domains.NAME='files*.jsonl', --config.pool.packaged=\"('news',)\" or "
            "--config.pool.named=\"('pubmed',)\"."
        )
    twice = set(packaged) & set(others)
    if twice:
        raise ValueError(
            f"Two domains of the pool are called {', '.join(sorted(twice))}, a packaged one and another. Leave one out, or "
            "give your own another name."
        )
    numbers = settings["per_domain"] if isinstance(settings["per_domain"], dict) else {}
    for field, given in (("per_domain", numbers), ("text_fields", settings["text_fields"])):
        unknown = set(given) - set(names)
        if unknown:
            raise ValueError(
                f"config.pool.{field} speaks of {', '.join(sorted(unknown))}, which the pool does not have. It has: "
                f"{', '.join(names)}."
            )


def read(settings: Mapping, workdir: Path) -> Pool:
    """Returns the pool that `config.pool` describes; remarks about sources read for the first time are printed on stderr.

    Raises:
      ValueError: no domain is named, or one cannot be read.
    """
    check(settings)
    found, how = sources(settings), chunking(settings)
    for source in found:
        if isinstance(source, Source) and not pipeline_pool.is_kept(source, how, workdir):
            for said in readers.remarks(f"the domain {source.name}", source.place):
                print(shown(said), file=sys.stderr)
    return pipeline_pool.read(found, how, workdir)


def part(settings: Mapping, names: Collection[str], documents: Part, **changes) -> dict:
    """Returns the settings of some of a pool's domains whole, read from another part of their documents.

    Args:
      settings: of the pool.
      names: of its domains.
      documents: see `gotd_jax.data.document_parts`.
      **changes: to other settings.

    Raises:
      ValueError: the pool has no such domain.
    """
    if unknown := set(names) - {*settings["packaged"], *settings["named"], *settings["domains"]}:
        raise ValueError(f"The pool has no domain {', '.join(sorted(unknown))}. Name it under config.pool.")
    kept = {kind: tuple(name for name in settings[kind] if name in names) for kind in ("packaged", "named")}
    own = {
        kind: {name: value for name, value in settings[kind].items() if name in names} for kind in ("domains", "text_fields")
    }
    return {**settings, **kept, **own, "documents": documents, "per_domain": None, **changes}


def sources(settings: Mapping) -> list[Source | Packaged]:
    """Returns the sources of a config's pool, packaged domains first; `domains` replace a named pool's own source.

    Raises:
      ValueError: a packaged domain or named pool does not exist, or cannot be had and no source of one's own is given.
    """
    most, seed, documents = settings["per_domain"], settings["seed"], tuple(settings["documents"])
    found: list[Source | Packaged] = []
    for name in settings["packaged"]:
        pools.package_of(name)
        found.append(Packaged(name, _of(most, name), seed, documents))
    for name in dict.fromkeys((*settings["named"], *settings["domains"])):
        place, field, remedy = settings["domains"].get(name), settings["text_field"], ""
        if name in settings["named"]:
            published, remedy = published_pools.find(name), _own_copy(name)
            place, field = place or published.source, published.text_field
            if place is None:
                raise ValueError(
                    f"The paper's pool {name} ({published.paper}) cannot be had: {published.differs}. Nearest comes the named "
                    f"pool {published_pools.stand_in(name)}. {remedy}"
                )
        field = settings["text_fields"].get(name, field)
        found.append(Source(name, place, field, most=_of(most, name), seed=seed, documents=documents, remedy=remedy))
    return found


def chunking(settings: Mapping) -> Chunking:
    """Returns how the texts of a config's pool become chunks."""
    return Chunking(settings["characters"], settings["short"], settings["long"])


def _of(most: int | Mapping[str, int] | None, name: str) -> int | None:
    return most.get(name) if isinstance(most, Mapping) else most


def _own_copy(name: str) -> str:
    return (
        f"A copy of your own, or another source, is read with --config.pool.domains.{name}='files*.jsonl.gz', from the field "
        f"--config.pool.text_fields.{name}."
    )
