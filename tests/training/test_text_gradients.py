"""Projected gradients of texts, against the exact ones that JAX takes of a loss written out here."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from gotd_jax import models
from gotd_jax.data import length_buckets
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import tokenise
from gotd_jax.evaluation.text_losses import masked_columns
from gotd_jax.models import embedding
from gotd_jax.models.loading import load_language_model
from gotd_jax.models.tokenizer import Vocabulary, tokenizer_of
from gotd_jax.training import text_gradients
from gotd_jax.training.text_gradients import check
from tests.evaluation.helpers import language_model
from tests.marks import others_slow

WORDS = "wave ship harbour court judge bread butter the a of".split()
LENGTH = 16  # all texts are of one width: few programs


@pytest.fixture(scope="module", params=others_slow("bert", "llama"))
def model(request, tiny_model, tmp_path_factory):
    """A masked language model with a random head, and a decoder with a tokeniser of letters."""
    if request.param == "bert":
        return load_language_model(tiny_model)
    return models.load(language_model(tmp_path_factory.mktemp("models") / request.param, request.param))


@pytest.fixture(scope="module")
def texts():
    random = np.random.default_rng(0)
    return Corpus.from_texts([" ".join(random.choice(WORDS, count)) for count in (2, 3, 4, 6, 9, 12, 12, 12)])


def vectors(model, texts, **options):
    tokens = tokenise(tokenizer_of(model), texts, LENGTH)
    found = {"size": 1024, "seed": 0, "normalise": False} | options
    size = found["size"]
    rows = np.full((len(texts), size), np.nan, np.float32)
    for places, gradients in text_gradients.text_gradients(tokens, texts, model, **found):
        rows[places] = gradients
    return rows


def exact_gradients(model, texts, seed=0):
    """Returns the gradient of each text's loss in all parameters, by an unpadded text at a time, as trees."""
    tokens, tokenizer = tokenise(tokenizer_of(model), texts, LENGTH), tokenizer_of(model)
    found = []
    for row in range(len(texts)):
        ids = tokens.ids[tokens.offsets[row] : tokens.offsets[row + 1]]
        if model.head == "causal_lm":
            found.append(causal_gradient(model.definition)(model.params, ids[None]))
        else:
            columns = masked_columns(tokens, texts.hashes, Vocabulary.of(tokenizer), seed)[row]
            masked = ids.copy()
            masked[columns] = tokenizer.mask_token_id
            found.append(masked_gradient(model.definition)(model.params, masked[None], columns, ids[columns]))
    return found


@functools.cache
def causal_gradient(definition):
    return jax.jit(jax.grad(functools.partial(causal_loss, definition)))


@functools.cache
def masked_gradient(definition):
    return jax.jit(jax.grad(functools.partial(masked_loss, definition)))


def causal_loss(definition, params, ids):
    logits = nnx.merge(definition, params)(ids, np.ones(ids.shape, bool))
    chances = jax.nn.log_softmax(logits[0, :-1])
    return -jnp.mean(chances[np.arange(ids.shape[1] - 1), ids[0, 1:]])


def masked_loss(definition, params, ids, columns, labels):
    logits = nnx.merge(definition, params)(ids, np.ones(ids.shape, bool), np.zeros(ids.shape, np.int32), columns)
    return -jnp.mean(jax.nn.log_softmax(logits)[np.arange(len(labels)), labels])


def gram(trees):
    rows = np.stack([np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)]) for tree in trees])
    return rows @ rows.T


def cosines(products):
    lengths = np.sqrt(np.diag(products))
    return products / lengths / lengths[:, None]


def last_layers(model, trees, layers):
    body = "decoder" if model.head == "causal_lm" else "encoder"
    count = model.config.layers
    return [{number: tree[body]["layers"][number] for number in range(count - layers, count)} for tree in trees]


@pytest.mark.slow
def test_inner_products_are_those_of_the_exact_gradients_to_the_error_of_the_projection(model, texts):
    exact = exact_gradients(model, texts)
    for part, layers in ((exact, None), (last_layers(model, exact, 1), 1)):
        expected = gram(part)
        lengths = np.sqrt(np.diag(expected))
        found = vectors(model, texts, layers=layers)
        errors = (found @ found.T - expected) / lengths / lengths[:, None]
        assert np.abs(errors).max() < 4.5 / np.sqrt(1024), layers
        assert np.sqrt(np.mean(errors**2)) < 1.5 / np.sqrt(1024), layers
        assert np.ptp(cosines(expected)) > 0.2  # texts differ by more than the error


@pytest.mark.slow
def test_batches_their_order_and_padding_change_nothing(model, texts, monkeypatch):
    found = vectors(model, texts)
    order = np.random.default_rng(1).permutation(len(texts))
    np.testing.assert_allclose(vectors(model, texts.take(order)), found[order], rtol=1e-3, atol=1e-5)
    monkeypatch.setattr(embedding, "TOKENS_PER_BATCH", 64)
    monkeypatch.setattr(length_buckets, "WIDTH_STEP", 20)
    monkeypatch.setattr(text_gradients, "BYTES_AT_ONCE", 1)  # one gradient at a time
    np.testing.assert_allclose(vectors(model, texts), found, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_the_seed_draws_the_projection_and_of_a_masked_model_the_masks(model, texts):
    kept = [vectors(model, texts.take([0, 1]), seed=seed) for seed in (0, 1)]
    assert np.abs(kept[0] - kept[1]).max() > 1e-2
    lengths = [np.linalg.norm(gradients, axis=1) for gradients in kept]
    moved = np.abs(lengths[0] / lengths[1] - 1).max()
    assert moved > 0.1 if model.head == "masked_lm" else moved < 0.1


def test_of_length_one_they_are_directions_and_a_text_with_nothing_to_predict_has_zeros(model):
    texts = Corpus.from_texts(["wave ship harbour court", ""])
    some, nothing = vectors(model, texts, normalise=True)
    assert np.linalg.norm(some) == pytest.approx(1, abs=1e-5)
    assert not nothing.any()


def test_layers_that_there_are_not_and_models_without_a_loss_are_refused(model, tiny_model):
    layers = model.config.layers
    for asked in (0, layers + 1):
        with pytest.raises(ValueError, match=f"has {layers} layers, and the gradient of the last {asked} "):
            check(model, asked)
    with pytest.raises(ValueError, match="head is None"):
        check(models.load(tiny_model), None)
