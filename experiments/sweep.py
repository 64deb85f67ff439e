"""A sweep: every combination of the values that a config names, each a cell."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from configs import common
from experiments import inputs

SWEPT = {"task": "task.name", "epsilon": "ot.epsilon", "labels": "task.labels"}  # what a sweep calls deeper fields


def cells_of(config) -> Iterator[tuple]:
    """Yields, for each combination of the values in `config.sweep`, its config and the values by field.

    The method `none` selects nothing, so it has the first budget alone.
    """
    sweep = config.sweep.to_dict()
    if sweep.get("task") == ("available",):
        sweep["task"] = inputs.available_tasks(config)
    for values in itertools.product(*sweep.values()):
        swept = dict(zip(sweep, values))
        if swept.get("method") == "none" and "budget" in swept and swept["budget"] != sweep["budget"][0]:
            continue
        yield common.replaced(config, {SWEPT.get(field, field): value for field, value in swept.items()}), swept
