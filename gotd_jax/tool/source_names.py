"""The name and the place of a request's source: `law=cases/*.jsonl`, or a place alone, which the name comes from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath

from gotd_jax.data import readers

GLOB = "*?["


def name_and_place(source: str) -> tuple[str, str]:
    """Returns the name and the place of `source`: the two sides of `law=cases/*.jsonl`; else the name comes from the place.

    A file is named up to its first dot, a folder by its whole name, a glob by the folder before its first wildcard. An equals
    sign may be part of a place, as in `lang=en/part-0.jsonl`: a path that exists as it is written is a place.

    Raises:
      ValueError: both the whole of `source` and the part after its equals sign exist, or neither does.
    """
    given, place = _parted(str(source))
    return given or _names_of(place)[0], place


def names_and_places(sources: Sequence[str]) -> list[tuple[str, str]]:
    """Returns the name and the place of each of `sources`, as `name_and_place` does; names that come from places differ.

    Where two would be equal (`a/train.jsonl`, `b/train.jsonl`), the folders above, or the whole places, come into both names.

    Raises:
      ValueError: two sources are given one name, or hold the same file; or see `name_and_place`.
    """
    parted = [_parted(str(source)) for source in sources]
    choices = [[given] if given else _names_of(place) for given, place in parted]
    levels = [0] * len(parted)
    crowded = True
    while crowded:
        names = [each[level] for each, level in zip(choices, levels)]
        crowded = [
            place for place, name in enumerate(names) if names.count(name) > 1 and levels[place] + 1 < len(choices[place])
        ]
        for place in crowded:
            levels[place] += 1
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(
            f"Two sources of the pool are called {twice}. Name them apart, as in --pool {twice}-1=... {twice}-2=..."
        )
    found = [(name, place) for name, (_, place) in zip(names, parted)]
    _check_files(found)
    return found


def _parted(source: str) -> tuple[str | None, str]:
    """Returns the name that a person gave, None where there is none, and the place."""
    name, equals, place = source.partition("=")
    if not equals or not name or set(name) & set(GLOB + "/:"):
        return None, source
    whole, part = readers.exists(source), readers.exists(place)
    if whole and part:
        raise ValueError(
            f"{source} can be read in two ways, and both are there: the file or folder of that name, and {place} with the name "
            f"{name}. Write ./{source} for the one, or {name}=./{place} for the other."
        )
    if not whole and not part:
        raise ValueError(f"There is no file or folder {place} (named {name}), and none {source}. Check the path.")
    return (None, source) if whole else (name, place)


def _names_of(place: str) -> list[str]:
    """Returns the names that a place can have, the shortest first."""
    scheme, _, rest = place.partition(":")
    if scheme in readers.LIBRARIES:
        return [rest.partition(":")[0], rest, place]
    fixed = place
    for wildcard in GLOB:
        fixed = fixed.partition(wildcard)[0]
    path = PurePath(fixed) if fixed == place or fixed.endswith("/") else PurePath(fixed).parent
    own = path.name.partition(".")[0] or "pool"
    above = [part for part in path.parent.parts if part not in ("/", ".", "..")]
    return [own, *("/".join([*above[start:], own]) for start in reversed(range(len(above)))), place]


def _check_files(found: Sequence[tuple[str, str]]) -> None:
    owners: dict[str, str] = {}
    for name, place in found:
        if place.partition(":")[0] in readers.LIBRARIES:
            continue  # several splits may lie in the files of one folder
        for file in map(os.path.abspath, readers.files_of(place)):
            if file in owners:
                raise ValueError(f"{file} is in two sources of the pool, {owners[file]} and {name}. Name every file once.")
            owners[file] = name
