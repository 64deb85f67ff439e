"""What a solve returns: values of unseen text, explanations, a file."""

import numpy as np
import pytest

from gotd_jax import ot
from tests.ot.conftest import plan_of


@pytest.fixture(scope="module")
def found(clouds):
    return ot.solve(*clouds, epsilon=0.05, threshold=1e-4)


def test_calibrated_gradient_is_a_potential_less_the_mean_of_the_others():
    np.testing.assert_allclose(ot.calibrated_gradient(np.array([1.0, 2.0, 6.0])), [1 - 4, 2 - 3.5, 6 - 1.5])


def test_value_of_a_text_is_the_potential_it_has(clouds, found):
    np.testing.assert_allclose(found.value(clouds[0][:77]), found.candidate[:77], atol=1e-5)
    assert found.value(clouds[0][:0]).shape == (0,)


def test_value_of_unseen_text_is_the_potential_it_has_with_next_to_no_weight(clouds):
    x, y = clouds
    new = x[:1] + 0.1
    potentials = ot.solve(x, y, epsilon=0.05, threshold=1e-5)
    weights = np.append(np.full(len(x), (1 - 1e-7) / len(x)), 1e-7)
    settings = {"epsilon": potentials.epsilon, "absolute": True, "threshold": 1e-5, "candidate_weights": weights}
    among = ot.solve(np.concatenate([x, new]), y, **settings)
    gap = (among.candidate[:-1] - potentials.candidate).mean()
    np.testing.assert_allclose(potentials.value(new) + gap, among.candidate[-1:], atol=1e-3)


def test_explanation_is_the_candidates_row_of_the_plan(clouds, found):
    x, y = clouds
    plan = plan_of(x, y, found)
    np.testing.assert_allclose(plan.sum(axis=0), 1 / len(y), atol=1e-4)
    np.testing.assert_allclose(found.explain(x[5]), plan[5] * len(x), atol=1e-4)
    assert found.explain(x[5]).sum() == pytest.approx(1.0, abs=1e-5)


def test_saved_potentials_are_read_back_whole(found, tmp_path, clouds):
    found.save(tmp_path / "potentials.safetensors")
    again = ot.Potentials.load(tmp_path / "potentials.safetensors")
    assert again.summary() == found.summary()
    np.testing.assert_array_equal(again.candidate, found.candidate)
    np.testing.assert_array_equal(again.value(clouds[0][:9]), found.value(clouds[0][:9]))
    assert ot.solve(*clouds, epsilon=0.05, threshold=1e-4, init=again).passes == 1


def test_files_that_hold_no_potentials_are_refused(tmp_path):
    from safetensors.numpy import save_file

    with pytest.raises(ValueError, match="no file"):
        ot.Potentials.load(tmp_path / "none")
    (tmp_path / "text").write_text("x" * 100)
    save_file({"other": np.zeros(3)}, tmp_path / "other")
    for name in ("text", "other"):
        with pytest.raises(ValueError, match="holds no potentials"):
            ot.Potentials.load(tmp_path / name)


def test_embeddings_of_another_width_are_refused(found):
    with pytest.raises(ValueError, match="same model"):
        found.value(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="same model"):
        found.explain(np.zeros(5))
