import dataclasses

import numpy as np
import pytest

from gotd_jax.evaluation import toxicity
from gotd_jax.evaluation.scorer import Scorer

TEXTS = ["Have a good day.", "you fucking idiot", "", "the harbour at night", "what a piece of shit"] * 5


@pytest.fixture(params=list(toxicity.SCORERS))
def scorer(request):
    return toxicity.load(request.param)


def test_a_packaged_scorer_has_its_name_and_the_packages_hash_in_its_version(scorer):
    assert scorer.name in toxicity.SCORERS
    assert {"linear": "1.9.1-cccb8ce072306bac", "lexicon": "0.17.1-cef78a79291e73e9"}[scorer.name] in scorer.version


def test_scores_are_float32_probabilities_with_the_toxic_above_the_clean(scorer):
    scores = scorer.score(TEXTS)
    assert scores.dtype == np.float32 and scores.shape == (len(TEXTS),)
    assert scores.min() >= 0 and scores.max() <= 1
    assert scores[1] > 0.5 > max(scores[0], scores[2], scores[3])
    assert scorer.score([]).shape == (0,)


def test_a_score_does_not_depend_on_the_other_texts(scorer):
    scores = scorer.score(TEXTS)
    order = np.random.default_rng(0).permutation(len(TEXTS))
    np.testing.assert_array_equal(scorer.score([TEXTS[place] for place in order]), scores[order])
    np.testing.assert_array_equal(dataclasses.replace(scorer, texts_per_call=2).score(TEXTS), scores)


def test_a_scorer_never_gets_more_texts_at_once_than_it_takes():
    sizes = []
    scorer = Scorer("of sizes", "1", lambda texts: sizes.append(len(texts)) or np.zeros(len(texts)), texts_per_call=4)
    assert scorer.score(["text"] * 10).tolist() == [0] * 10
    assert sizes == [4, 4, 2]


def test_texts_that_are_no_strings_are_refused(scorer):
    with pytest.raises(ValueError, match="One string was given in place of several"):
        scorer.score("text")
    with pytest.raises(ValueError, match="Text 1 is None, which is not a string"):
        scorer.score(["text", None])


@pytest.mark.parametrize("score", [np.nan, 1.5, -0.1])
def test_a_score_that_is_no_probability_is_an_error(score):
    with pytest.raises(RuntimeError, match=r"odd \(7\) scores 1 of 3 texts outside \[0, 1\], the first .* for text 1"):
        Scorer("odd", "7", lambda texts: np.array([0.5, score, 0.5])).score(["a", "b", "c"])


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ValueError, match=r"no toxicity scorer 'perspective'. There are: linear, lexicon, and any Hugging Face"):
        toxicity.load("perspective")


def test_a_hub_name_that_is_not_there_is_told(monkeypatch):
    with pytest.raises(
        ValueError, match="'nobody/nothing' is neither a folder here nor a model that the Hugging Face hub gave"
    ):
        toxicity.load("nobody/nothing")
