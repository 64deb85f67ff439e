"""Selections that crowd the middle, and those that do not."""

import dataclasses

import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.tool import crowding
from gotd_jax.tool.report_inputs import ReportInputs, TargetSelection
from tests.methods.test_got_d import KIND, problem


def inputs_of(rows, *, unit=False, texts=None):
    """Returns a selection of `rows` from the toy: first the target's kind, then generic candidates of short vectors."""
    given = problem()
    x, y = given.candidates, given.targets
    if unit:
        x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    pool = given.pool if texts is None else Corpus.from_texts(texts)
    target = TargetSelection("task", given.target, y, 1.0, None, None)
    served = np.zeros(len(rows), np.int64)
    return ReportInputs({"": len(pool)}, pool, lambda asked: x[asked], True, (target,), rows, served, (), {}, 0)


KINDS, MIDDLE = np.arange(KIND), np.arange(KIND, 2 * KIND)


def test_chosen_texts_of_short_vectors_are_warned_of_and_those_of_the_targets_kind_are_not():
    (middle,), (kind,) = (crowding.of_targets(inputs_of(rows)) for rows in (MIDDLE, KINDS))
    assert middle.vectors.chosen.median < middle.vectors.pool.lower and middle.vectors.falls_short
    assert "crowd the middle: their vectors have a median length of" in middle.warnings[0]
    assert not any("crowd" in warning for warning in kind.warnings) and kind.vectors.chosen.median > kind.vectors.pool.median


def test_lengths_are_medians_and_quartiles_of_each_side():
    inputs = inputs_of(KINDS)
    (found,) = crowding.of_targets(inputs)
    norms = np.linalg.norm(inputs.targets[0].embeddings, axis=1)
    assert dataclasses.astuple(found.vectors.target) == pytest.approx(tuple(np.quantile(norms, (0.25, 0.5, 0.75))))
    assert found.characters.chosen.median == np.median([len(text) for text in inputs.candidates.texts(KINDS)])


def test_unit_vectors_near_the_pools_mean_direction_are_warned_of():
    inputs = inputs_of(KINDS, unit=True)
    x = inputs.embed_rows(np.arange(len(inputs.candidates)))
    mean = x.mean(axis=0) / np.linalg.norm(x.mean(axis=0))
    near = x.copy()
    near[MIDDLE] = mean + 0.05 * x[MIDDLE]
    near[MIDDLE] /= np.linalg.norm(near[MIDDLE], axis=1, keepdims=True)
    crowded = dataclasses.replace(inputs, rows=MIDDLE, embed_rows=lambda asked: near[asked])
    (found,) = crowding.of_targets(crowded)
    assert not found.vectors.falls_short and "median distance from the pool's mean direction" in found.warnings[0]
    assert not any("crowd" in warning for warning in crowding.of_targets(inputs)[0].warnings)


@pytest.mark.parametrize(("length", "said"), [(1, "are short"), (99, "are long"), (6, None)])
def test_texts_that_are_much_shorter_or_longer_are_warned_of(length, said):
    texts = ["some words" for _ in problem().pool.texts()]
    texts[:KIND] = KIND * [length * "x"] if said else texts[:KIND]
    (found,) = crowding.of_targets(inputs_of(KINDS, texts=texts))
    assert (said is not None) == any(f"{said}: in characters" in warning for warning in found.warnings)


def test_few_chosen_texts_are_not_warned_of():
    assert crowding.of_targets(inputs_of(MIDDLE[:5]))[0].warnings == ()
