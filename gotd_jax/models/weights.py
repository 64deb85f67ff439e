"""The names of published weights: one table a family, from our modules to Hugging Face's.

A parameter's name is its module's, looked up below, and the leaf's, looked up in `LEAVES`. PyTorch keeps the matrix of a
linear layer as [outputs, inputs] and ours is [inputs, outputs], so kernels are transposed on the way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from flax import traverse_util

from gotd_jax.models.config import EncoderConfig

Path = tuple[Any, ...]  # of a parameter in the nested dict, such as ("encoder", "layers", 0, "mlp", "expand", "kernel")

LEAVES = {"kernel": "weight", "scale": "weight", "table": "weight", "bias": "bias"}


@dataclasses.dataclass(frozen=True)
class Names:
    """Hugging Face's names of one family's modules.

    Args:
      prefix: stands before the body's names in every folder but that of a bare body.
      embeddings: our module below `embeddings` -> theirs.
      layer: theirs of layer i, with `{}` for i.
      modules: our module below a layer -> theirs.
      masked_lm: our module below `head` -> theirs, in full.
      classifier: the same for the classifier.
    """

    prefix: str
    embeddings: Mapping[str, str]
    layer: str
    modules: Mapping[str, str]
    masked_lm: Mapping[str, str]
    classifier: Mapping[str, str]


EMBEDDINGS = {
    "words": "embeddings.word_embeddings",
    "positions": "embeddings.position_embeddings",
    "types": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
}
BERT_MODULES = {
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "mlp.expand": "intermediate.dense",
    "mlp.contract": "output.dense",
    "mlp_norm": "output.LayerNorm",
}
FAMILY_NAMES = {
    "bert": Names(
        prefix="bert.",
        embeddings=EMBEDDINGS,
        layer="encoder.layer.{}.",
        modules=BERT_MODULES,
        masked_lm={
            "dense": "cls.predictions.transform.dense",
            "norm": "cls.predictions.transform.LayerNorm",
            "decoder": "cls.predictions",
        },
        classifier={"pooler": "bert.pooler.dense", "output": "classifier"},
    ),
    "roberta": Names(
        prefix="roberta.",
        embeddings=EMBEDDINGS,
        layer="encoder.layer.{}.",
        modules=BERT_MODULES,
        masked_lm={"dense": "lm_head.dense", "norm": "lm_head.layer_norm", "decoder": "lm_head"},
        classifier={"pooler": "classifier.dense", "output": "classifier.out_proj"},
    ),
    "distilbert": Names(
        prefix="distilbert.",
        embeddings=EMBEDDINGS,
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
        masked_lm={"dense": "vocab_transform", "norm": "vocab_layer_norm", "decoder": "vocab_projector"},
        classifier={"pooler": "pre_classifier", "output": "classifier"},
    ),
}
# The word embeddings again, which some files repeat under the masked-LM head.
DECODERS = {
    "bert": "cls.predictions.decoder.weight",
    "roberta": "lm_head.decoder.weight",
    "distilbert": "vocab_projector.weight",
}
# What the heads add to the logits of each word, by the name that some files have it by: again, or alone.
DECODER_BIASES = {"bert": "cls.predictions.decoder.bias", "roberta": "lm_head.decoder.bias"}
WORDS = "embeddings.word_embeddings.weight"
# Tensors below the prefix that are no part of the encoder here: a buffer, and the body's pooler.
BESIDE_BODY = ("embeddings.position_ids", "pooler.")

CLASSES = {
    "bert": "Bert",
    "distilbert": "DistilBert",
    "roberta": "Roberta",
    "xlm-roberta": "XLMRoberta",
    "camembert": "Camembert",
}
CLASS_ENDINGS = {None: "Model", "masked_lm": "ForMaskedLM", "classifier": "ForSequenceClassification"}


def hf_name(path: Path, config: EncoderConfig, head: str | None) -> str:
    """Returns Hugging Face's name of the tensor at `path`, with the family's prefix.

    Args:
      path: the keys that lead to it; those of a bare encoder's start below 'encoder'.
      config: names the family.
      head: None, 'masked_lm' or 'classifier'.
    """
    names, leaf = FAMILY_NAMES[config.family], LEAVES[path[-1]]
    if path[0] == "head":
        return f"{getattr(names, head)['.'.join(path[1:-1])]}.{leaf}"
    part, *module = path[1:-1] if path[0] == "encoder" else path[:-1]
    if part == "embeddings":
        return f"{names.prefix}{names.embeddings[module[0]]}.{leaf}"
    index, *module = module
    return f"{names.prefix}{names.layer.format(index)}{names.modules['.'.join(module)]}.{leaf}"


def names_of(tree: Mapping[str, Any], config: EncoderConfig, head: str | None) -> dict[Path, str]:
    """Returns Hugging Face's name of every leaf of a parameter tree, by path."""
    return {path: hf_name(path, config, head) for path in traverse_util.flatten_dict(tree)}


def canonical_names(names: Iterable[str], config: EncoderConfig) -> dict[str, str]:
    """Returns the prefixed, present-day name -> the name in the file, for the tensor names of a file.

    A bare body is saved without prefix, and files converted from TensorFlow call the two parts of a normalisation
    gamma and beta.
    """
    family = FAMILY_NAMES[config.family]
    below = tuple(sorted({"embeddings.", "pooler.", family.layer.partition(".")[0] + "."}))
    canonical = {}
    for name in names:
        today = name.removesuffix("gamma") + "weight" if name.endswith("LayerNorm.gamma") else name
        today = name.removesuffix("beta") + "bias" if name.endswith("LayerNorm.beta") else today
        canonical[family.prefix + today if today.startswith(below) else today] = name
    return canonical


def stored_names(names: Iterable[str], config: EncoderConfig, *, tied: bool) -> dict[str, str]:
    """Returns `canonical_names`, where what the head shares goes by the name it is read by, though stored by the other alone.

    Args:
      names: of the tensors of a file.
      config: names the family.
      tied: whether the configuration lets the masked-LM head share the word embeddings.
    """
    stored = canonical_names(names, config)
    for name, shared in tied_names(config).items():
        if name in stored and shared not in stored and (tied or name != DECODERS[config.family]):
            stored[shared] = stored.pop(name)
    return stored


def tied_names(config: EncoderConfig) -> dict[str, str]:
    """Returns the name of each tensor that a masked-LM head shares -> the name that it is read by here."""
    shared = {DECODERS[config.family]: FAMILY_NAMES[config.family].prefix + WORDS}
    if config.family in DECODER_BIASES:
        shared[DECODER_BIASES[config.family]] = hf_name(("head", "decoder", "bias"), config, "masked_lm")
    return shared


def to_hf_layout(path: Path, leaf: np.ndarray) -> np.ndarray:
    """Returns `leaf` as Hugging Face stores it, and, being its own inverse, theirs as ours."""
    return np.ascontiguousarray(leaf.T if path[-1] == "kernel" else leaf)


def hf_shape(path: Path, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the shape that Hugging Face stores a leaf of `shape` in."""
    return shape[::-1] if path[-1] == "kernel" else shape


def architecture(config: EncoderConfig, head: str | None) -> str:
    """Returns the name of the class in `transformers` that the model is."""
    return CLASSES[config.model_type] + CLASS_ENDINGS[head]
