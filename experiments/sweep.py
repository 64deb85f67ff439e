"""A sweep: every combination of the values that a config names, each a cell."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from experiments import config_fields
from gotd_jax import methods
from gotd_jax.data import domain_tasks, glue
from gotd_jax.ot import semidual

# Shorter names of fields in a sweep.
SWEPT = {
    "task": "task.name",
    "epsilon": "ot.epsilon",
    "noise": "ranking.noise",
    "labels": "task.labels",
    "per_domain": "pool.per_domain",
    "encoder": None,  # no field: a name for the fields that `config.where` gives it
    "line": None,  # such a name too
}
PUBLISHED = "published"  # the line of `config.with_published`
FAST = "fast"


def cells_of(config) -> Iterator[tuple]:
    """Yields, for each combination of the values in `config.sweep`, its config and the values by field.

    A field that a method does not read is not swept for it: it has the first value alone, shown as None. So methods that solve
    no transport problem have no epsilon, those that embed nothing no encoder, none has another's options, and `none` a budget
    of 0.

    Raises:
      ValueError: a swept field does not exist, or does not take its values; see `_values`.
    """
    sweep = _values(config)
    for values in itertools.product(*sweep.values()):
        swept = dict(zip(sweep, values))
        changes = dict(_changes(swept, config.where))
        unread = _unread(changes.get("method", config.method), sweep)
        if all(swept[field] == sweep[field][0] for field in unread):
            yield (
                _computed_here(config_fields.replaced(config, changes)),
                swept | {field: 0 if field == "budget" else None for field in unread},
            )


def _values(config) -> dict[str, tuple]:
    """Returns the values swept over, by field.

    Raises:
      ValueError: a field does not exist, or its values are no tuple; no task lies in `config.data_dir`; or there is no sweep
        that the notebook's call could be a line of.
    """
    sweep = config_fields.swept(config)
    for field, values in sweep.items():
        if field not in SWEPT:
            config_fields.check_field(field)
        if not isinstance(values, (tuple, list)):
            raise ValueError(f"config.sweep.{field} is {values!r}, which is no tuple. A sweep over one value is ({values!r},).")
    if "seed" in sweep:  # first, so that each replicate is whole before the next begins
        sweep = {"seed": sweep.pop("seed")} | sweep
    if config.only_available:
        sweep["task"] = _at_hand(sweep.get("task", (config.task.name,)), config.data_dir)
    if config.with_published:
        if "epsilon" not in sweep:
            raise ValueError(
                "config.with_published adds the notebook's call to a sweep over epsilon, and there is none. Set "
                "--config.sweep.epsilon, or --config.ot.published alone."
            )
        sweep["epsilon"] = (PUBLISHED, *sweep["epsilon"])
    return sweep


def _computed_here(config):
    """Returns `config` with 'fast', as a dtype of products, replaced by the processor's fast one: bfloat16, or float32."""
    for settings in (config, config.embed):
        if settings.compute_dtype == FAST:
            settings.compute_dtype = "float32" if semidual.fast_precision() == "float32" else "bfloat16"
    return config


def _unread(name: str, fields: Iterable[str]) -> set[str]:
    """Returns those of `fields`, swept ones, that the method called `name` does not read."""
    method = methods.find(name)
    read = dict.fromkeys(methods.METHODS, False) | {name: True, "budget": method.selects, "noise": method.valued != "none"}
    read |= {"epsilon": method.solves, "ot": method.solves, "encoder": "embeddings" in method.reads}
    return {field for field in fields if not read.get(field.partition(".")[0], True)}


def _changes(swept: dict, where: Iterable[tuple]) -> Iterator[tuple]:
    """Yields each field of a config that differs in a cell, dotted, and its value; the later of two holds."""
    for field, value, changed, to in where:
        if swept.get(field) == value:
            yield changed, to
    for field, value in swept.items():
        if field == "epsilon" and value == PUBLISHED:
            yield "ot.published", True
        elif SWEPT.get(field, field) is not None:
            yield SWEPT.get(field, field), value


def _at_hand(tasks: Sequence[str], data_dir: str | None) -> tuple[str, ...]:
    """Returns those of `tasks` that lie in `data_dir`; all of them where no folder is named.

    Raises:
      ValueError: none of them lies there.
    """
    if data_dir is None:
        return tuple(tasks)
    found = {*glue.available(data_dir), *domain_tasks.available(data_dir)}
    if not found.intersection(tasks):
        folders = [f"{glue.GLUE[name].folder}/train.tsv" if name in glue.GLUE else f"{name}/train.jsonl" for name in tasks]
        raise ValueError(f"None of the tasks {', '.join(tasks)} lies in {data_dir}. Put there: {', '.join(folders)}.")
    return tuple(name for name in tasks if name in found)
