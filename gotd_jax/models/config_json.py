"""A Hugging Face folder's `config.json` to an `EncoderConfig` or a `DecoderConfig`, and back: one table of keys a family.

A key that is absent takes the default of the published configuration class. Sizes that no model shares are not made up: a
file without them is refused.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping
from typing import Any

from gotd_jax.models.config import DECODERS, ENCODERS, DecoderConfig, EncoderConfig, check_choice, check_heads
from gotd_jax.models.config_values import number, optional, refuse, refuse_quantised, required_size, size, token_ids
from gotd_jax.models.rope_parameters import rotary_keys, rotary_of

FAMILIES = {**ENCODERS, **DECODERS}

# Of each family our field: its key in config.json.
SHARED = {"vocab_size": "vocab_size", "initializer_range": "initializer_range", "tied": "tie_word_embeddings"}
BERT = SHARED | {
    "width": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "mlp_width": "intermediate_size",
    "activation": "hidden_act",
    "max_positions": "max_position_embeddings",
    "type_vocab_size": "type_vocab_size",
    "pad_id": "pad_token_id",
    "norm_epsilon": "layer_norm_eps",
    "hidden_dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "classifier_dropout": "classifier_dropout",
}
KEYS = {
    "bert": BERT,
    "roberta": BERT,
    "distilbert": SHARED
    | {
        "width": "dim",
        "layers": "n_layers",
        "heads": "n_heads",
        "mlp_width": "hidden_dim",
        "activation": "activation",
        "max_positions": "max_position_embeddings",
        "pad_id": "pad_token_id",
        "hidden_dropout": "dropout",
        "attention_dropout": "attention_dropout",
        "classifier_dropout": "seq_classif_dropout",
    },
    "gpt2": SHARED
    | {
        "width": "n_embd",
        "layers": "n_layer",
        "heads": "n_head",
        "mlp_width": "n_inner",
        "activation": "activation_function",
        "max_positions": "n_positions",
        "norm_epsilon": "layer_norm_epsilon",
        "embedding_dropout": "embd_pdrop",
        "attention_dropout": "attn_pdrop",
        "residual_dropout": "resid_pdrop",
    },
    "gpt_neo": SHARED
    | {
        "width": "hidden_size",
        "layers": "num_layers",
        "heads": "num_heads",
        "mlp_width": "intermediate_size",
        "activation": "activation_function",
        "max_positions": "max_position_embeddings",
        "norm_epsilon": "layer_norm_epsilon",
        "embedding_dropout": "embed_dropout",
        "attention_dropout": "attention_dropout",
        "residual_dropout": "resid_dropout",
    },
    "llama": SHARED
    | {
        "width": "hidden_size",
        "layers": "num_hidden_layers",
        "heads": "num_attention_heads",
        "key_heads": "num_key_value_heads",
        "head_width": "head_dim",
        "mlp_width": "intermediate_size",
        "activation": "hidden_act",
        "max_positions": "max_position_embeddings",
        "norm_epsilon": "rms_norm_eps",
        "query_bias": "attention_bias",
        "output_bias": "attention_bias",
        "mlp_bias": "mlp_bias",
        "attention_dropout": "attention_dropout",
    },
}
REQUIRED = ("vocab_size", "width", "layers", "heads", "mlp_width")  # where the published class has a default of one model
SIZES = (*REQUIRED, "key_heads", "head_width", "max_positions", "type_vocab_size")
TEXTS_AND_FLAGS = ("activation", "tied", "query_bias", "output_bias", "mlp_bias")

# The fields that a decoder's architecture fixes.
GPT = {"gated": False, "norm": "layer", "rotary_base": None, "output_bias": True, "mlp_bias": True}
FIXED = {
    "gpt2": {**GPT, "query_bias": True, "scaled": True},
    "gpt_neo": {**GPT, "query_bias": False, "scaled": False},
    "llama": {"gated": True, "norm": "root_mean_square", "scaled": True},
}
# Of each family the keys, with the values of the variants that are not implemented.
ENCODER_VARIANTS = {
    "is_decoder": True,
    "add_cross_attention": True,
    "position_embedding_type": lambda value: value not in (None, "absolute"),
}
REFUSED = {
    **dict.fromkeys(("bert", "roberta", "distilbert"), ENCODER_VARIANTS),
    "gpt2": {"scale_attn_by_inverse_layer_idx": True, "add_cross_attention": True, "scale_attn_weights": False},
    "gpt_neo": {},
    "llama": {"pretraining_tp": lambda value: value not in (None, 1)},
}


def from_hf(content: Mapping[str, Any], compute_dtype: str = "float32") -> EncoderConfig | DecoderConfig:
    """Returns the configuration that the `config.json` of a Hugging Face folder describes.

    Args:
      content: the parsed `config.json`.
      compute_dtype: 'float32' or 'bfloat16'; see `EncoderConfig`.

    Raises:
      ValueError: another architecture, a missing size, a value of the wrong kind, or a variant that is not implemented.
    """
    model_type = content.get("model_type")
    check_choice("model_type", model_type, FAMILIES)
    refuse_quantised(content)
    family = FAMILIES[model_type]
    refuse(content, REFUSED[family])
    defaults = _published_defaults(model_type)
    fields = {field: _value(content, key, field, defaults[key]) for field, key in KEYS[family].items()}
    named = {"model_type": model_type, "compute_dtype": compute_dtype}
    if model_type in ENCODERS:
        return EncoderConfig(**named, **fields)
    architecture = FIXED[family] | _with_derived(fields) | _of_layers(content, family, fields)
    return DecoderConfig(**named, end_ids=token_ids(content.get("eos_token_id")), **architecture)


def to_hf(config: EncoderConfig | DecoderConfig) -> dict[str, Any]:
    """Returns the keys of `config.json` that `from_hf` reads `config` from."""
    content = {key: getattr(config, field) for field, key in KEYS[config.family].items()}
    if isinstance(config, DecoderConfig):
        content["eos_token_id"] = config.end_ids[0] if len(config.end_ids) == 1 else list(config.end_ids) or None
    if config.family == "gpt_neo":
        content["window_size"] = next(filter(None, config.windows), _published_defaults("gpt_neo")["window_size"])
        content["attention_types"] = [[["local" if window else "global"], 1] for window in config.windows]
    if config.family == "llama":
        content |= rotary_keys(config)
    return {"model_type": config.model_type, **content}


@functools.cache
def _published_defaults(model_type: str) -> dict[str, Any]:
    """Returns the defaults of the published configuration class by key; None where a value follows from other keys."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # it warns that PyTorch is missing, which is as it should be
    from transformers import CONFIG_MAPPING

    return {field.name: field.default for field in dataclasses.fields(CONFIG_MAPPING[model_type])}


def _value(content: Mapping[str, Any], key: str, field: str, default: Any) -> Any:
    if field in REQUIRED and default is not None:
        return required_size(content, key)
    if field in SIZES:
        return size(content, key, default)
    return (optional if field in TEXTS_AND_FLAGS else number)(content, key, default)


def _with_derived(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a decoder's fields, with those that follow from its width and heads where the file does not say them."""
    width, heads = fields["width"], fields["heads"]
    if fields.get("head_width") is None:
        check_heads(heads, width)
    derived = {"mlp_width": 4 * width, "key_heads": heads, "head_width": width // heads}
    return derived | {field: value for field, value in fields.items() if value is not None}


def _of_layers(content: Mapping[str, Any], family: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields that say how far back each layer sees and, where positions are rotary, how they are rotated."""
    if family == "gpt_neo":
        window = size(content, "window_size", _published_defaults("gpt_neo")["window_size"])
        return {"windows": tuple(window if kind == "local" else None for kind in _attention_kinds(content))}
    rotary = dict(zip(("rotary_base", "rotary_scaling"), rotary_of(content))) if family == "llama" else {}
    return {"windows": (None,) * fields["layers"], **rotary}


def _attention_kinds(content: Mapping[str, Any]) -> list[str]:
    """Returns the kind of each layer, from a list of them or from groups with how often each is repeated."""
    groups = optional(content, "attention_types", [[["global", "local"], 12]])
    try:
        kinds = content.get("attention_layers") or [kind for group, times in groups for kind in group * times]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"attention_types is {groups!r}, and should be like [[['global', 'local'], 12]]. Correct it."
        ) from error
    if left := sorted({*map(str, kinds)} - {"global", "local"}):
        raise ValueError(f"The layers' attention is {', '.join(left)}, and only global and local are known.")
    return kinds
