"""The findings of a small selection, in whose texts, ids and domains lies a script."""

import copy
import dataclasses
import functools

from gotd_jax.data.corpus import Corpus
from gotd_jax.tool import findings
from tests.tool.worlds import GOOD, world

EVIL = "<script>alert(1)</script>"
LONG = "unbroken" * 40


def found() -> dict:
    """Returns findings of two targets, JSON-like, to be changed at will."""
    return copy.deepcopy(_found())


@functools.cache
def _found() -> dict:
    inputs = world(GOOD, targets=2)
    records = list(inputs.candidates)
    for row in inputs.rows[:3]:
        records[row] |= {"text": f"{EVIL} {LONG} {records[row]['text']}", "id": f'"{EVIL}', "domain": f"{EVIL}{LONG}"}
    request = {
        "pool": [f"{LONG}/*.jsonl.gz"],
        "target": ["a", "b"],
        "budget": "40",
        "method": "got_d",
        "model": EVIL,
        "seed": 0,
    }
    manifest = {"request": request, "counts": {"near_duplicates": 2, "leaks": {EVIL: 1}}}
    candidates = Corpus.from_records(records)
    evil = dataclasses.replace(inputs, pool_domains=candidates.count_domains(), candidates=candidates, manifest=manifest)
    return findings.find(evil).to_dict()
