"""GOT-D as published and debiased, on a pool in which texts near the middle are nearer to everything."""

import numpy as np
import pytest

from gotd_jax import ot
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select

KIND, GENERIC, OTHER, TARGETS, WIDTH = 60, 200, 300, 40, 64


def problem(seed=0):
    """Returns a problem whose first candidates are of the target's kind, then generic ones of short vectors, then others."""
    rng = np.random.default_rng(seed)
    centre = np.eye(WIDTH)[0] * 6
    kind, target = (centre + rng.normal(size=(rows, WIDTH)) for rows in (KIND, TARGETS))
    generic = 0.3 * rng.normal(size=(GENERIC, WIDTH))
    other = rng.normal(size=(OTHER, WIDTH)) - centre * rng.uniform(-0.3, 1, size=(OTHER, 1))
    vectors = np.concatenate([kind, generic, other]).astype(np.float32)
    pool, texts = (Corpus.from_texts([f"{side} {row}" for row in range(rows)]) for side, rows in
                   (("pool", len(vectors)), ("target", TARGETS)))  # fmt: skip
    return Problem(pool, texts, lambda of: vectors if of is pool else target.astype(np.float32))


def kind_chosen(**options):
    return float(np.mean(select("got_d", problem(), KIND, seed=0, epsilon=0.05, **options).rows < KIND))


def test_short_vectors_are_chosen_as_published_and_the_targets_kind_debiased():
    assert kind_chosen() < 0.4
    assert kind_chosen(debias=300) > 0.85
    assert kind_chosen(debias=300, solver="semidual") > 0.85


def test_values_are_the_calibrated_gradient_less_the_pools_own():
    given = problem()
    selection = select("got_d", given, KIND, seed=1, debias=200)
    potentials = ot.solve(given.candidates, given.targets, seed=1)
    own = ot.own_potential(given.candidates, size=200, epsilon=potentials.epsilon, seed=1)
    np.testing.assert_allclose(selection.values, ot.calibrated_gradient(potentials.candidate - own.candidate), rtol=1e-5)
    assert selection.info["debiased"]["sample"] == 200 and selection.info["debiased"]["rank_agreement"] > 0.5


def test_what_cannot_be_debiased_is_refused():
    for options, message in (({"debias": 1}, "two halves"), ({"debias": 9, **ot.PUBLISHED}, "'published', the notebook's")):
        with pytest.raises(ValueError, match=message):
            select("got_d", problem(), KIND, seed=0, **options)
