import dataclasses
import math

import jax
import numpy as np
import pytest
from flax import nnx

from gotd_jax.models import encoder, layers, load, prediction_heads
from gotd_jax.models.config import EncoderConfig
from gotd_jax.models.config_json import from_hf
from gotd_jax.models.encoder import Block
from gotd_jax.models.model import blueprint, initialise
from gotd_jax.models.prediction_heads import ClassifierHead
from tests.marks import others_slow
from tests.models.helpers import FAMILIES, REFERENCES, hidden, logits, reference

BASE = {
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}
ROBERTA = {**BASE, "vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1}
DISTILBERT = {"vocab_size": 30522, "dim": 768, "n_layers": 6, "n_heads": 12, "hidden_dim": 3072}
MINILM = {**BASE, "hidden_size": 384, "num_hidden_layers": 6, "intermediate_size": 1536}
POOLER = 768 * 768 + 768
THREE_LAYERS = EncoderConfig(
    "bert", vocab_size=40, width=16, layers=3, heads=2, mlp_width=32, max_positions=32, type_vocab_size=2
)


@pytest.mark.parametrize(
    ("content", "published"),
    [
        ({"model_type": "bert", **BASE}, 109_482_240 - POOLER),
        ({"model_type": "roberta", **ROBERTA}, 124_645_632 - POOLER),
        ({"model_type": "distilbert", **DISTILBERT}, 66_362_880),
        ({"model_type": "bert", **MINILM}, 22_713_216 - 384 * 384 - 384),
    ],
    ids=["bert-base-uncased", "roberta-base", "distilbert-base-uncased", "MiniLM-L6"],
)
def test_published_sizes_have_the_published_number_of_parameters(content, published):
    _, shapes = blueprint(from_hf(content))
    assert sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(shapes)) == published


@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_states_do_not_depend_on_padding_or_on_other_rows(family):
    loaded = load(REFERENCES / family / "masked_lm")
    batch = reference(family, "masked_lm")
    found = hidden(loaded, batch)
    length = batch["mask"][1].sum()
    alone = {name: batch[name][1:2, :length] for name in ("ids", "mask", "types")}
    assert length < batch["mask"].shape[1]
    np.testing.assert_allclose(hidden(loaded, alone)[0], found[1, :length], atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_states_do_not_depend_on_what_the_padding_is_filled_with(family):
    loaded = load(REFERENCES / family / "masked_lm")
    batch = reference(family, "masked_lm")
    filled = {**batch, "ids": np.where(batch["mask"], batch["ids"], 7).astype(np.int32)}
    np.testing.assert_allclose(hidden(loaded, filled)[batch["mask"]], hidden(loaded, batch)[batch["mask"]], atol=1e-6)


def test_roberta_counts_positions_from_the_first_token_wherever_the_padding_is():
    loaded, batch = load(REFERENCES / "roberta" / "masked_lm"), reference("roberta", "masked_lm")
    flipped = {name: batch[name][:, ::-1] for name in ("mask", "types")}
    ids = np.full_like(batch["ids"], 7)
    ids[flipped["mask"]] = batch["ids"][batch["mask"]]
    found = hidden(loaded, {**flipped, "ids": ids})
    np.testing.assert_allclose(found[flipped["mask"]], hidden(loaded, batch)[batch["mask"]], atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_that_is_all_padding_is_finite(family):
    batch = reference(family, "masked_lm")
    batch["mask"][1] = False
    assert np.isfinite(hidden(load(REFERENCES / family / "masked_lm"), batch)).all()


@pytest.mark.parametrize(("family", "count"), [("bert", True), ("roberta", False), ("distilbert", False)])
def test_token_types_count_in_bert_alone(family, count):
    loaded = load(REFERENCES / family / "masked_lm")
    batch = reference(family, "masked_lm", padded=False)
    swapped = {**batch, "types": 1 - batch["types"]}
    assert (np.abs(hidden(loaded, swapped) - hidden(loaded, batch)).max() > 1e-3) == count


def test_a_batch_wider_than_the_positions_is_refused():
    loaded = load(REFERENCES / "roberta" / "masked_lm")
    batch = {name: np.ones((1, 17), np.int32) for name in ("ids", "mask", "types")}
    with pytest.raises(ValueError, match="17 tokens wide, and this roberta has positions for 16"):
        hidden(loaded, batch)


def test_token_ids_outside_the_vocabulary_give_nan_and_not_another_token():
    loaded = load(REFERENCES / "bert" / "masked_lm")
    batch = reference("bert", "masked_lm", padded=False)
    batch["ids"][0, 3] = 97
    assert np.isnan(hidden(loaded, batch)[0]).all()


def small(model_type, **rates):
    """One layer and, below, keys of the kind that compiles fastest."""
    rates = {"hidden_dropout": 0.0, "attention_dropout": 0.0, "classifier_dropout": 0.0, **rates}
    return EncoderConfig(model_type, 97, 24, 1, 3, 40, type_vocab_size=2, initializer_range=0.3, **rates)


@pytest.mark.parametrize("head", ["masked_lm", "classifier"])
def test_dropout_is_a_function_of_its_key(head):
    loaded = initialise(small("bert", hidden_dropout=0.1), head, outputs=3)
    batch = reference("bert", "masked_lm")
    first, again, other = (logits(loaded, batch, jax.random.key(seed, impl="rbg")) for seed in (0, 0, 1))
    assert (first == again).all()
    assert np.abs(first - other).max() > 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("model_type", others_slow(*FAMILIES))
def test_every_dropout_rate_is_used(model_type):
    batch, key = reference("bert", "masked_lm"), jax.random.key(0, impl="rbg")
    exact = logits(initialise(small(model_type), "classifier", outputs=3), batch)
    for rate in ("hidden_dropout", "attention_dropout", "classifier_dropout"):
        dropped = initialise(small(model_type, **{rate: 0.5}), "classifier", outputs=3)
        assert np.abs(logits(dropped, batch, key) - exact).max() > 1e-2, rate


# After the embeddings; on the attention's probabilities; after its output; after the MLP; in the head.
SITES = {
    "bert": [0.1, 0.2, 0.1, 0.1, 0.3],
    "roberta": [0.1, 0.2, 0.1, 0.1, 0.3, 0.3],
    "distilbert": [0.1, 0.2, 0.0, 0.1, 0.3],
}


@pytest.mark.parametrize("model_type", FAMILIES)
def test_dropout_is_where_the_published_models_have_it(model_type, monkeypatch):
    rates = []
    for module in (layers, encoder, prediction_heads):
        monkeypatch.setattr(module, "dropout", lambda x, rate, key: rates.append(rate) or x)
    loaded = initialise(
        small(model_type, hidden_dropout=0.1, attention_dropout=0.2, classifier_dropout=0.3), "classifier", outputs=3
    )
    batch = reference("bert", "masked_lm")
    nnx.merge(loaded.definition, loaded.params)(batch["ids"], batch["mask"], batch["types"], key=jax.random.key(0))
    assert rates == SITES[model_type]


def test_classifier_dropout_defaults_to_that_of_the_body():
    def drop(rate):
        config = dataclasses.replace(small("bert", hidden_dropout=0.5), classifier_dropout=rate)
        return ClassifierHead(config, 3, nnx.Rngs(0))(np.ones((4, 24), np.float32), key=jax.random.key(0))

    assert (drop(None) == drop(0.5)).all()
    assert (drop(None) != drop(0.0)).all()


def test_every_layer_gets_a_key_of_its_own(monkeypatch):
    keys = []
    monkeypatch.setattr(Block, "__call__", lambda self, x, mask, key: keys.append(jax.random.key_data(key)) or x)
    loaded, batch = initialise(dataclasses.replace(small("bert"), layers=3)), reference("bert", "masked_lm")
    nnx.merge(loaded.definition, loaded.params)(batch["ids"], batch["mask"], batch["types"], key=jax.random.key(0))
    assert len({tuple(np.asarray(key)) for key in keys}) == 3


def test_bfloat16_is_near_float32_and_is_not_it():
    folder, batch = REFERENCES / "bert" / "masked_lm", reference("bert", "masked_lm")
    exact, low = (hidden(load(folder, compute_dtype=dtype), batch)[batch["mask"]] for dtype in ("float32", "bfloat16"))
    assert 1e-4 < np.abs(exact - low).max() < 0.2  # hidden states of order 1, to 2^-8 in each product
    assert (exact * low).sum() / np.linalg.norm(exact) / np.linalg.norm(low) > 0.999


def test_a_cut_encoder_gives_the_hidden_states_after_its_last_layer():
    model = initialise(THREE_LAYERS)
    ids = np.arange(5, 17).reshape(2, 6)
    whole = nnx.merge(model.definition, model.params)
    mask, types = np.ones(ids.shape, bool), np.zeros(ids.shape, int)
    states = [whole.embeddings(ids, mask, types)]
    for layer in whole.layers:
        states.append(layer(states[-1], mask[:, None, None, :]))
    cuts = [model.cut(count) for count in range(4)]
    for cut, state in zip(cuts, states, strict=True):
        found = nnx.merge(cut.definition, cut.params)(ids, mask, types)
        np.testing.assert_allclose(found, state, rtol=1e-5, atol=1e-6)
    assert len({model.fingerprint, *(cut.fingerprint for cut in cuts)}) == 5


def test_layers_that_an_encoder_lacks_or_a_head_needs_are_not_cut():
    for count in (-1, 4):
        with pytest.raises(ValueError, match=f"has 3 layers, and {count} were asked for"):
            initialise(THREE_LAYERS).cut(count)
    with pytest.raises(ValueError, match="an encoder without a head"):
        initialise(THREE_LAYERS, "masked_lm").cut(1)
