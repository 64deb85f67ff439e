"""The settings by which texts become vectors, and the files that they are kept in."""

import dataclasses

import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.models.scaling import centring, whitening
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.training.recipe import Recipe
from tests.models.sentence_models import TYPES, sentence_model

WORDS = "wave ship harbour court judge bread butter".split()


@pytest.fixture(scope="module")
def pool():
    random = np.random.default_rng(0)
    return Corpus.from_texts([" ".join(random.choice(WORDS, 6)) for _ in range(40)])


@pytest.fixture(scope="module")
def target():
    return Corpus.from_texts(["bread and butter", "the judge of the court", "a wave"])


def test_sentence_encoders_have_unit_vectors_by_default_and_other_models_as_their_states_are(tiny_model, tmp_path):
    sentences = sentence_model(tiny_model, tmp_path / "sentences")
    normalised = sentence_model(tiny_model, tmp_path / "normalised", types=(*TYPES, "sentence_transformers.models.Normalize"))
    asked = (None, "none", "own", "unit", "centred")
    found = {
        folder: [Embedder(folder, tmp_path, normalise=each, max_length=16).normalisation for each in asked]
        for folder in (tiny_model, sentences, normalised)
    }
    assert list(found.values()) == [
        ["none", "none", "none", "unit", "centred"],
        ["unit", "none", "none", "unit", "centred"],
        ["unit", "none", "unit", "unit", "centred"],
    ]
    gradients = [Embedder(normalised, tmp_path, pooling="gradient", normalise=each, max_length=16) for each in asked[:4]]
    assert [embedder.normalisation for embedder in gradients] == ["unit", "none", "none", "unit"]
    centred = Embedder(normalised, tmp_path, pooling="gradient", normalise="centred", max_length=16)
    assert centred.how.normalise and centred.normalisation == "centred"


def test_vectors_are_scaled_by_the_pool_wherever_they_are_from_and_embedded_once(tiny_model, pool, target, tmp_path, capsys):
    plain = Embedder(tiny_model, tmp_path, max_length=16)
    made = plain.of(pool)
    for options, fitted in (
        ({"normalise": "centred"}, centring(made)),
        ({"normalise": "whitened"}, whitening(made)),
        ({"normalise": "whitened", "shrinkage": 0.5, "directions": 3}, whitening(made, shrinkage=0.5, directions=3)),
    ):
        embedder = dataclasses.replace(plain, **options)
        with pytest.raises(ValueError, match=f"The vectors are {options['normalise']}, which takes a pool"):
            embedder.of(target)
        related = embedder.relative_to(pool)
        for corpus in (pool, target):
            found = related.of(corpus)
            assert isinstance(found, np.memmap) and found.shape == (len(corpus), related.width)
            np.testing.assert_allclose(found, fitted.scale(plain.of(corpus)), atol=1e-5)
        assert not np.allclose(embedder.relative_to(target).of(target), found, atol=1e-2)
    assert capsys.readouterr().err.count("Embedded 40 texts") == 1


@pytest.mark.slow
def test_gradients_of_a_model_without_a_head_are_taken_with_one_that_is_trained_on_the_pool(tiny_model, pool, target, tmp_path):
    head = Recipe(batch_size=8, max_length=16, epochs=1, learning_rate=1e-3)
    options = {"pooling": "gradient", "max_length": 16, "gradient_size": 64, "gradient_layers": 1, "head": head}
    embedder = Embedder(tiny_model, tmp_path, **options)
    embedder.check()
    with pytest.raises(ValueError, match="of a model whose head is to be trained, which takes a pool"):
        embedder.of(target)
    related = embedder.relative_to(pool)
    found = related.of(target)
    assert found.shape == (3, 64) == (len(target), related.width)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert len(list((tmp_path / "heads").iterdir())) == 1
    assert related.kept_coverage(target).read.tolist() == [3, 5, 2]
    assert related.folder(target) != embedder.relative_to(target).folder(target)  # another head


def test_gradients_of_a_decoder_need_no_pool_and_are_kept_by_all_that_they_depend_on(tiny_decoder, target, tmp_path):
    embedder = Embedder(tiny_decoder, tmp_path, pooling="gradient", max_length=16, gradient_size=64)
    found = embedder.of(target)
    assert found.shape == (3, 64) and found.any()
    others = ({"gradient_size": 128}, {"gradient_layers": 1}, {"seed": 1}, {"normalise": "none"}, {"compute_dtype": "bfloat16"})
    folders = {dataclasses.replace(embedder, **change).folder(target) for change in ({}, *others)}
    assert len(folders) == 6 and embedder.folder(target) in folders
    with pytest.raises(ValueError, match="2 layers of it were asked for"):
        dataclasses.replace(embedder, layers=2).check()


def test_a_decoders_states_can_be_those_after_any_of_its_layers(tiny_decoder, target, tmp_path):
    first, last = (Embedder(tiny_decoder, tmp_path, layers=layers, max_length=16).of(target) for layers in (0, 1))
    assert not np.allclose(first, last, atol=1e-3)
    np.testing.assert_allclose(last, Embedder(tiny_decoder, tmp_path, max_length=16).of(target), atol=1e-6)
