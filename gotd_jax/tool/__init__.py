"""A selection of one's own text: planned, made, explained, verified, compared, and trained on.

>>> from gotd_jax import tool
>>> request = tool.Request(pool="pool/*.jsonl", target="task.jsonl", budget="50%")
>>> plan = tool.plan(request)  # print it: seconds, memory and disk of each stage, before they are spent
>>> [stage.name for stage in plan.stages]
['read', 'near duplicates', 'embed', 'select', 'report', 'write']
>>> chosen = tool.select(request, "chosen")  # a folder; tool.Chosen("chosen") opens it again
>>> chosen.table["text"].to_pylist()
['How to bake a cake in a small oven.', 'A recipe for bread with onions.']
>>> [f"{served.share:.0%} {served.text}" for served in chosen.explain(0, most=1)]  # the target text that row 0 serves
['59% Whisk eggs and sugar for the cake.']
"""

from __future__ import annotations

import importlib

from gotd_jax.tool.request import Request

LATER = {  # imported when they are asked for, since they load JAX
    "Chosen": "chosen",
    "diff": "comparison",
    "plan": "planning",
    "replay": "verifying",
    "select": "selecting",
    "verify": "verifying",
    "warm": "pre_finetuning",
}

__all__ = ["Request", *LATER]


def __getattr__(name: str):
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{LATER[name]}"), name)
