"""The domains of a candidate pool: where each is read from, by which field, and how much of it is taken."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping

from gotd_jax.data import hub_datasets, pools, published_pools, readers
from gotd_jax.data.fields import Fields


@dataclasses.dataclass(frozen=True)
class Domain:
    """A domain, opened and not yet read.

    Attributes:
      name: in the pool.
      source: a package, or what `readers.records` takes.
      version: of the package, the TensorFlow dataset or the hub's files; None for files.
      most: how many chunks to draw from it; None takes all.
      records: yields its texts, once.
      drawn: whether they come in a drawn order already, so that the first `most` chunks are the draw and no more is read.
    """

    name: str
    source: str | list
    version: str | None
    most: int | None
    records: Iterator[dict]
    drawn: bool = False


def check(settings: Mapping) -> None:
    """Raises ValueError where there is no domain, two of one name, or a setting of one that is not in the pool."""
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


def sources(settings: Mapping) -> dict[str, tuple]:
    """Returns the source and the text field of each domain that is not packaged; `domains` replace a named pool's source.

    Raises:
      ValueError: a named pool does not exist, or cannot be had and no source of one's own is given.
    """
    found = {}
    for name in dict.fromkeys((*settings["named"], *settings["domains"])):
        source, field = settings["domains"].get(name), settings["text_field"]
        if name in settings["named"]:
            published = published_pools.find(name)
            source, field = source or published.source, published.text_field
            if source is None:
                raise ValueError(
                    f"The paper's pool {name} ({published.paper}) cannot be had: {published.differs}. Nearest comes the named "
                    f"pool {published_pools.stand_in(name)}. {_own_copy(name)}"
                )
        found[name] = source, settings["text_fields"].get(name, field)
    return found


def opened(settings: Mapping, known: Mapping[str, str] | None = None) -> list[Domain]:
    """Returns the domains, packaged ones first, each opened: a fault in the last is met before the first is read whole.

    Of a dataset of the hub with a number of chunks in `per_domain`, no more is downloaded than these need, in the order that
    `gotd_jax.data.hub_datasets.drawn` has by the pool's seed; of all other domains the chunks are drawn from the whole.

    Args:
      settings: the config's pool.
      known: commits that datasets of the hub were read at before, by source: a source that names no revision is read at
        that one again.

    Raises:
      ValueError: a source does not exist or lacks a field; see `readers.records`.
    """
    found = []
    for name in settings["packaged"]:
        package = pools.package_of(name)
        found.append(Domain(name, package.name, package.version, _most(name, settings), pools.load_domain(name)))
    for name, (source, field) in sources(settings).items():
        found.append(_opened(name, source, field, settings, known or {}))
    return found


def _opened(name: str, source, field: str, settings: Mapping, known: Mapping[str, str]) -> Domain:
    most = _most(name, settings)
    given = _revised(source, known)
    streamed = hub_dataset(given) if most is not None else None
    try:
        version = readers.version(given)
        if streamed:
            read = hub_dataset(_revised(given, {str(given): version} if version else {}))  # what is read is what is recorded
            records = hub_datasets.drawn(*read, Fields(text=field), settings["seed"], name)
        else:
            records = readers.records(given, text_field=field, domain=name)
    except ValueError as error:
        if name not in settings["named"]:
            raise
        raise ValueError(f"{error} {_own_copy(name)}") from error
    return Domain(name, source, version, most, records, drawn=bool(streamed))


def hub_dataset(source) -> tuple[str, str] | None:
    """Returns the name and the split of a source that is one dataset of the hub, without a slice; None for all others."""
    parts = readers.SPLIT.fullmatch(str(source).removeprefix("hf:")) if str(source).startswith("hf:") else None
    sliced = parts and set("[+") & set(parts["split"])
    return (os.path.expanduser(parts["name"]), parts["split"]) if parts and not sliced else None


def _revised(source, known: Mapping[str, str]):
    """Returns a source of the hub with the commit that it is known by, unless it names a revision itself."""
    dataset = hub_dataset(source)
    if not dataset or "@" in dataset[0] or str(source) not in known:
        return source
    return f"hf:{dataset[0]}@{known[str(source)]}:{dataset[1]}"


def _most(name: str, settings: Mapping) -> int | None:
    most = settings["per_domain"]
    return most.get(name) if isinstance(most, dict) else most


def _own_copy(name: str) -> str:
    return (
        f"A copy of your own, or another source, is read with --config.pool.domains.{name}='files*.jsonl.gz', from the field "
        f"--config.pool.text_fields.{name}."
    )
