"""The model's own distribution in place of the pool: a pool that lacks what the model has seen the most of."""

import numpy as np
import pytest

from gotd_jax import ot
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select

WIDTH, BUDGET = 16, 40
KNOWN, UNKNOWN = np.eye(WIDTH)[:2] * 5


def cloud(rng, *kinds):
    return np.concatenate([centre + rng.normal(size=(rows, WIDTH)) for centre, rows in kinds]).astype(np.float32)


def problem(seed, of_reference=(900, 100)):
    """Returns a problem whose pool has little of what the model knows, the first 100 rows, and much of what it does not.

    The target is half of one kind, half of the other. To the pool, the known kind is what is missing; to the model, the other.
    """
    rng = np.random.default_rng(seed)
    sides = {
        "pool": cloud(rng, (KNOWN, 100), (UNKNOWN, 900)),
        "target": cloud(rng, (KNOWN, 40), (UNKNOWN, 40)),
        "reference": cloud(rng, (KNOWN, of_reference[0]), (UNKNOWN, of_reference[1])),
    }
    texts = {side: Corpus.from_texts([f"{side} {row}" for row in range(len(rows))]) for side, rows in sides.items()}
    vectors = {texts[side].fingerprint: rows for side, rows in sides.items()}
    return Problem(texts["pool"], texts["target"], lambda of: vectors[of.fingerprint], reference=texts["reference"])


def unknown_chosen(given, **options):
    return float(np.mean(select("got_d", given, BUDGET, seed=0, **options).rows >= 100))


@pytest.mark.parametrize("options", [{}, {"debias": 300, "epsilon": 0.05}, {"share": 0.02}, {"trim": 0.02}])
def test_with_the_models_own_distribution_what_the_model_lacks_is_chosen(options):
    given = problem(0)
    assert unknown_chosen(given, **options) == 1.0
    given.reference = None
    assert unknown_chosen(given, **options) == 0.0


def test_the_pool_itself_as_the_reference_changes_nothing():
    given = problem(1)
    plain = Problem(given.pool, given.target, lambda of: given.candidates if of is given.pool else given.targets)
    same = Problem(
        given.pool, given.target, lambda of: given.targets if of is given.target else given.candidates, reference=given.pool
    )
    for options in ({}, {"share": 0.3}):
        one, other = (select("got_d", each, BUDGET, seed=0, **options) for each in (plain, same))
        np.testing.assert_allclose(one.values, other.values, atol=1e-3 * one.info["mean_cost"])
        assert len(set(one.rows) ^ set(other.rows)) <= 2


def test_values_are_the_potential_solved_on_the_reference():
    given = problem(2)
    found = select("got_d", given, BUDGET, seed=0)
    expected = ot.solve(given.references, given.targets, seed=0).value(given.candidates)
    np.testing.assert_allclose(found.values, ot.calibrated_gradient(expected), rtol=1e-5)
    assert found.info["solved_on"] == 1000 and len(found.potentials.candidate) == 1000


def test_the_notebooks_call_has_no_reference():
    with pytest.raises(ValueError, match="'published', the notebook's call, which has no reference"):
        select("got_d", problem(0), BUDGET, seed=0, **ot.PUBLISHED)
