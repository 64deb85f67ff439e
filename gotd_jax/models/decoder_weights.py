"""The names of published decoders' weights: one table a family, from our modules to Hugging Face's.

GPT-2 keeps its matrices as [inputs, outputs] and those of queries, keys and values in one; the others keep one matrix a
layer, as [outputs, inputs].
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from flax import traverse_util

from gotd_jax.models.decoder_config import DecoderConfig

Path = tuple[Any, ...]  # of a parameter in the nested dict, such as ("decoder", "layers", 0, "mlp", "expand", "kernel")

LEAVES = {"kernel": "weight", "scale": "weight", "table": "weight", "bias": "bias"}
FUSED = ("query", "key", "value")  # in GPT-2's c_attn, in this order


@dataclasses.dataclass(frozen=True)
class Names:
    """Hugging Face's names of one family's modules.

    Args:
      prefix: of the body.
      body: our module below `decoder` -> theirs.
      layer: theirs of layer i, with `{}` for i.
      modules: our module below a layer -> theirs.
      transposed: whether matrices are kept as [outputs, inputs].
      beside: ends of the names of buffers, which hold no weights.
    """

    prefix: str
    body: Mapping[str, str]
    layer: str
    modules: Mapping[str, str]
    transposed: bool
    beside: tuple[str, ...]


GPT_BODY = {"words": "wte", "positions": "wpe", "norm": "ln_f"}
FAMILY_NAMES = {
    "gpt2": Names(
        prefix="transformer.",
        body=GPT_BODY,
        layer="h.{}.",
        modules={
            "attention_norm": "ln_1",
            "attention.query": "attn.c_attn",
            "attention.key": "attn.c_attn",
            "attention.value": "attn.c_attn",
            "attention.output": "attn.c_proj",
            "mlp_norm": "ln_2",
            "mlp.expand": "mlp.c_fc",
            "mlp.contract": "mlp.c_proj",
        },
        transposed=False,
        beside=(".attn.bias", ".attn.masked_bias"),
    ),
    "gpt_neo": Names(
        prefix="transformer.",
        body=GPT_BODY,
        layer="h.{}.",
        modules={
            "attention_norm": "ln_1",
            "attention.query": "attn.attention.q_proj",
            "attention.key": "attn.attention.k_proj",
            "attention.value": "attn.attention.v_proj",
            "attention.output": "attn.attention.out_proj",
            "mlp_norm": "ln_2",
            "mlp.expand": "mlp.c_fc",
            "mlp.contract": "mlp.c_proj",
        },
        transposed=True,
        beside=(".attn.attention.bias", ".attn.attention.masked_bias"),
    ),
    "llama": Names(
        prefix="model.",
        body={"words": "embed_tokens", "norm": "norm"},
        layer="layers.{}.",
        modules={
            "attention_norm": "input_layernorm",
            "attention.query": "self_attn.q_proj",
            "attention.key": "self_attn.k_proj",
            "attention.value": "self_attn.v_proj",
            "attention.output": "self_attn.o_proj",
            "mlp_norm": "post_attention_layernorm",
            "mlp.gate": "mlp.gate_proj",
            "mlp.expand": "mlp.up_proj",
            "mlp.contract": "mlp.down_proj",
        },
        transposed=True,
        beside=(".rotary_emb.inv_freq",),
    ),
}
HEAD = "lm_head.weight"
CLASSES = {"gpt2": "GPT2LMHeadModel", "gpt_neo": "GPTNeoForCausalLM", "llama": "LlamaForCausalLM"}


def hf_name(path: Path, config: DecoderConfig) -> str:
    """Returns Hugging Face's name of the tensor that the parameter at `path` lies in, with the family's prefix."""
    names = FAMILY_NAMES[config.model_type]
    if path[0] == "head":
        return HEAD
    if path[1] != "layers":
        return f"{names.prefix}{names.body[path[1]]}.{LEAVES[path[-1]]}"
    module = names.modules[".".join(path[3:-1])]
    return f"{names.prefix}{names.layer.format(path[2])}{module}.{LEAVES[path[-1]]}"


def names_of(tree: Mapping[str, Any], config: DecoderConfig) -> dict[Path, str]:
    """Returns Hugging Face's name of every leaf of a parameter tree, by path."""
    return {path: hf_name(path, config) for path in traverse_util.flatten_dict(tree)}


def canonical_names(names: Iterable[str], config: DecoderConfig) -> dict[str, str]:
    """Returns the prefixed name -> the name in the file, for the tensors of a file that are weights.

    A bare body is saved without prefix.
    """
    family = FAMILY_NAMES[config.model_type]
    body = (*(f"{name}." for name in family.body.values()), family.layer.partition(".")[0] + ".")
    kept = (name for name in names if not name.endswith(family.beside))
    return {family.prefix + name if name.startswith(body) else name: name for name in kept}


def words_name(config: DecoderConfig) -> str:
    """Returns Hugging Face's name of the word embeddings."""
    return hf_name(("decoder", "words", "table"), config)


def hf_shape(path: Path, shape: tuple[int, ...], config: DecoderConfig) -> tuple[int, ...]:
    """Returns the shape of the tensor that a parameter of `shape` lies in."""
    if _is_fused(path, config):
        return (*shape[:-1], 3 * shape[-1])
    return shape[::-1] if _is_transposed(path, config) else shape


def from_hf_layout(path: Path, tensor: np.ndarray, config: DecoderConfig) -> np.ndarray:
    """Returns the parameter at `path` out of the tensor it lies in."""
    if _is_fused(path, config):
        return np.ascontiguousarray(np.split(tensor, 3, axis=-1)[FUSED.index(path[-2])])
    return np.ascontiguousarray(tensor.T) if _is_transposed(path, config) else tensor


def to_hf_tensors(leaves: Mapping[Path, np.ndarray], config: DecoderConfig) -> dict[str, np.ndarray]:
    """Returns Hugging Face's tensors by name from parameters by path."""
    tensors: dict[str, np.ndarray] = {}
    for path, leaf in leaves.items():
        if not _is_fused(path, config):
            laid = leaf.T if _is_transposed(path, config) else leaf
        elif path[-2] == "query":
            laid = np.concatenate([leaves[(*path[:-2], part, path[-1])] for part in FUSED], axis=-1)
        else:
            continue
        tensors[hf_name(path, config)] = np.ascontiguousarray(laid)
    return tensors


def shapes_of(tree: Mapping[str, Any], config: DecoderConfig) -> dict[str, tuple[int, ...]]:
    """Returns the name and shape of every tensor that a model of these parameters is published in."""
    leaves = traverse_util.flatten_dict(tree)
    return {hf_name(path, config): hf_shape(path, leaf.shape, config) for path, leaf in leaves.items()}


def _is_fused(path: Path, config: DecoderConfig) -> bool:
    return config.model_type == "gpt2" and path[-2] in FUSED


def _is_transposed(path: Path, config: DecoderConfig) -> bool:
    # A head is kept as [outputs, inputs] by GPT-2 too.
    return path[-1] == "kernel" and (path[0] == "head" or FAMILY_NAMES[config.model_type].transposed)
