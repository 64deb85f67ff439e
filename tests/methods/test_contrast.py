import numpy as np
import pytest

from gotd_jax import ot
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select

POOL, AWAY = 80, 10
ORIGIN = np.zeros((1, 4), np.float32)


def problem(candidates, away, target=ORIGIN):
    sides = {"pool": candidates, "away": away, "target": target}
    corpora = {side: Corpus.from_texts([f"{side} {row}" for row in range(len(of))]) for side, of in sides.items()}
    vectors = {corpora[side].fingerprint: of for side, of in sides.items()}
    return Problem(corpora["pool"], corpora["target"], lambda of: vectors[of.fingerprint], away=corpora["away"])


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


def test_with_a_pull_toward_the_target_the_values_are_the_gradient_of_one_objective(clouds):
    candidates, away = clouds
    target = np.random.default_rng(1).normal([3, 3, 0, 0], size=(AWAY, 4)).astype(np.float32)
    given = problem(candidates, away, target)
    pulled = select("contrast", given, 5, seed=0, toward=2.0, epsilon=0.05)
    alone = select("contrast", given, 5, seed=0, epsilon=0.05)
    epsilon = 0.05 * float(np.mean(((candidates[:, None] - away) ** 2).sum(-1)))

    def objective(weights):
        options = {"epsilon": epsilon, "absolute": True, "candidate_weights": weights, "threshold": 1e-6}
        toward, from_away = (ot.solve(candidates, side, **options).cost for side in (target, away))
        return 2.0 * toward - from_away

    step, few = 1e-3, range(0, POOL, 9)
    uniform = np.full(POOL, 1 / POOL)
    found = [(objective((1 - step) * uniform + step * np.eye(POOL)[row]) - objective(uniform)) / step for row in few]
    np.testing.assert_allclose(found, pulled.values[few] * (POOL - 1) / POOL, rtol=0.05, atol=0.05)
    assert set(pulled.rows) != set(alone.rows) and "target" in pulled.info and "target" not in alone.info


def test_a_negative_pull_is_refused(clouds):
    with pytest.raises(ValueError, match=r"toward is -1\.0\. It is a weight"):
        select("contrast", problem(*clouds), 5, seed=0, toward=-1.0)


def test_without_texts_to_avoid_it_is_an_error_that_names_the_remedy():
    given = Problem(Corpus.from_texts(["a", "b"]), Corpus.from_texts(["c"]), lambda corpus: pytest.fail("nothing is embedded"))
    with pytest.raises(ValueError, match=r"contrast reads texts to move away from, and was given none\. .*away=corpus"):
        select("contrast", given, 1, seed=0)
