"""The classifier of n-grams against scikit-learn's with a vocabulary, and beside DSIR."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, ngram_classifier, select

WORDS = "the of and to in a is that court judge law appeal cell protein gene kinase film actor scene plot".split()


def texts(count, seed, shares):
    draws = np.random.default_rng(seed)
    return [" ".join(draws.choice(WORDS, draws.integers(8, 40), p=shares)) for _ in range(count)]


EVEN = np.full(len(WORDS), 1 / len(WORDS))
OF_LAW = np.where([word in ("court", "judge", "law", "appeal") for word in WORDS], 3, 1) / (len(WORDS) + 8)
POOL, TARGET = texts(300, 0, EVEN) + texts(60, 1, OF_LAW), texts(50, 2, OF_LAW)


SOLVED = 0.02  # of log-odds from -3 to 3: how far scikit-learn's solver stops from the minimum
APART = 300_007  # buckets in which no two of these n-grams meet


def problem(pool=POOL, target=TARGET):
    return Problem(Corpus.from_texts(list(pool)), Corpus.from_texts(list(target)), embed=None)


def log_odds(pool, target, ngrams, judged):
    counted = CountVectorizer(ngram_range=(1, ngrams), token_pattern=r"\w+").fit([*judged, *target])
    regression = make_pipeline(Normalizer(), LogisticRegression(class_weight="balanced", max_iter=1000, tol=1e-8))
    regression.fit(counted.transform([*pool, *target]), np.repeat([0, 1], [len(pool), len(target)]))
    return regression.decision_function(counted.transform(judged))


@pytest.mark.parametrize("ngrams", [1, 2])
def test_values_are_the_log_odds_of_a_regression_on_a_vocabulary(ngrams):
    selection = select("ngram_classifier", problem(), 20, seed=0, ngrams=ngrams, buckets=APART)
    expected = log_odds(POOL, TARGET, ngrams, POOL)
    assert np.ptp(expected) > 3
    np.testing.assert_allclose(-selection.values, expected, atol=SOLVED)
    assert len(np.intersect1d(selection.rows, np.argsort(-expected)[:20])) >= 19


def test_the_sample_alone_is_fitted_and_every_candidate_valued(monkeypatch):
    monkeypatch.setattr(ngram_classifier, "TEXTS_PER_BLOCK", 7)
    selection = select("ngram_classifier", problem(), 20, seed=3, sample=100, buckets=APART)
    rows = np.random.default_rng(3).choice(len(POOL), 100, replace=False)
    expected = log_odds([POOL[row] for row in rows], TARGET, 2, POOL)
    np.testing.assert_allclose(-selection.values, expected, atol=SOLVED)
    assert selection.info == {"pool_sample": 100}


def test_a_text_said_four_times_has_the_value_of_the_text_where_dsir_has_four_times_its_weight():
    pool = [*POOL, " ".join(4 * [POOL[0]])]
    values = select("ngram_classifier", problem(pool), 1, seed=0, ngrams=1).values
    assert values[-1] == pytest.approx(values[0], abs=1e-6)
    weights = select("dsir", problem(pool), 1, seed=0, ngrams=1).values
    assert weights[-1] == pytest.approx(4 * weights[0], rel=1e-4)


def test_both_sentences_of_a_pair_are_read():
    def paired(second):
        pool = Corpus.from_records([{"text": "the cell", "pair": None}, {"text": "the", "pair": second}])
        return Problem(pool, Corpus.from_texts(["court judge"]), embed=None)

    assert select("ngram_classifier", paired("court"), 1, seed=0).rows.tolist() == [1]
    values = select("ngram_classifier", paired("cell"), 1, seed=0).values
    assert values[0] == values[1]


def test_options_out_of_range_are_refused():
    for options in ({"buckets": 0}, {"ngrams": 0}, {"sample": 0}):
        with pytest.raises(ValueError, match="Each is 1 or more"):
            select("ngram_classifier", problem(), 5, seed=0, **options)
    with pytest.raises(ValueError, match=r"penalty is 0\.0"):
        select("ngram_classifier", problem(), 5, seed=0, penalty=0.0)
