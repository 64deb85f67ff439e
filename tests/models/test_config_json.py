import dataclasses
import json

import pytest

from gotd_jax.models.config import EncoderConfig
from gotd_jax.models.config_json import from_hf, to_hf
from tests.models.helpers import FAMILIES, REFERENCES

BERT = {
    "model_type": "bert",
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_configuration_survives_the_way_out_and_back(family):
    content = json.loads((REFERENCES / family / "masked_lm" / "config.json").read_text())
    config = from_hf(content)
    assert from_hf(to_hf(config)) == config
    assert {key: content[key] for key in to_hf(config)} == to_hf(config)


def test_absent_keys_take_the_defaults_of_the_published_classes():
    assert from_hf(BERT).pad_id == 0
    assert from_hf({**BERT, "model_type": "roberta"}).pad_id == 1
    assert from_hf({**BERT, "pad_token_id": None}).pad_id == 0


def test_configuration_is_hashable_and_replaceable():
    config = from_hf(BERT)
    assert len({config, from_hf(BERT), dataclasses.replace(config, compute_dtype="bfloat16")}) == 2


def test_roberta_positions_serve_two_tokens_fewer():
    assert from_hf({**BERT, "model_type": "roberta", "max_position_embeddings": 514}).max_length == 512
    assert from_hf(BERT).max_length == 512


def test_what_is_not_supported_is_refused_by_name(subtests):
    cases = [
        ({"model_type": "electra"}, "'electra', and the supported are bert, camembert, distilbert, gpt2"),
        ({"model_type": None}, "model_type is None"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ({"hidden_act": "mish"}, "activation is 'mish', and the supported are gelu, gelu_new"),
        ({"is_decoder": True}, "is_decoder is True, a variant that is not implemented"),
        ({"num_attention_heads": 7}, "7 attention heads do not divide a width of 768"),
        ({"hidden_size": None}, "lacks 'hidden_size'"),
    ]
    for changes, message in cases:
        with subtests.test(changes=changes), pytest.raises(ValueError, match=message):
            from_hf({**BERT, **changes})


def test_unknown_compute_dtype_is_refused():
    with pytest.raises(ValueError, match="compute_dtype is 'float16', and the supported are bfloat16, float32"):
        EncoderConfig("bert", 97, 24, 2, 3, 40, compute_dtype="float16")
