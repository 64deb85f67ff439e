import numpy as np
import pytest

from gotd_jax import ot
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select

POOL, AWAY = 80, 10


def problem(candidates, away):
    corpora = {side: Corpus.from_texts([f"{side} {row}" for row in range(len(of))]) for side, of in
               (("pool", candidates), ("away", away))}  # fmt: skip
    vectors = {corpora["pool"].fingerprint: candidates, corpora["away"].fingerprint: away}
    return Problem(corpora["pool"], Corpus.from_texts(["target"]), lambda of: vectors[of.fingerprint], away=corpora["away"])


@pytest.fixture
def clouds():
    """Half of the pool lies where the texts to avoid do, half elsewhere."""
    rng = np.random.default_rng(0)
    near, far = rng.normal(size=(POOL // 2, 4)), rng.normal([6, 0, 0, 0], size=(POOL // 2, 4))
    return np.concatenate([near, far]).astype(np.float32), rng.normal(size=(AWAY, 4)).astype(np.float32)


def test_selection_lies_away_from_what_is_to_be_avoided(clouds):
    rows = select("contrast", problem(*clouds), POOL // 2, seed=0).rows
    assert (rows >= POOL // 2).all()


def test_values_are_minus_the_calibrated_gradient_toward_what_is_to_be_avoided(clouds):
    gradient = ot.calibrated_gradient(ot.solve(*clouds, seed=0).candidate)
    selection = select("contrast", problem(*clouds), 5, seed=0)
    np.testing.assert_allclose(selection.values, -gradient, rtol=1e-6)
    assert selection.rows.tolist() == np.argsort(-gradient, kind="stable")[:5].tolist()


def test_without_texts_to_avoid_it_is_an_error_that_names_the_remedy():
    given = Problem(Corpus.from_texts(["a", "b"]), Corpus.from_texts(["c"]), lambda corpus: pytest.fail("nothing is embedded"))
    with pytest.raises(ValueError, match=r"contrast reads texts to move away from, and was given none\. .*away=corpus"):
        select("contrast", given, 1, seed=0)
