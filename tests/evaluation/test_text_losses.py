"""Losses of texts: of causal models against perplexity, of masked ones against one text read alone; batches do not matter."""

import subprocess
import sys

import jax
import numpy as np
import pytest
from flax import nnx

from gotd_jax import models
from gotd_jax.data import length_buckets
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import load_tokenizer, tokenise
from gotd_jax.evaluation import text_losses
from gotd_jax.evaluation.perplexity import perplexity
from gotd_jax.evaluation.text_losses import losses
from gotd_jax.models.config import EncoderConfig
from gotd_jax.models.tokenizer import Vocabulary
from tests import processes
from tests.conftest import WORDS, write_tokenizer
from tests.evaluation.helpers import language_model
from tests.marks import others_slow

LENGTH = 32


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    """A masked language model of weights so large that it expects some words more than others."""
    tokenizer = tmp_path_factory.mktemp("tokenizer")
    config = EncoderConfig(
        "bert",
        vocab_size=write_tokenizer(tokenizer),
        width=32,
        layers=1,
        heads=2,
        mlp_width=64,
        max_positions=64,
        type_vocab_size=2,
        initializer_range=0.2,
    )
    folder = tmp_path_factory.mktemp("models") / "masked"
    model = models.initialise(config, "masked_lm", seed=0)
    return models.load(models.save(folder, model, tokenizer_from=tokenizer), "masked_lm")


@pytest.fixture(scope="module", params=others_slow("gpt2", "llama"))
def decoder(request, tmp_path_factory):
    return models.load(language_model(tmp_path_factory.mktemp("models") / request.param, request.param))


@pytest.fixture(scope="module")
def corpus():
    words = [word for group in WORDS.values() for word in group]
    rng = np.random.default_rng(0)
    return Corpus.from_texts([" ".join(rng.choice(words, 1 + int(rng.integers(40)))) for _ in range(50)])


def predicted(model, corpus, seed=0):
    """Each text's ids and the columns that are predicted of it."""
    tokenizer = load_tokenizer(model.source)
    tokens = tokenise(tokenizer, corpus, LENGTH)
    columns = text_losses.masked_columns(tokens, corpus.hashes, Vocabulary.of(tokenizer), seed)
    return [(tokens.ids[start:stop], chosen) for start, stop, chosen in zip(tokens.offsets, tokens.offsets[1:], columns)]


def test_a_causal_models_loss_is_the_logarithm_of_the_texts_perplexity(decoder, corpus):
    few = corpus.take([0, 1, 2])
    found = losses(decoder, few, max_length=LENGTH, seed=0)
    assert max(len(text) for text in few.texts()) > 4 * LENGTH  # several windows
    expected = [np.log(perplexity(decoder, few.take([row]), max_length=LENGTH).value) for row in range(len(few))]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert np.ptp(found) > 0.1


def test_a_masked_models_loss_is_that_of_the_text_read_alone(masked, corpus):
    expected = []
    mask_id = load_tokenizer(masked.source).mask_token_id
    read = jax.jit(lambda params, *batch: nnx.merge(masked.definition, params)(*batch))
    for ids, columns in predicted(masked, corpus):
        hidden = np.zeros((1, LENGTH), np.int32)
        hidden[0, : len(ids)] = ids
        hidden[0, columns] = mask_id
        every = np.arange(LENGTH, dtype=np.int32)
        logits = read(masked.params, hidden, every[None] < len(ids), np.zeros_like(hidden), every)
        logits = np.asarray(logits, np.float64)[columns]
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        expected.append(-np.log(chances[np.arange(len(columns)), ids[columns]]).mean())
    np.testing.assert_allclose(losses(masked, corpus, max_length=LENGTH, seed=0), expected, atol=1e-5)
    assert np.ptp(expected) > 1


def test_fifteen_in_a_hundred_tokens_at_least_one_and_no_special_ones_are_predicted(masked, corpus):
    special = Vocabulary.of(load_tokenizer(masked.source)).special_ids
    for ids, columns in predicted(masked, corpus):
        count = np.sum(~np.isin(ids, special))
        assert len(set(columns.tolist())) == len(columns) == max(round(0.15 * count), 1)
        assert not np.isin(ids[columns], special).any()


def test_what_is_predicted_depends_on_the_seed_and_the_text_alone(masked, corpus):
    rows = [7, 3, 7]
    together, other = predicted(masked, corpus), predicted(masked, corpus, seed=1)
    for row, (_, columns) in zip(rows, predicted(masked, corpus.take(rows))):
        np.testing.assert_array_equal(columns, together[row][1])
    assert sum(set(first.tolist()) != set(second.tolist()) for (_, first), (_, second) in zip(together, other)) > 40


def test_neither_batches_nor_blocks_nor_company_matter(masked, corpus, monkeypatch):
    together = losses(masked, corpus, max_length=LENGTH, seed=0)
    alone = [losses(masked, corpus.take([row]), max_length=LENGTH, seed=0) for row in range(0, 50, 7)]
    np.testing.assert_allclose(np.concatenate(alone), together[::7], atol=1e-5)
    monkeypatch.setattr(text_losses, "TEXTS_PER_BLOCK", 13)
    monkeypatch.setattr(length_buckets, "TOKENS_PER_BATCH", 64)
    order = np.random.default_rng(0).permutation(50)
    found = losses(masked, corpus.take(order), max_length=LENGTH, seed=0)
    np.testing.assert_allclose(found, together[order], atol=1e-5)


@pytest.mark.slow
def test_blocks_do_not_matter_to_a_causal_model(decoder, corpus, monkeypatch):
    few = corpus.take(range(7))
    together = losses(decoder, few, max_length=LENGTH, seed=0)
    monkeypatch.setattr(text_losses, "TEXTS_PER_BLOCK", 3)
    np.testing.assert_allclose(losses(decoder, few, max_length=LENGTH, seed=5), together, atol=1e-5)


def test_other_parameters_can_be_scored(masked, corpus):
    other = models.initialise(masked.config, "masked_lm", seed=1).params
    own, found = (losses(masked, corpus, params=params, max_length=LENGTH, seed=0) for params in (None, other))
    assert np.abs(own - found).max() > 0.1


def test_a_text_without_a_token_to_predict_has_loss_0(masked, decoder, corpus):
    texts = Corpus.from_texts(["", corpus.texts()[0]])
    for model in (masked, decoder):
        nothing, something = losses(model, texts, max_length=LENGTH, seed=0)
        assert nothing == 0 < something


def test_longer_texts_than_the_positions_are_read_as_far_as_they_reach(masked):
    found = losses(masked, Corpus.from_texts(["wave ship " * 60]), max_length=500, seed=0)
    assert np.isfinite(found).all()


def test_a_model_that_predicts_no_tokens_is_refused(tiny_model, corpus):
    with pytest.raises(ValueError, match="head is None, and only a causal or masked"):
        losses(models.load(tiny_model), corpus, max_length=LENGTH, seed=0)


def test_a_run_goes_on_after_the_blocks_that_are_kept(masked, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(text_losses, "TEXTS_PER_BLOCK", 8)
    options = {"max_length": LENGTH, "seed": 0}
    whole = losses(masked, corpus, **options)
    np.testing.assert_allclose(losses(masked, corpus, folder=tmp_path, **options), whole, atol=1e-6)
    kept = sorted(tmp_path.iterdir())
    np.save(kept[1], np.full(8, 7.0, np.float32))
    kept[-1].unlink()
    again = losses(masked, corpus, folder=tmp_path, **options)
    assert again[8:16].tolist() == 8 * [7.0] and sorted(tmp_path.iterdir()) == kept
    np.testing.assert_allclose(np.delete(again, slice(8, 16)), np.delete(whole, slice(8, 16)), atol=1e-6)


PROGRAM = """
import sys, numpy as np, jax
from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation.text_losses import losses
from gotd_jax import models
assert jax.device_count() == 8
model = models.load(sys.argv[2], "masked_lm")
np.save(sys.argv[3], losses(model, Corpus.open(sys.argv[1]), max_length=32, seed=0))
"""


@pytest.mark.slow
def test_eight_devices_give_the_losses_of_one(masked, corpus, tmp_path):
    corpus.save(tmp_path / "corpus.arrow")
    paths = [str(tmp_path / "corpus.arrow"), str(masked.source), str(tmp_path / "eight.npy")]
    subprocess.run([sys.executable, "-c", PROGRAM, *paths], check=True, env=processes.environment(8))
    np.testing.assert_allclose(np.load(paths[2]), losses(masked, corpus, max_length=LENGTH, seed=0), atol=1e-5)
