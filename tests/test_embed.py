import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from gotd_jax import embed as embedding
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import load_tokenizer, tokenise
from gotd_jax.embed import batches_by_width, embed, embed_tokens
from gotd_jax.models import causal, published
from tests import processes
from tests.evaluation.helpers import language_model


@pytest.fixture(scope="module")
def encoder(tiny_model):
    return published.load(tiny_model)


@pytest.fixture(scope="module", params=["bert", "gpt2", "llama"])
def model(request, encoder, tmp_path_factory):
    """An encoder, and decoders with a tokeniser of letters."""
    if request.param == "bert":
        return encoder
    return causal.load(language_model(tmp_path_factory.mktemp("models") / request.param, request.param))


@pytest.fixture(scope="module")
def corpus():
    words = "wave ship harbour court judge bread butter the a of".split()
    rng = np.random.default_rng(0)
    return Corpus.from_texts([" ".join(rng.choice(words, 1 + int(rng.integers(60)))) for _ in range(70)])


def one_by_one(corpus, model, **options):
    tokens = tokenise(load_tokenizer(model.source), corpus, 64)
    return np.concatenate(
        [vectors for row in range(len(corpus)) for _, vectors in embed_tokens(one(tokens, row), model, **options)]
    )


def one(tokens, row):
    start, stop = tokens.offsets[row : row + 2]
    return type(tokens)(tokens.ids[start:stop], tokens.types[start:stop], np.array([0, stop - start]))


def hidden_states(model, corpus, row):
    """The last hidden states of one text, float32 [T, d]."""
    tokens = tokenise(load_tokenizer(model.source), corpus, 64)
    batch = tokens.pad([row], int(tokens.lengths[row]))
    module = nnx.merge(model.definition, model.params)
    if model.head == "causal_lm":
        return np.asarray(module.decoder(jnp.asarray(batch["ids"]), jnp.asarray(batch["mask"]))[0][0])
    return np.asarray(module(*(jnp.asarray(batch[name]) for name in ("ids", "mask", "types")))[0])


@pytest.mark.parametrize("pooling", ["mean", "position"])
def test_embedding_is_the_mean_over_real_tokens_or_that_by_position(model, corpus, tmp_path, pooling):
    hidden = hidden_states(model, corpus, 3)
    weights = np.ones(len(hidden)) if pooling == "mean" else np.arange(1, len(hidden) + 1)
    found = embed(corpus, model, tmp_path / "e", max_length=64, pooling=pooling)[3]
    np.testing.assert_allclose(found, weights @ hidden / weights.sum(), atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", pytest.param("position", marks=pytest.mark.slow)])
def test_embedding_does_not_depend_on_batch_or_padding(model, corpus, tmp_path, monkeypatch, pooling):
    few = corpus.take(range(20))
    alone = one_by_one(few, model, pooling=pooling)
    for name, (tokens_per_batch, step) in enumerate([(2048, 16), (64, 16), (512, 64)]):
        monkeypatch.setattr(embedding, "TOKENS_PER_BATCH", tokens_per_batch)
        monkeypatch.setattr(embedding, "WIDTH_STEP", step)
        found = embed(few, model, tmp_path / str(name), max_length=64, pooling=pooling)
        np.testing.assert_allclose(found, alone, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "position"])
def test_a_decoders_tokens_are_weighed_the_same_wherever_in_the_row_they_lie(tmp_path, pooling):
    model = causal.load(language_model(tmp_path / "gpt2", "gpt2"))
    run = embedding._mapped(model.definition, model.head, pooling)
    ids, height = np.random.default_rng(0).integers(5, 60, 9), jax.device_count()

    def padded(left, right):
        row, real = np.pad(ids, (left, right)), np.pad(np.ones(9, bool), (left, right))
        batch = (np.tile(array, (height, 1)) for array in (row.astype(np.int32), real, np.zeros(len(row), np.int32)))
        return np.asarray(run(model.params, *batch))[0]

    np.testing.assert_allclose(padded(7, 0), padded(0, 7), atol=1e-5)
    np.testing.assert_allclose(padded(0, 7), padded(0, 0), atol=1e-5)


@pytest.mark.parametrize("normalise", [True, False])
def test_a_text_without_tokens_has_an_embedding_of_zeros(tmp_path, normalise):
    model = causal.load(language_model(tmp_path / "gpt2", "gpt2"))
    nothing, something = embed(Corpus.from_texts(["", "wave"]), model, tmp_path / "e", normalise=normalise)
    assert not nothing.any() and something.all()


def test_an_unknown_pooling_lists_those_there_are(encoder, corpus, tmp_path):
    with pytest.raises(ValueError, match=r"no pooling 'last'\. There are: mean, position"):
        embed(corpus, encoder, tmp_path / "e", pooling="last")


def test_normalised_embeddings_have_unit_length(encoder, corpus, tmp_path):
    vectors = embed(corpus, encoder, tmp_path / "e", max_length=64, normalise=True)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_equal_texts_are_embedded_once_and_rows_stay_with_their_texts(encoder, corpus, tmp_path, capsys):
    rows = np.array([5, 1, 5, 9, 1, 5])
    found = embed(corpus.take(rows), encoder, tmp_path / "some", max_length=64)
    assert "Embedded 3 texts" in capsys.readouterr().err
    whole = embed(corpus, encoder, tmp_path / "all", max_length=64)
    np.testing.assert_allclose(found, whole[rows], atol=1e-5)


def test_stopped_embedding_goes_on_after_its_last_block(encoder, corpus, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(embedding, "TEXTS_PER_BLOCK", 20)
    whole = np.array(embed(corpus, encoder, tmp_path / "whole", max_length=64))
    real, calls = embedding.tokenise, []

    def stop_at_third(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(embedding, "tokenise", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        embed(corpus, encoder, tmp_path / "e", max_length=64)
    assert not (tmp_path / "e").exists()
    capsys.readouterr()
    np.testing.assert_array_equal(embed(corpus, encoder, tmp_path / "e", max_length=64), whole)
    assert "Embedded 30 texts" in capsys.readouterr().err


def test_finished_embeddings_are_read_and_not_made_again(encoder, corpus, tmp_path, monkeypatch):
    made = np.array(embed(corpus, encoder, tmp_path / "e", max_length=64))
    monkeypatch.setattr(embedding, "tokenise", None)
    np.testing.assert_array_equal(embed(corpus, encoder, tmp_path / "e", max_length=64), made)


def test_embeddings_of_other_texts_or_settings_are_refused(encoder, corpus, tmp_path):
    embed(corpus, encoder, tmp_path / "e", max_length=64)
    with pytest.raises(ValueError, match="max_length was 64, now 32"):
        embed(corpus, encoder, tmp_path / "e", max_length=32)
    with pytest.raises(ValueError, match="pooling was 'mean', now 'position'"):
        embed(corpus, encoder, tmp_path / "e", max_length=64, pooling="position")
    with pytest.raises(ValueError, match="corpus was"):
        embed(corpus.take([1, 0]), encoder, tmp_path / "e", max_length=64)


def test_batches_cover_every_text_once_in_few_shapes():
    lengths = np.random.default_rng(0).integers(1, 200, size=3000)
    batches = list(batches_by_width(lengths))
    assert sorted(row for rows, _, _ in batches for row in rows) == list(range(3000))
    assert len({(width, height) for _, width, height in batches}) <= 13
    assert all(lengths[rows].max() <= width and len(rows) <= height for rows, width, height in batches)


PROGRAM = """
import sys, numpy as np, jax
from gotd_jax.data.corpus import Corpus
from gotd_jax.embed import embed
from gotd_jax.models import published
assert jax.device_count() == 8
np.save(sys.argv[3], embed(Corpus.open(sys.argv[1]), published.load(sys.argv[2]), sys.argv[3] + ".stage", max_length=64))
"""


@pytest.mark.slow
def test_eight_devices_give_the_embeddings_of_one(encoder, corpus, tmp_path):
    corpus.save(tmp_path / "corpus.arrow")
    paths = [str(tmp_path / "corpus.arrow"), str(encoder.source), str(tmp_path / "eight.npy")]
    subprocess.run([sys.executable, "-c", PROGRAM, *paths], check=True, env=processes.environment(8))
    one_device = embed(corpus, encoder, tmp_path / "one", max_length=64)
    np.testing.assert_allclose(np.load(paths[2]), one_device, atol=1e-5)
