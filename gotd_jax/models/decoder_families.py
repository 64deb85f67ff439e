"""The decoders of Hugging Face folders: each family's `config.json` to a `DecoderConfig`, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gotd_jax.models.decoder_config import DecoderConfig
from gotd_jax.models.keys import number, optional, refuse, refuse_quantised, required_size, size, token_ids
from gotd_jax.models.rotary_settings import rotary_of


def from_hf(content: Mapping[str, Any], compute_dtype: str = "float32") -> DecoderConfig:
    """Returns the configuration that the `config.json` of a Hugging Face folder describes.

    Args:
      content: the parsed `config.json`. Absent keys take the defaults of the published configuration class.
      compute_dtype: 'float32' or 'bfloat16'; see `DecoderConfig`.

    Raises:
      ValueError: another architecture, a missing size, or a variant that is not implemented.
    """
    model_type = content.get("model_type")
    if model_type not in FAMILIES:
        raise ValueError(f"model_type is {model_type!r}, and the supported are {', '.join(sorted(FAMILIES))}.")
    refuse_quantised(content)
    return DecoderConfig(
        model_type=model_type,
        initializer_range=number(content, "initializer_range", 0.02),
        end_ids=token_ids(content.get("eos_token_id")),
        compute_dtype=compute_dtype,
        **FAMILIES[model_type](content),
    )


def _gpt2(content: Mapping[str, Any]) -> dict[str, Any]:
    refuse(content, {"scale_attn_by_inverse_layer_idx": True, "add_cross_attention": True, "scale_attn_weights": False})
    width, heads, layers = (required_size(content, key) for key in ("n_embd", "n_head", "n_layer"))
    return _learned_positions(width, heads, layers) | {
        "vocab_size": required_size(content, "vocab_size"),
        "mlp_width": size(content, "n_inner", 4 * width),
        "activation": optional(content, "activation_function", "gelu_new"),
        "max_positions": size(content, "n_positions", 1024),
        "norm_epsilon": number(content, "layer_norm_epsilon", 1e-5),
        "query_bias": True,
        "scaled": True,
        "windows": (None,) * layers,
        "tied": optional(content, "tie_word_embeddings", True),
        "embedding_dropout": number(content, "embd_pdrop", 0.1),
        "attention_dropout": number(content, "attn_pdrop", 0.1),
        "residual_dropout": number(content, "resid_pdrop", 0.1),
    }


def _gpt_neo(content: Mapping[str, Any]) -> dict[str, Any]:
    width, heads, layers = (required_size(content, key) for key in ("hidden_size", "num_heads", "num_layers"))
    window = size(content, "window_size", 256)
    kinds = _attention_kinds(content)
    return _learned_positions(width, heads, layers) | {
        "vocab_size": required_size(content, "vocab_size"),
        "mlp_width": size(content, "intermediate_size", 4 * width),
        "activation": optional(content, "activation_function", "gelu_new"),
        "max_positions": size(content, "max_position_embeddings", 2048),
        "norm_epsilon": number(content, "layer_norm_epsilon", 1e-5),
        "query_bias": False,
        "scaled": False,
        "windows": tuple(window if kind == "local" else None for kind in kinds),
        "tied": optional(content, "tie_word_embeddings", True),
        "embedding_dropout": number(content, "embed_dropout", 0.0),
        "attention_dropout": number(content, "attention_dropout", 0.0),
        "residual_dropout": number(content, "resid_dropout", 0.0),
    }


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


def _llama(content: Mapping[str, Any]) -> dict[str, Any]:
    refuse(content, {"pretraining_tp": lambda value: value not in (None, 1)})
    width, heads, layers = (required_size(content, key) for key in ("hidden_size", "num_attention_heads", "num_hidden_layers"))
    base, scaling = rotary_of(content)
    bias = bool(optional(content, "attention_bias", False))
    return {
        "vocab_size": required_size(content, "vocab_size"),
        "width": width,
        "layers": layers,
        "heads": heads,
        "key_heads": size(content, "num_key_value_heads", heads),
        "head_width": size(content, "head_dim", width // heads),
        "mlp_width": required_size(content, "intermediate_size"),
        "activation": optional(content, "hidden_act", "silu"),
        "gated": True,
        "max_positions": size(content, "max_position_embeddings", 2048),
        "norm": "root_mean_square",
        "norm_epsilon": number(content, "rms_norm_eps", 1e-6),
        "rotary_base": base,
        "rotary_scaling": scaling,
        "query_bias": bias,
        "output_bias": bias,
        "mlp_bias": bool(optional(content, "mlp_bias", False)),
        "scaled": True,
        "windows": (None,) * layers,
        "tied": optional(content, "tie_word_embeddings", False),
        "attention_dropout": number(content, "attention_dropout", 0.0),
    }


FAMILIES = {"gpt2": _gpt2, "gpt_neo": _gpt_neo, "llama": _llama}


def to_hf(config: DecoderConfig) -> dict[str, Any]:
    """Returns the keys of `config.json` that `from_hf` reads `config` from."""
    common = {
        "model_type": config.model_type,
        "vocab_size": config.vocab_size,
        "tie_word_embeddings": config.tied,
        "initializer_range": config.initializer_range,
        "eos_token_id": config.end_ids[0] if len(config.end_ids) == 1 else list(config.end_ids) or None,
    }
    return common | {"gpt2": _hf_gpt2, "gpt_neo": _hf_gpt_neo, "llama": _hf_llama}[config.model_type](config)


def _hf_gpt2(config):
    return {
        "n_embd": config.width,
        "n_layer": config.layers,
        "n_head": config.heads,
        "n_inner": config.mlp_width,
        "n_positions": config.max_positions,
        "activation_function": config.activation,
        "layer_norm_epsilon": config.norm_epsilon,
        "embd_pdrop": config.embedding_dropout,
        "attn_pdrop": config.attention_dropout,
        "resid_pdrop": config.residual_dropout,
    }


def _hf_gpt_neo(config):
    local = [window for window in config.windows if window]
    return {
        "hidden_size": config.width,
        "num_layers": config.layers,
        "num_heads": config.heads,
        "intermediate_size": config.mlp_width,
        "max_position_embeddings": config.max_positions,
        "activation_function": config.activation,
        "layer_norm_epsilon": config.norm_epsilon,
        "window_size": local[0] if local else 256,
        "attention_types": [[["local" if window else "global"], 1] for window in config.windows],
        "embed_dropout": config.embedding_dropout,
        "attention_dropout": config.attention_dropout,
        "resid_dropout": config.residual_dropout,
    }


def _hf_llama(config):
    rotary = {"rope_type": "default", "rope_theta": config.rotary_base}
    if scaling := config.rotary_scaling:
        rotary |= {
            "rope_type": "llama3",
            "factor": scaling.factor,
            "low_freq_factor": scaling.low,
            "high_freq_factor": scaling.high,
            "original_max_position_embeddings": scaling.original,
        }
    return {
        "hidden_size": config.width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.key_heads,
        "head_dim": config.head_width,
        "intermediate_size": config.mlp_width,
        "max_position_embeddings": config.max_positions,
        "hidden_act": config.activation,
        "rms_norm_eps": config.norm_epsilon,
        "rope_theta": config.rotary_base,
        "rope_parameters": rotary,
        "attention_bias": config.query_bias,
        "mlp_bias": config.mlp_bias,
        "attention_dropout": config.attention_dropout,
    }


def _learned_positions(width: int, heads: int, layers: int) -> dict[str, Any]:
    """Returns what GPT-2 and GPT-Neo share."""
    if width % heads:
        raise ValueError(f"{heads} attention heads do not divide a width of {width}. Choose a divisor of the width.")
    return {
        "width": width,
        "layers": layers,
        "heads": heads,
        "key_heads": heads,
        "head_width": width // heads,
        "gated": False,
        "norm": "layer",
        "rotary_base": None,
        "output_bias": True,
        "mlp_bias": True,
    }
