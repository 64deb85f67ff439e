"""The names of published weights: one table a family, from our modules to Hugging Face's.

A parameter's name is its module's, looked up below, and the leaf's, looked up in `LEAVES`. PyTorch keeps the matrix of a
linear layer as [outputs, inputs] and ours is [inputs, outputs], so kernels are transposed on the way. GPT-2 alone keeps them as
ours, and those of queries, keys and values in one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from flax import traverse_util

from gotd_jax.models.config import DecoderConfig, EncoderConfig

Config = EncoderConfig | DecoderConfig
Path = tuple[Any, ...]  # of a parameter in the nested dict, such as ("encoder", "layers", 0, "mlp", "expand", "kernel")

LEAVES = {"kernel": "weight", "scale": "weight", "table": "weight", "bias": "bias"}
FUSED = ("query", "key", "value")  # in GPT-2's c_attn, in this order


@dataclasses.dataclass(frozen=True)
class Names:
    """Hugging Face's names of one family's modules.

    Args:
      prefix: stands before the body's names in every folder but that of a bare body.
      body: our module below the body, layers apart -> Hugging Face's.
      layer: Hugging Face's name of layer i, with `{}` for i.
      modules: our module below a layer -> Hugging Face's.
      heads: by head, our module below `head` -> Hugging Face's, in full.
      words: the matrix of the word embeddings, below the prefix.
      output: the matrix of the logits: the word embeddings, which some files repeat, or a matrix of its own.
      output_bias: another name for the bias of a masked-LM head, which some files use beside the first or alone.
      buffers: ends of the names of tensors that are no weights.
      transposed: whether the body's matrices are kept as [outputs, inputs].
    """

    prefix: str
    body: Mapping[str, str]
    layer: str
    modules: Mapping[str, str]
    heads: Mapping[str, Mapping[str, str]]
    words: str
    output: str
    output_bias: str | None = None
    buffers: tuple[str, ...] = ()
    transposed: bool = True


EMBEDDINGS = {
    "embeddings.words": "embeddings.word_embeddings",
    "embeddings.positions": "embeddings.position_embeddings",
    "embeddings.types": "embeddings.token_type_embeddings",
    "embeddings.norm": "embeddings.LayerNorm",
}
BERT = {
    "body": EMBEDDINGS,
    "layer": "encoder.layer.{}.",
    "modules": {
        "attention.query": "attention.self.query",
        "attention.key": "attention.self.key",
        "attention.value": "attention.self.value",
        "attention.output": "attention.output.dense",
        "attention_norm": "attention.output.LayerNorm",
        "mlp.expand": "intermediate.dense",
        "mlp.contract": "output.dense",
        "mlp_norm": "output.LayerNorm",
    },
    "words": "embeddings.word_embeddings.weight",
    "buffers": ("embeddings.position_ids",),
}
GPT = {
    "prefix": "transformer.",
    "body": {"words": "wte", "positions": "wpe", "norm": "ln_f"},
    "layer": "h.{}.",
    "heads": {"causal_lm": {"": "lm_head"}},
    "words": "wte.weight",
    "output": "lm_head.weight",
}
GPT_MODULES = {"attention_norm": "ln_1", "mlp_norm": "ln_2", "mlp.expand": "mlp.c_fc", "mlp.contract": "mlp.c_proj"}
FAMILY_NAMES = {
    "bert": Names(
        **BERT,
        prefix="bert.",
        heads={
            "masked_lm": {
                "dense": "cls.predictions.transform.dense",
                "norm": "cls.predictions.transform.LayerNorm",
                "decoder": "cls.predictions",
            },
            "classifier": {"pooler": "bert.pooler.dense", "output": "classifier"},
        },
        output="cls.predictions.decoder.weight",
        output_bias="cls.predictions.decoder.bias",
    ),
    "roberta": Names(
        **BERT,
        prefix="roberta.",
        heads={
            "masked_lm": {"dense": "lm_head.dense", "norm": "lm_head.layer_norm", "decoder": "lm_head"},
            "classifier": {"pooler": "classifier.dense", "output": "classifier.out_proj"},
        },
        output="lm_head.decoder.weight",
        output_bias="lm_head.decoder.bias",
    ),
    "distilbert": Names(
        prefix="distilbert.",
        body=EMBEDDINGS,
        layer="transformer.layer.{}.",
        modules={
            "attention.query": "attention.q_lin",
            "attention.key": "attention.k_lin",
            "attention.value": "attention.v_lin",
            "attention.output": "attention.out_lin",
            "attention_norm": "sa_layer_norm",
            "mlp.expand": "ffn.lin1",
            "mlp.contract": "ffn.lin2",
            "mlp_norm": "output_layer_norm",
        },
        heads={
            "masked_lm": {"dense": "vocab_transform", "norm": "vocab_layer_norm", "decoder": "vocab_projector"},
            "classifier": {"pooler": "pre_classifier", "output": "classifier"},
        },
        words="embeddings.word_embeddings.weight",
        output="vocab_projector.weight",
        buffers=("embeddings.position_ids",),
    ),
    "gpt2": Names(
        **GPT,
        modules=GPT_MODULES
        | {
            "attention.query": "attn.c_attn",
            "attention.key": "attn.c_attn",
            "attention.value": "attn.c_attn",
            "attention.output": "attn.c_proj",
        },
        buffers=(".attn.bias", ".attn.masked_bias"),
        transposed=False,
    ),
    "gpt_neo": Names(
        **GPT,
        modules=GPT_MODULES
        | {
            "attention.query": "attn.attention.q_proj",
            "attention.key": "attn.attention.k_proj",
            "attention.value": "attn.attention.v_proj",
            "attention.output": "attn.attention.out_proj",
        },
        buffers=(".attn.attention.bias", ".attn.attention.masked_bias"),
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
        heads={"causal_lm": {"": "lm_head"}},
        words="embed_tokens.weight",
        output="lm_head.weight",
        buffers=(".rotary_emb.inv_freq",),
    ),
}
POOLER = "pooler."  # below the prefix; of BERT's classifier, and of no part of a model here otherwise


def names_of(tree: Mapping[str, Any], config: Config, head: str | None) -> dict[Path, str]:
    """Returns Hugging Face's name of every leaf of a parameter tree, by path, with the family's prefix.

    The three projections that GPT-2 keeps in one tensor have one name.

    Args:
      tree: the parameters of a model; those of a bare encoder without 'encoder' above them.
      config: names the family.
      head: None, 'masked_lm', 'classifier' or 'causal_lm'.
    """
    names = FAMILY_NAMES[config.family]
    return {path: _name(path, names, head) for path in traverse_util.flatten_dict(tree)}


def _name(path: Path, names: Names, head: str | None) -> str:
    leaf = LEAVES[path[-1]]
    if path[0] == "head":
        return f"{names.heads[head]['.'.join(path[1:-1])]}.{leaf}"
    module = path[1:-1] if path[0] in ("encoder", "decoder") else path[:-1]
    if module[0] == "layers":
        return f"{names.prefix}{names.layer.format(module[1])}{names.modules['.'.join(module[2:])]}.{leaf}"
    return f"{names.prefix}{names.body['.'.join(module)]}.{leaf}"


def stored_names(found: Iterable[str], config: Config) -> dict[str, str]:
    """Returns the name that each tensor is read by -> its name in the file, for the tensor names of a file.

    A bare body is saved without prefix, and files converted from TensorFlow call the two parts of a normalisation gamma and
    beta. A tensor that the head shares with the body goes by the body's name, though stored by the head's alone.
    """
    names = FAMILY_NAMES[config.family]
    below = tuple({name.partition(".")[0] + "." for name in (*names.body.values(), names.layer, POOLER)})
    stored = {}
    for name in found:
        today = name.removesuffix("gamma") + "weight" if name.endswith("LayerNorm.gamma") else name
        today = name.removesuffix("beta") + "bias" if name.endswith("LayerNorm.beta") else today
        stored[names.prefix + today if today.startswith(below) else today] = name
    for name, shared in tied_names(config).items():
        if name in stored and shared not in stored and (config.tied or name != names.output):
            stored[shared] = stored.pop(name)
    return stored


def tied_names(config: Config) -> dict[str, str]:
    """Returns the name of each tensor that a language model's head may share -> the name that it is read by here."""
    names = FAMILY_NAMES[config.family]
    tied = {names.output: names.prefix + names.words}
    return tied | ({names.output_bias: names.heads["masked_lm"]["decoder"] + ".bias"} if names.output_bias else {})


def classifier_bias(config: Config) -> str | None:
    """Returns the name of the bias of a classifier's last layer; None for a family without classifiers."""
    classifier = FAMILY_NAMES[config.family].heads.get("classifier")
    return classifier and classifier["output"] + ".bias"


def in_body(name: str, config: Config) -> bool:
    """Returns whether a tensor lies in the body: one of its parameters or its buffers."""
    prefix = FAMILY_NAMES[config.family].prefix
    return name.startswith(prefix) and not name.startswith(prefix + POOLER)


def is_buffer(name: str, config: Config) -> bool:
    """Returns whether a tensor is one that a class of transformers keeps beside its weights, such as a mask."""
    return name.endswith(FAMILY_NAMES[config.family].buffers)


def hf_shape(path: Path, shape: tuple[int, ...], config: Config) -> tuple[int, ...]:
    """Returns the shape of the tensor that a parameter of `shape` lies in."""
    if _is_fused(path, config):
        return (*shape[:-1], len(FUSED) * shape[-1])
    return shape[::-1] if _is_transposed(path, config) else shape


def from_hf_layout(path: Path, tensor: np.ndarray, config: Config) -> np.ndarray:
    """Returns the parameter at `path` out of the tensor it lies in."""
    if _is_fused(path, config):
        tensor = np.split(tensor, len(FUSED), axis=-1)[FUSED.index(path[-2])]
    return np.ascontiguousarray(tensor.T if _is_transposed(path, config) else tensor)


def to_hf_tensors(leaves: Mapping[Path, np.ndarray], config: Config, head: str | None) -> dict[str, np.ndarray]:
    """Returns Hugging Face's tensors by name from parameters by path."""
    tensors: dict[str, np.ndarray] = {}
    for path, leaf in leaves.items():
        name = _name(path, FAMILY_NAMES[config.family], head)
        if name in tensors:
            continue
        if _is_fused(path, config):
            leaf = np.concatenate([leaves[(*path[:-2], part, path[-1])] for part in FUSED], axis=-1)
        tensors[name] = np.ascontiguousarray(leaf.T if _is_transposed(path, config) else leaf)
    return tensors


def _is_fused(path: Path, config: Config) -> bool:
    return config.family == "gpt2" and path[-2] in FUSED


def _is_transposed(path: Path, config: Config) -> bool:
    # A head is kept as [outputs, inputs] by GPT-2 too.
    return path[-1] == "kernel" and (path[0] == "head" or FAMILY_NAMES[config.family].transposed)
