import dataclasses
import shutil
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from gotd_jax import models
from gotd_jax.data import length_buckets, vector_file
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.length_buckets import batches_by_width
from gotd_jax.data.tokens import load_tokenizer, tokenise
from gotd_jax.models import embedding
from gotd_jax.models.config import EncoderConfig
from gotd_jax.models.embedding import embed, embed_tokens
from gotd_jax.models.sentence_transformers import instructions_for
from tests import processes
from tests.evaluation.helpers import language_model
from tests.marks import others_slow
from tests.models.helpers import edit_json

MINILM = EncoderConfig(
    model_type="bert", vocab_size=100, width=384, layers=6, heads=12, mlp_width=1536, max_positions=512, type_vocab_size=2
)


@pytest.fixture(scope="module")
def encoder(tiny_model):
    return models.load(tiny_model)


@pytest.fixture(scope="module", params=others_slow("bert", "gpt2", "llama"))
def model(request, encoder, tmp_path_factory):
    """An encoder, and decoders with a tokeniser of letters."""
    if request.param == "bert":
        return encoder
    return models.load(language_model(tmp_path_factory.mktemp("models") / request.param, request.param))


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


def weights_of(pooling, length):
    """What each of a text's tokens counts."""
    places = np.arange(1, length + 1)
    weighed = {"mean": np.ones(length), "position": places, "cls": places == 1, "last": places == length}[pooling]
    return weighed / weighed.sum()


@pytest.mark.parametrize("pooling", others_slow("mean", "position", "cls", "last"))
def test_embedding_is_the_mean_over_real_tokens_or_that_by_position_or_the_first_or_last(model, corpus, tmp_path, pooling):
    hidden = hidden_states(model, corpus, 3)
    found = embed(corpus, model, tmp_path / "e", max_length=64, pooling=pooling)[3]
    np.testing.assert_allclose(found, weights_of(pooling, len(hidden)) @ hidden, atol=1e-5)


def in_torch(folder, corpus, pooling, max_length):
    """Embeddings by PyTorch in float64, each text alone, scaled to unit length."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    reference, tokenizer = AutoModel.from_pretrained(folder).double().eval(), AutoTokenizer.from_pretrained(folder)
    vectors = []
    for text in corpus.texts():
        batch = tokenizer(text, truncation=True, max_length=max_length, return_tensors="pt", padding=False)
        with torch.no_grad():
            hidden = reference(**batch).last_hidden_state[0].numpy()
        vectors.append(weights_of(pooling, len(hidden)) @ hidden)
    return np.stack(vectors) / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parity
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pooling", ["mean", "cls", "last", "position"])
def test_embeddings_are_those_of_pytorch_whichever_end_is_cut(tiny_model, corpus, tmp_path, pooling, side):
    shutil.copytree(tiny_model, tmp_path / "model")
    edit_json(tmp_path / "model/tokenizer_config.json", truncation_side=side)
    few = corpus.take(range(12))
    found = embed(few, models.load(tmp_path / "model"), tmp_path / "e", max_length=24, pooling=pooling, normalise=True)
    np.testing.assert_allclose(found, in_torch(tmp_path / "model", few, pooling, 24), atol=2e-6)


@pytest.mark.parity
def test_the_packaged_sentence_model_gives_the_unit_vectors_that_its_folder_asks_for(tmp_path):
    model = models.load("all-MiniLM-L6-v2")
    options = dataclasses.asdict(instructions_for(model))
    assert options == {"pooling": "mean", "normalise": True, "max_length": 256, "prompt": ""}
    texts = Corpus.from_texts(["The ship left the harbour.", "A court heard the appeal. " * 60])
    found = embed(texts, model, tmp_path / "e", **options)
    np.testing.assert_allclose(found, in_torch(model.source, texts, "mean", 256), atol=2e-6)


def test_a_prompt_begins_every_text(encoder, corpus, tmp_path):
    prompted = embed(corpus, encoder, tmp_path / "prompted", max_length=64, prompt="good wave ")
    written = embed(Corpus.from_texts(["good wave " + text for text in corpus.texts()]), encoder, tmp_path / "w", max_length=64)
    np.testing.assert_array_equal(prompted, written)


def test_what_was_read_of_each_text_lies_beside_the_embeddings(encoder, tmp_path):
    rows = ["wave " * 10, "what wave", "wave " * 10, "the"]
    embed(Corpus.from_texts(rows), encoder, tmp_path / "e", max_length=6)
    found = vector_file.kept_coverage(tmp_path / "e")
    assert (found.tokens.tolist(), found.read.tolist()) == ([10, 2, 10, 1], [4, 2, 4, 1])
    assert (found.unknown.tolist(), found.unreadable.tolist()) == ([0, 1, 0, 0], 4 * [False])


def test_float16_halves_the_file_and_keeps_three_digits(encoder, corpus, tmp_path):
    whole = embed(corpus, encoder, tmp_path / "whole", max_length=64)
    half = embed(corpus, encoder, tmp_path / "half", max_length=64, dtype="float16")
    assert half.dtype == np.float16 and 2 * half.nbytes == whole.nbytes
    np.testing.assert_allclose(half, whole, rtol=1e-3, atol=1e-6)
    with pytest.raises(ValueError, match="float32 or float16, not 'int8'"):
        embed(corpus, encoder, tmp_path / "other", dtype="int8")


def test_numbers_too_large_for_float16_are_refused_with_the_largest(corpus, tmp_path, tiny_model):
    model = models.load(tiny_model)
    norm = model.params["layers"][1]["mlp_norm"]
    norm["scale"] = norm["scale"] * 1e6
    with pytest.raises(RuntimeError, match=r"float16 holds numbers up to 6\.55e\+04\. Keep them as float32"):
        embed(corpus, model, tmp_path / "e", max_length=64, dtype="float16")


def test_embeddings_are_written_once(encoder, corpus, tmp_path):
    embed(corpus, encoder, tmp_path / "e", max_length=64)
    names = {path.name for path in (tmp_path / "e").iterdir()}
    assert names == {"embeddings.npy", "coverage.npy", "ids.arrow", "settings.json", "made.json"}


def test_preparing_the_next_batch_while_one_runs_changes_no_bit(encoder, corpus):
    tokens = tokenise(load_tokenizer(encoder.source), corpus, 64)
    run = embedding._mapped(encoder.definition, encoder.head, "mean")
    batches = list(batches_by_width(tokens.lengths))
    assert len(batches) > 2
    for (rows, width, height), (found_rows, found) in zip(batches, embed_tokens(tokens, encoder), strict=True):
        batch = tokens.pad(rows, width, height=height)
        alone = np.asarray(run(encoder.params, batch["ids"], batch["mask"], batch["types"]))[: len(rows)]
        np.testing.assert_array_equal(found_rows, rows)
        np.testing.assert_array_equal(found, alone)


@pytest.mark.slow
def test_batches_grow_with_the_memory_of_a_device_and_hold_the_same_embeddings(encoder, corpus, tmp_path, monkeypatch):
    small = embed(corpus, encoder, tmp_path / "small", max_length=64)
    sizes = []
    for gigabytes in (0, 0.05, 8, 80):
        monkeypatch.setattr(embedding, "device_bytes", lambda size=gigabytes: int(size * 1e9) * jax.device_count())
        sizes.append(embedding.tokens_at_once(MINILM, 256))
    assert sizes == [2048, 2048, 32_768, 131_072]
    monkeypatch.setattr(embedding, "device_bytes", lambda: jax.device_count() << 33)
    assert [embedding.tokens_at_once(MINILM, width) for width in (16, 512)] == [65_536, 16_384]
    monkeypatch.setattr(embedding, "MOST_TOKENS", 8192)
    np.testing.assert_allclose(embed(corpus, encoder, tmp_path / "large", max_length=64), small, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", pytest.param("position", marks=pytest.mark.slow)])
def test_embedding_does_not_depend_on_batch_or_padding(model, corpus, tmp_path, monkeypatch, pooling):
    few = corpus.take(range(20))
    alone = one_by_one(few, model, pooling=pooling)
    for name, (tokens_per_batch, step) in enumerate([(2048, 16), (64, 16), (512, 64)]):
        monkeypatch.setattr(embedding, "TOKENS_PER_BATCH", tokens_per_batch)
        monkeypatch.setattr(length_buckets, "WIDTH_STEP", step)
        found = embed(few, model, tmp_path / str(name), max_length=64, pooling=pooling)
        np.testing.assert_allclose(found, alone, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "position", "cls", "last"])
def test_a_decoders_tokens_are_weighed_the_same_wherever_in_the_row_they_lie(tmp_path, pooling):
    model = models.load(language_model(tmp_path / "gpt2", "gpt2"))
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
    model = models.load(language_model(tmp_path / "gpt2", "gpt2"))
    nothing, something = embed(Corpus.from_texts(["", "wave"]), model, tmp_path / "e", normalise=normalise)
    assert not nothing.any() and something.all()


def test_an_unknown_pooling_lists_those_there_are(encoder, corpus, tmp_path):
    with pytest.raises(ValueError, match=r"no pooling 'max'\. There are: mean, position, cls, last"):
        embed(corpus, encoder, tmp_path / "e", pooling="max")


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

    def stop_at_third(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **options)

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
from gotd_jax.models.embedding import embed
from gotd_jax import models
assert jax.device_count() == 8
np.save(sys.argv[3], embed(Corpus.open(sys.argv[1]), models.load(sys.argv[2]), sys.argv[3] + ".stage", max_length=64))
"""


@pytest.mark.slow
def test_eight_devices_give_the_embeddings_of_one(encoder, corpus, tmp_path):
    corpus.save(tmp_path / "corpus.arrow")
    paths = [str(tmp_path / "corpus.arrow"), str(encoder.source), str(tmp_path / "eight.npy")]
    subprocess.run([sys.executable, "-c", PROGRAM, *paths], check=True, env=processes.environment(8))
    one_device = embed(corpus, encoder, tmp_path / "one", max_length=64)
    np.testing.assert_allclose(np.load(paths[2]), one_device, atol=1e-5)
