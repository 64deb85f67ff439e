"""`EncoderConfig`: what an encoder is, read from the `config.json` of a Hugging Face folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from gotd_jax.models.keys import number, optional, refuse_quantised, required_size, size
from gotd_jax.models.layers import ACTIVATIONS, COMPUTE_DTYPES

# The architecture behind each `model_type` of Hugging Face. MiniLM-style encoders are published as `bert`.
FAMILIES = {"bert": "bert", "distilbert": "distilbert", "roberta": "roberta", "xlm-roberta": "roberta", "camembert": "roberta"}

REQUIRED = object()

# Our field: the key in config.json, and what the published configuration class takes where the key is absent.
BERT_KEYS = {
    "vocab_size": ("vocab_size", REQUIRED),
    "width": ("hidden_size", REQUIRED),
    "layers": ("num_hidden_layers", REQUIRED),
    "heads": ("num_attention_heads", REQUIRED),
    "mlp_width": ("intermediate_size", REQUIRED),
    "activation": ("hidden_act", "gelu"),
    "max_positions": ("max_position_embeddings", 512),
    "type_vocab_size": ("type_vocab_size", 2),
    "pad_id": ("pad_token_id", 0),
    "norm_epsilon": ("layer_norm_eps", 1e-12),
    "initializer_range": ("initializer_range", 0.02),
    "hidden_dropout": ("hidden_dropout_prob", 0.1),
    "attention_dropout": ("attention_probs_dropout_prob", 0.1),
    "classifier_dropout": ("classifier_dropout", None),
}
DISTILBERT_KEYS = {
    "vocab_size": ("vocab_size", REQUIRED),
    "width": ("dim", REQUIRED),
    "layers": ("n_layers", REQUIRED),
    "heads": ("n_heads", REQUIRED),
    "mlp_width": ("hidden_dim", REQUIRED),
    "activation": ("activation", "gelu"),
    "max_positions": ("max_position_embeddings", 512),
    "pad_id": ("pad_token_id", 0),
    "initializer_range": ("initializer_range", 0.02),
    "hidden_dropout": ("dropout", 0.1),
    "attention_dropout": ("attention_dropout", 0.1),
    "classifier_dropout": ("seq_classif_dropout", 0.2),
}
KEYS = {"bert": BERT_KEYS, "distilbert": DISTILBERT_KEYS, "roberta": {**BERT_KEYS, "pad_id": ("pad_token_id", 1)}}


SIZES = ("max_positions", "type_vocab_size")


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """The sizes and rates of an encoder; hashable, so that it can be static under `jax.jit`.

    Args:
      model_type: Hugging Face's name, one of `FAMILIES`.
      vocab_size: rows of the word embedding.
      width: size of a hidden state.
      layers: number of transformer blocks.
      heads: attention heads; divides `width`.
      mlp_width: size of the hidden layer of each block.
      activation: one of `ACTIVATIONS`.
      max_positions: rows of the position embedding; see `max_length` for the longest text.
      type_vocab_size: token types; 0 where the family has none.
      pad_id: the padding token.
      norm_epsilon: added to the variance in each layer normalisation.
      initializer_range: standard deviation of fresh weights.
      hidden_dropout: rate after the embeddings and before each residual sum.
      attention_dropout: rate on the attention probabilities.
      classifier_dropout: rate in the classifier's head; None takes `hidden_dropout`.
      compute_dtype: what products with weights read: 'float32', or 'bfloat16' with sums in float32. Parameters, sums
        and all else are float32 either way.
      rematerialise: whether the backward pass works out the inside of each layer again instead of keeping it.
    """

    model_type: str
    vocab_size: int
    width: int
    layers: int
    heads: int
    mlp_width: int
    activation: str = "gelu"
    max_positions: int = 512
    type_vocab_size: int = 0
    pad_id: int = 0
    norm_epsilon: float = 1e-12
    initializer_range: float = 0.02
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    classifier_dropout: float | None = None
    compute_dtype: str = "float32"
    rematerialise: bool = False

    def __post_init__(self):
        _check_choice("model_type", self.model_type, FAMILIES)
        _check_choice("activation", self.activation, ACTIVATIONS)
        _check_choice("compute_dtype", self.compute_dtype, COMPUTE_DTYPES)
        if self.width % self.heads:
            raise ValueError(
                f"{self.heads} attention heads do not divide a width of {self.width}. Choose a divisor of the width."
            )

    @property
    def family(self) -> str:
        """The architecture: 'bert', 'distilbert' or 'roberta'."""
        return FAMILIES[self.model_type]

    @property
    def max_length(self) -> int:
        """The longest text in tokens. RoBERTa numbers positions from `pad_id + 1`, so 514 rows serve 512 tokens."""
        return self.max_positions - (self.pad_id + 1 if self.family == "roberta" else 0)

    @property
    def attention_output_dropout(self) -> float:
        """The rate after the attention's output projection, where DistilBERT alone drops nothing."""
        return 0.0 if self.family == "distilbert" else self.hidden_dropout


def from_hf(content: Mapping[str, Any], compute_dtype: str = "float32") -> EncoderConfig:
    """Returns the configuration that the `config.json` of a Hugging Face folder describes.

    Args:
      content: the parsed `config.json`. Absent keys take the defaults of the published configuration class.
      compute_dtype: 'float32' or 'bfloat16'; see `EncoderConfig`.

    Raises:
      ValueError: another architecture, a decoder, positions that are not absolute, an unknown activation, or a
        missing size.
    """
    model_type = content.get("model_type")
    _check_choice("model_type", model_type, FAMILIES)
    refuse_quantised(content)
    if content.get("is_decoder") or content.get("add_cross_attention"):
        raise ValueError(
            f"This {model_type} is configured as a decoder (is_decoder, add_cross_attention); only encoders load here."
        )
    positions = content.get("position_embedding_type", "absolute")
    if positions != "absolute":
        raise ValueError(f"position_embedding_type is {positions!r}, and only 'absolute' positions are implemented.")
    fields = {}
    for field, (key, default) in KEYS[FAMILIES[model_type]].items():
        if default is REQUIRED:
            fields[field] = required_size(content, key)
        elif field == "activation":
            fields[field] = optional(content, key, default)
        else:
            fields[field] = (size if field in SIZES else number)(content, key, default)
    return EncoderConfig(model_type=model_type, compute_dtype=compute_dtype, **fields)


def to_hf(config: EncoderConfig) -> dict[str, Any]:
    """Returns the keys of `config.json` that `from_hf` reads `config` from."""
    keys = KEYS[config.family].items()
    return {"model_type": config.model_type, **{key: getattr(config, field) for field, (key, _) in keys}}


def _check_choice(field: str, found: Any, known: Mapping[str, Any]) -> None:
    if found not in known:
        raise ValueError(f"{field} is {found!r}, and the supported are {', '.join(sorted(known))}.")
