"""The advice on a pool in which generic texts lie in the middle, and stray texts in the target."""

import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.sampling import drawn
from gotd_jax.tool import advisor
from tests.methods.test_got_d import KIND, problem

STRAYS = [0, 1, 2, 4]  # of the target's texts: two are selected for, two judge


@pytest.fixture(scope="module")
def given():
    x = problem().candidates
    y = np.concatenate([problem(seed).targets for seed in (0, 5)])
    return x, y


@pytest.fixture(scope="module")
def advice(given):
    return {each.option: each for each in advisor.advise(*given, KIND / len(given[0]))}


def test_unit_vectors_and_debiasing_matter_where_generic_texts_crowd_the_middle(advice):
    for option in ("unit vectors", "debiasing"):
        found = advice[option]
        before, after = found.divergence
        assert found.matters and found.overlap < 0.8 and found.agreement < 0.99
        assert after < before
    assert "Keep it." in advice["debiasing"].sentence
    assert f"{100 * advice['debiasing'].divergence[1]:.3g}" in advice["debiasing"].sentence


def test_vectors_of_one_length_need_not_be_brought_to_it(given):
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in given)
    found = {each.option: each for each in advisor.advise(x, y, KIND / len(x))}
    assert not found["unit vectors"].matters and "one length already" in found["unit vectors"].sentence
    assert not found["trimming"].matters


def test_stray_target_texts_that_take_the_selection_over_are_told(given):
    x, y = given[0].copy(), given[1].copy()
    stray = np.eye(x.shape[1], dtype=np.float32)[-1] * 60
    y[STRAYS] += stray
    x[-24:] += stray / 3
    found = {each.option: each for each in advisor.advise(x, y, KIND / len(x))}["trimming"]
    assert found.matters and "2 of 40, take 40% of the mass" in found.sentence and found.overlap < 0.8


def test_too_few_texts_have_no_advice(given):
    x, y = given
    assert advisor.advise(x, y[:5], 0.1) == () and advisor.advise(x[:30], y, 0.1) == ()


def test_a_plan_has_the_advice_of_samples_that_are_embedded_for_it(given, monkeypatch):
    monkeypatch.setattr(advisor, "PLANNED_CANDIDATES", 120)
    monkeypatch.setattr(advisor, "PLANNED_TARGETS", 30)
    vectors, embedded = {}, []
    for side, (name, rows) in zip(given, (("pool", len(given[0])), ("target", len(given[1])))):
        vectors |= {f"{name} {row}": side[row] for row in range(rows)}

    def embed(corpus):
        embedded.append(len(corpus))
        return np.stack([vectors[text] for text in corpus.texts()])

    pool, target = (
        Corpus.from_texts([f"{name} {row}" for row in range(len(side))]) for name, side in zip(("pool", "target"), given)
    )
    said = advisor.for_plan(pool, target, embed, 0.1)
    rows, texts = drawn(len(pool), 120, 0), drawn(len(target), 30, 0)
    assert embedded == [120, 30]
    assert said == tuple(each.sentence for each in advisor.advise(given[0][rows], given[1][texts], 0.1))
    assert len(said) == 4 and all("of 120 candidates stay" in sentence for sentence in said[1:])
