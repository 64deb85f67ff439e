"""What is said about a target: on packaged texts under the packaged model, and on vectors made for one fault each."""

import dataclasses
import itertools
import json

import numpy as np
import pytest

from gotd_jax import models
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.pools import load_domain, load_task
from gotd_jax.models.embedding import embed
from gotd_jax.models.packaged import model_folder
from gotd_jax.tool.target_health import FEW, examine

GERMAN = [
    "Der Film beginnt langsam, doch am Ende wollte ich nicht mehr aufstehen.",
    "Eine Komödie, über die man leider kein einziges Mal lachen kann.",
    "Die Schauspieler geben sich Mühe, aber das Drehbuch lässt sie im Stich.",
    "Selten hat mich eine Geschichte über das Altern so berührt wie diese.",
]
ENGLISH = [
    "The court found that the officer had no reason to stop the car.",
    "Shares in the company fell sharply after the results were published.",
    "The patients were followed for two years after the treatment.",
    "She was born in a small town near the coast and studied music.",
]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """Returns name -> (corpus, embeddings) of sentences about films and of the beginnings of passages, by MiniLM."""
    encoder = models.load(model_folder("all-MiniLM-L6-v2"))

    def vectors(name, texts):
        corpus = Corpus.from_texts(texts)
        return corpus, embed(corpus, encoder, tmp_path_factory.mktemp("embeddings") / name, max_length=16)

    texts = {name: [row["text"] for row in itertools.islice(load_domain(name), 60)] for name in ("reviews", "news", "law")}
    texts["sentences"] = load_task("rotten_tomatoes").train.corpus.texts(slice(0, 50))
    return {name: vectors(name, of_name) for name, of_name in texts.items()}


def of_pool(embedded, *names):
    vectors = np.concatenate([embedded[name][1] for name in names])
    return vectors, [text for name in names for text in embedded[name][0].texts()]


def around(direction, rows, seed, spread=0.3):
    """Returns vectors near one of the axes, float32 [rows, 16]."""
    noise = np.random.default_rng(seed).normal(size=(rows, 16)) * spread / 4
    return (np.eye(16)[direction] + noise).astype(np.float32)


def distinct(rows):
    return [f"{ENGLISH[row % 4]} It was number {row} of {row + 1} in the year {1900 + row}." for row in range(rows)]


def judged(texts, embeddings=None, candidates=None, pool_texts=ENGLISH):
    embeddings = around(0, len(texts), 1) if embeddings is None else embeddings
    candidates = np.concatenate([around(axis, 40, 2 + axis) for axis in range(4)]) if candidates is None else candidates
    return examine("films", Corpus.from_texts(texts), embeddings, candidates, pool_texts)


def test_an_ordinary_target_has_no_warnings(embedded):
    corpus, embeddings = embedded["sentences"]
    health = examine("films", corpus, embeddings, *of_pool(embedded, "reviews", "news", "law"))
    assert health.warnings == () and health.texts == health.different == 50
    assert health.languages["en"] > 0.9 and health.pool_languages["en"] > 0.9


def test_a_pool_without_the_like_of_the_target_is_warned_of(embedded):
    corpus, embeddings = embedded["sentences"]
    health = examine("films", corpus, embeddings, *of_pool(embedded, "law"))
    assert len(health.unserved) > 25
    (warning,) = health.warnings
    assert f"The pool has little for {len(health.unserved)} of the 50 texts of the target films" in warning


def test_the_part_that_the_pool_cannot_serve_is_named_with_its_copies():
    texts = distinct(60) + distinct(60)[-1:]
    embeddings = np.concatenate([around(0, 40, 1), around(9, 20, 2), around(9, 20, 2)[-1:]])
    health = judged(texts, embeddings)
    assert set(health.unserved) == set(range(40, 61))
    assert "21 of the 61 texts" in health.warnings[0] and "(rows 40, 41, 42, 43, 44, ...)" in health.warnings[0]


def test_what_is_unserved_does_not_depend_on_the_length_of_embeddings():
    embeddings = np.concatenate([around(0, 40, 1), around(9, 20, 2)])
    assert judged(distinct(60), 7 * embeddings).unserved == judged(distinct(60), embeddings).unserved


def test_texts_like_no_others_are_named():
    embeddings = np.concatenate([around(0, 58, 1), -around(0, 1, 2), around(5, 1, 3)])
    health = judged(distinct(60), embeddings)
    assert health.outliers == (58, 59)
    units = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    means = np.sort(units @ units.T, axis=1)[:, -6:-1].mean(axis=1)
    deviation = 1.4826 * np.median(np.abs(means - np.median(means)))
    assert health.outlier_below == pytest.approx(np.median(means) - 3.5 * deviation, abs=1e-5)
    assert any("2 of the 60 texts of the target films are like no others" in warning for warning in health.warnings)


def test_three_texts_are_too_few():
    (warning,) = judged(ENGLISH[:3]).warnings
    assert warning.startswith("The target films has 3 different texts, fewer than 20") and "Give 20 or more" in warning
    assert not judged(distinct(FEW)).warnings


def test_one_text_many_times_is_warned_of_once():
    health = judged(30 * ENGLISH[:1])
    assert (health.copies, health.near_duplicates, health.different) == (29, 0, 1)
    (warning,) = health.warnings
    assert warning.startswith("The target films is one text, 30 times")


def test_many_repeated_texts_are_counted_by_kind():
    texts = distinct(40)
    texts = texts + texts[:10] + [text.upper() for text in texts[10:14]]
    health = judged(texts)
    assert (health.copies, health.near_duplicates, health.different) == (10, 4, 40)
    (warning,) = health.warnings
    assert "14 of the 54 texts of the target films repeat an earlier one (10 word for word, 4 nearly)" in warning


def test_few_repeated_texts_are_no_reason_to_warn():
    assert judged(distinct(40) + distinct(5)).warnings == ()


def test_a_target_in_another_language_than_the_pool_is_warned_of():
    warnings = judged(GERMAN).warnings
    assert any(warning.startswith("The target films is 100% de; the pool is 100% en") for warning in warnings)
    assert not any(" de;" in warning for warning in judged(GERMAN, pool_texts=ENGLISH + GERMAN).warnings)


def test_a_few_texts_in_another_language_are_no_reason_to_warn():
    texts = distinct(40) + GERMAN[:1]
    health = judged(texts)
    assert health.languages == {"en": 40 / 41, "de": 1 / 41} and health.warnings == ()


def test_health_can_be_written_as_json_and_is_the_same_again():
    first, again = (json.dumps(dataclasses.asdict(judged(distinct(60)))) for _ in range(2))
    assert first == again
