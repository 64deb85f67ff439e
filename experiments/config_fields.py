"""The fields of a config: a copy with some changed, those swept over, and whether one exists."""

import copy
import dataclasses
import difflib
import functools
import sys

from ml_collections import ConfigDict

from configs import common
from gotd_jax.training.recipe import Recipe

RECIPES = ("embed.finetune", "head.recipe", "base.recipe", "target_model", "pre_finetune", "finetune")
RECIPE_FIELDS = tuple(field.name for field in dataclasses.fields(Recipe))
OPEN = (
    "pool.domains.",
    "pool.text_fields.",
    "pool.per_domain.",
    "base.mixture.",
    "base.sizes.",
    "sweep.",
)  # where names may be added


def check_recipes(config: ConfigDict) -> None:
    """Raises ValueError unless every recipe of `config` is one: a field that no recipe has, a value that none can have."""
    for name in RECIPES:
        stated = functools.reduce(getattr, name.split("."), config)
        if unknown := set(stated) - set(RECIPE_FIELDS):
            raise ValueError(f"config.{name} has the field {min(unknown)!r}. A recipe has: {', '.join(RECIPE_FIELDS)}.")
        try:
            Recipe(**stated)
        except ValueError as error:
            raise ValueError(f"config.{name} is no recipe: {error}") from error


def swept(config: ConfigDict, prefix: str = "") -> dict[str, tuple]:
    """Returns the values in `config.sweep` by dotted field."""
    found = {}
    for name, value in (config if prefix else config.sweep).items():
        found |= swept(value, f"{prefix}{name}.") if isinstance(value, ConfigDict) else {prefix + name: value}
    return found


def replaced(config: ConfigDict, changes: dict) -> ConfigDict:
    """Returns a copy of `config` with dotted fields changed, of a single cell: without its sweep, every seed a number."""
    copied = copy.deepcopy(config)
    copied.sweep, copied.where = ConfigDict(), ()
    copied.only_available = copied.with_published = False
    for path, value in changes.items():
        common.set_field(copied, path, value)
    return copied.copy_and_resolve_references()


def fields(config: ConfigDict, prefix: str = "") -> set[str]:
    """Returns the dotted names of the fields of `config`; of its recipes, of those that it states."""
    names = set()
    for name, value in config.items():
        names |= {prefix + name} | (fields(value, f"{prefix}{name}.") if isinstance(value, ConfigDict) else set())
    return names


def check_field(name: str) -> None:
    """Raises ValueError, with the nearest names, unless `name`, dotted, is a field that a config has or may be given."""
    known = fields(common.get_config()) | {f"{recipe}.{field}" for recipe in RECIPES for field in RECIPE_FIELDS}
    if name not in known and not name.startswith(OPEN):
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or sorted(known)
        raise ValueError(
            f"There is no config field {name!r}. Did you mean {' or '.join(near[:3])}? configs/common.py lists all."
        )


def check_overrides(arguments: list[str]) -> None:
    """Ends the program with a sentence if `arguments` set a field that no config has."""
    for argument in arguments:
        name = argument.lstrip("-").split("=")[0].removeprefix("no")
        if name.startswith("config."):
            try:
                check_field(name.removeprefix("config."))
            except ValueError as error:
                sys.exit(str(error))
