"""A sweep: every combination of the values that a config names, each a cell."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from configs import common
from experiments import named_tasks
from gotd_jax.methods import READ_EMBEDDINGS, SOLVING
from gotd_jax.ot import semidual

# What a sweep calls deeper fields. An epsilon may be "published": the notebook's call of the solver, `ot.published`.
SWEPT = {
    "task": "task.name",
    "epsilon": "ot.epsilon",
    "labels": "task.labels",
    "per_domain": "pool.per_domain",
    "encoder": None,  # no field: a name for the fields that `config.where` gives it
}
PUBLISHED = "published"
FAST = "fast"


def cells_of(config) -> Iterator[tuple]:
    """Yields, for each combination of the values in `config.sweep`, its config and the values by field.

    What a method does not read is not swept for it: it has the first value alone, shown as None. So methods that solve no
    transport problem have no epsilon, those that embed nothing no encoder, and `none` a budget of 0.
    """
    sweep = config.sweep.to_dict()
    if sweep.get("task") == ("available",):
        sweep["task"] = named_tasks.available(config)
    for values in itertools.product(*sweep.values()):
        swept = dict(zip(sweep, values))
        unread = _unread(swept.get("method", config.method)) & swept.keys()
        if all(swept[field] == sweep[field][0] for field in unread):
            changes = dict(_changes(swept, config.where))
            yield (
                _computed_here(common.replaced(config, changes)),
                swept | {field: 0 if field == "budget" else None for field in unread},
            )


def _computed_here(config):
    """Returns `config` with 'fast' for a dtype of products made what this processor has: bfloat16, or float32."""
    for settings in (config, config.embed):
        if settings.compute_dtype == FAST:
            settings.compute_dtype = "float32" if semidual.fast_precision() == "float32" else "bfloat16"
    return config


def _unread(method: str) -> set[str]:
    """Returns the swept fields that say nothing to `method`."""
    fields = {
        "budget": method == "none",
        "epsilon": method not in SOLVING,
        "encoder": method not in READ_EMBEDDINGS,
    }
    return {field for field, unread in fields.items() if unread}


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
