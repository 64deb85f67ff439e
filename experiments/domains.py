"""The domains of a candidate pool: where each is read from, by which field, and how much of it is taken."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping

from gotd_jax.data import pools, published_pools, readers


@dataclasses.dataclass(frozen=True)
class Domain:
    """A domain, opened and not yet read.

    Attributes:
      name: in the pool.
      source: a package, or what `readers.records` takes.
      version: of the package, the TensorFlow dataset or the hub's files; None for files.
      most: how many chunks to draw from it; None takes all.
      records: yields its texts, once.
      left_out: files in the folders of its source that are not read.
    """

    name: str
    source: str | list
    version: str | None
    most: int | None
    records: Iterator[dict]
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
                    f"The paper's pool {name} ({published.paper}) cannot be had: {published.differs}. {_own_copy(name)}"
                )
        found[name] = source, settings["text_fields"].get(name, field)
    return found


def opened(settings: Mapping) -> list[Domain]:
    """Returns the domains, packaged ones first, each opened: a fault in the last is met before the first is read whole.

    What a person may not expect of a source, such as files that are left out, is told on stderr.

    Raises:
      ValueError: a source does not exist or lacks a field; see `readers.records`.
    """
    found = []
    for name in settings["packaged"]:
        package = pools.package_of(name)
        found.append(Domain(name, package.name, package.version, _most(name, settings), pools.load_domain(name)))
    for name, (source, field) in sources(settings).items():
        records = _records(name, source, field, settings)
        for said in readers.remarks(f"the domain {name}", source):
            print(said, file=sys.stderr)
        left_out = len(readers.left_out(source))
        found.append(Domain(name, source, readers.version(source), _most(name, settings), records, left_out))
    return found


def described(settings: Mapping) -> dict[str, list[list]]:
    """Returns what the source of each domain that is not packaged holds now, by the hashes of its files.

    Raises:
      ValueError: a source does not exist; see `readers.describe`.
    """
    return {name: readers.describe(source) for name, (source, _) in sources(settings).items()}


def _most(name: str, settings: Mapping) -> int | None:
    most = settings["per_domain"]
    return most.get(name) if isinstance(most, dict) else most


def _records(name: str, source, field: str, settings: Mapping) -> Iterator[dict]:
    try:
        return readers.records(source, text_field=field, domain=name)
    except ValueError as error:
        if name not in settings["named"]:
            raise
        raise ValueError(f"{error} {_own_copy(name)}") from error


def _own_copy(name: str) -> str:
    return (
        f"A copy of your own, or another source, is read with --config.pool.domains.{name}='files*.jsonl.gz', from the field "
        f"--config.pool.text_fields.{name}."
    )
