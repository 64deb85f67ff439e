"""The domains of a candidate pool: where each is read from, by which field, and how much of it is taken."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Collection, Iterator, Mapping

from gotd_jax.data import hub_datasets, pools, published_pools, readers
from gotd_jax.data.fields import Fields
from gotd_jax.terminal import shown


@dataclasses.dataclass(frozen=True)
class Domain:
    """A domain, opened and not yet read.

    Attributes:
      name: in the pool.
      source: a package, or what `readers.records` takes.
      version: of the package, the TensorFlow dataset or the hub's files; None for files.
      records: yields its texts, once.
      first: of how many chunks the records, which come in a drawn order, are read and no farther; None: all are read.
      left_out: files in the folders of its source that are not read.
    """

    name: str
    source: str | list
    version: str | None
    records: Iterator[dict]
    first: int | None = None
    left_out: int = 0


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


def identities(settings: Mapping) -> dict[str, dict]:
    """Returns what the chunks of each domain depend on, packaged ones first, JSON-like; nothing is read.

    Raises:
      ValueError: there is no such packaged domain, or a source does not exist.
    """
    cut = {key: settings[key] for key in ("characters", "short", "long")}
    found = {}
    for name in settings["packaged"]:
        package = pools.package_of(name)
        found[name] = {"package": [package.name, package.version], **cut}
    for name, (source, field) in sources(settings).items():
        found[name] = {"source": readers.describe(source, versions=False), "text_field": field, **cut}
        if _is_drawn(name, source, settings):
            found[name] |= {"first": most_of(name, settings), "seed": settings["seed"]}
    return found


def opened(settings: Mapping, names: Collection[str], known: Mapping[str, str] | None = None) -> list[Domain]:
    """Returns the domains `names`, packaged ones first, each opened: a fault in the last is met before the first is read whole.

    Of a dataset of the hub with a number of chunks in `per_domain`, no more is downloaded than these need, in the order that
    `gotd_jax.data.hub_datasets.drawn` has by the pool's seed; all other domains are read whole, to be drawn from.

    Args:
      settings: the config's pool.
      names: of domains in it.
      known: commits that datasets of the hub were read at before, by source: a source that names no revision is read at
        that one again.

    What a person may not expect of a source, such as files that are left out, is told on stderr.

    Raises:
      ValueError: a source does not exist or lacks a field; see `readers.records`.
    """
    found = []
    for name in settings["packaged"]:
        if name in names:
            package = pools.package_of(name)
            found.append(Domain(name, package.name, package.version, pools.load_domain(name)))
    for name, (source, field) in sources(settings).items():
        if name in names:
            found.append(_opened(name, source, field, settings, known or {}))
    return found


def most_of(name: str, settings: Mapping) -> int | None:
    """Returns how many chunks of a domain are drawn; None where all are taken."""
    most = settings["per_domain"]
    return most.get(name) if isinstance(most, dict) else most


def _opened(name: str, source, field: str, settings: Mapping, known: Mapping[str, str]) -> Domain:
    given, is_drawn = _revised(source, known), _is_drawn(name, source, settings)
    try:
        version = readers.version(given)
        if is_drawn:
            read = _hub_dataset(_revised(given, {str(given): version} if version else {}))  # what is read is what is recorded
            records = hub_datasets.drawn(*read, Fields(text=field), settings["seed"], name)
        else:
            records = readers.records(given, text_field=field, domain=name)
    except ValueError as error:
        if name not in settings["named"]:
            raise
        raise ValueError(f"{error} {_own_copy(name)}") from error
    for said in readers.remarks(f"the domain {name}", source):
        print(shown(said), file=sys.stderr)
    first = most_of(name, settings) if is_drawn else None
    return Domain(name, source, version, records, first, len(readers.left_out(source)))


def _is_drawn(name: str, source, settings: Mapping) -> bool:
    """Returns whether no more of a domain is read than its number of chunks takes."""
    return most_of(name, settings) is not None and _hub_dataset(source) is not None


def _hub_dataset(source) -> tuple[str, str] | None:
    """Returns the name and the split of a source that is one dataset of the hub, without a slice; None for all others."""
    parts = readers.SPLIT.fullmatch(str(source).removeprefix("hf:")) if str(source).startswith("hf:") else None
    sliced = parts and set("[+") & set(parts["split"])
    return (os.path.expanduser(parts["name"]), parts["split"]) if parts and not sliced else None


def _revised(source, known: Mapping[str, str]):
    """Returns a source of the hub with the commit that it is known by, unless it names a revision itself."""
    dataset = _hub_dataset(source)
    if not dataset or "@" in dataset[0] or str(source) not in known:
        return source
    return f"hf:{dataset[0]}@{known[str(source)]}:{dataset[1]}"


def _own_copy(name: str) -> str:
    return (
        f"A copy of your own, or another source, is read with --config.pool.domains.{name}='files*.jsonl.gz', from the field "
        f"--config.pool.text_fields.{name}."
    )
