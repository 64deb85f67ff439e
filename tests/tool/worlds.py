"""A pool of a few good candidates and much else, whose best budget is known."""

import dataclasses

import numpy as np

from gotd_jax import ot
from gotd_jax.data.corpus import Corpus
from gotd_jax.tool.report_inputs import ReportInputs, TargetSelection
from gotd_jax.tool.target_health import Health
from tests.conftest import sentence

TOPICS, EACH, OTHERS, TEXTS = 20, 2, 300, 40
WIDTH = TOPICS + 2
GOOD = TOPICS * EACH


def world(budget=GOOD, *, targets=1, method="got_d", embedded=True, seed=0) -> ReportInputs:
    """Returns a selection by `budget`: 40 candidates lie at the 20 points of the targets, 2 at each, 300 far from them."""
    rng = np.random.default_rng(7)
    topics = 6 * np.eye(TOPICS, WIDTH, dtype=np.float32)
    good = np.tile(topics, (EACH, 1))
    other = 8 * np.eye(WIDTH, dtype=np.float32)[TOPICS] + rng.normal(size=(OTHERS, WIDTH)).astype(np.float32)
    noise = 0.1 * rng.normal(size=(GOOD, WIDTH)).astype(np.float32)
    x = np.concatenate([good + noise, other])
    records = [{"id": f"food{i}", "text": sentence(rng, "food", 30), "domain": "food"} for i in range(GOOD)]
    records += [{"id": f"law{i}", "text": sentence(rng, "law", 30), "domain": "law"} for i in range(OTHERS)]
    pool = Corpus.from_records(records)
    points = [topics[np.arange(number, TEXTS, targets) % TOPICS] for number in range(targets)]
    points = [y + 0.1 * rng.normal(size=y.shape).astype(np.float32) for y in points]
    selections = [_target_selection(f"task{number}", x, y, rng, method) for number, y in enumerate(points)]
    order = np.arange(len(x)) if method == "got_d" else np.random.default_rng(seed).permutation(len(x))
    if method == "got_d":
        order = np.argsort(np.min([selection.values for selection in selections], axis=0), kind="stable")
    rows = order[:budget]
    served = np.argmin([selection.potentials.candidate[rows] for selection in selections], axis=0)
    healths = tuple(_health(selection.name, len(selection.corpus)) for selection in selections)
    manifest = {"request": {"budget": str(budget), "method": method}, "counts": {"refused": 3}}
    return ReportInputs(
        pool.count_domains(), pool, lambda asked: x[asked], embedded, tuple(selections), rows, served, healths, manifest, seed
    )


def _target_selection(name, x, y, rng, method):
    texts = [{"id": f"{name}-{i}", "text": sentence(rng, "food", 8)} for i in range(len(y))]
    solved = ot.solve(x, y, epsilon=0.05, solver="semidual")
    values = ot.calibrated_gradient(solved.candidate) if method == "got_d" else None
    return TargetSelection(name, Corpus.from_records(texts), y, 1.0, values, solved)


def _health(name, texts):
    empty = {field.name: () for field in dataclasses.fields(Health)}
    known = {
        "name": name,
        "texts": texts,
        "copies": 0,
        "near_duplicates": 0,
        "in_pool": 0,
        "outlier_below": 0.1,
        "outliers": (1,),
    }
    return Health(**empty | known | {"languages": {"en": 1.0}, "pool_languages": {"en": 1.0}, "warnings": ("Too small.",)})
