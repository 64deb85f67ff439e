"""`EncoderConfig` and `DecoderConfig`: the sizes and rates of a model. `config_json` reads them from a `config.json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from gotd_jax.models.layers import ACTIVATIONS, COMPUTE_DTYPES

# The architecture behind each `model_type` of Hugging Face. MiniLM-style encoders are published as `bert`.
ENCODERS = {"bert": "bert", "distilbert": "distilbert", "roberta": "roberta", "xlm-roberta": "roberta", "camembert": "roberta"}
DECODERS = {"gpt2": "gpt2", "gpt_neo": "gpt_neo", "llama": "llama"}


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """The sizes and rates of an encoder; hashable, so that it can be static under `jax.jit`.

    Args:
      model_type: Hugging Face's name, one of `ENCODERS`.
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
      tied: whether a masked-LM head may take its logits from the word embeddings.
      initializer_range: standard deviation of fresh weights.
      hidden_dropout: rate after the embeddings and before each residual sum.
      attention_dropout: rate on the attention probabilities.
      classifier_dropout: rate in the classifier's head; None takes `hidden_dropout`.
      compute_dtype: of the operands of products with weights: 'float32', or 'bfloat16' with sums in float32. Parameters, sums
        and all other arrays are float32 either way.
      rematerialise: whether the backward pass computes the inside of each layer again instead of keeping it.
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
    tied: bool = True
    initializer_range: float = 0.02
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    classifier_dropout: float | None = None
    compute_dtype: str = "float32"
    rematerialise: bool = False

    def __post_init__(self):
        _check_choices(self, ENCODERS)
        check_heads(self.heads, self.width)

    @property
    def family(self) -> str:
        """The architecture: 'bert', 'distilbert' or 'roberta'."""
        return ENCODERS[self.model_type]

    @property
    def max_length(self) -> int:
        """The longest text in tokens. RoBERTa numbers positions from `pad_id + 1`, so 514 rows serve 512 tokens."""
        return self.max_positions - (self.pad_id + 1 if self.family == "roberta" else 0)

    @property
    def attention_output_dropout(self) -> float:
        """The rate after the attention's output projection, where DistilBERT alone drops nothing."""
        return 0.0 if self.family == "distilbert" else self.hidden_dropout

    def cut(self, layers: int) -> EncoderConfig:
        """Returns the configuration of the first `layers` layers."""
        return dataclasses.replace(self, layers=layers)


@dataclasses.dataclass(frozen=True)
class RotaryScaling:
    """How Llama 3.1 and later stretch rotary positions (`rope_type` 'llama3').

    Args:
      factor: the divisor of the slowest frequencies.
      low: frequencies with fewer rotations than this in the original context are slow.
      high: frequencies with more rotations than this are left as they are; in between, the two are blended.
      original: positions of the original context.
    """

    factor: float
    low: float
    high: float
    original: int


@dataclasses.dataclass(frozen=True)
class DecoderConfig:
    """The sizes and rates of a decoder; hashable, so that it can be static under `jax.jit`.

    Args:
      model_type: Hugging Face's name, one of `DECODERS`.
      vocab_size: rows of the word embedding.
      width: size of a hidden state.
      layers: number of transformer blocks.
      heads: attention heads of the queries.
      key_heads: attention heads of keys and values; divides `heads` (grouped-query attention where fewer).
      head_width: size of a head.
      mlp_width: size of the hidden layer of each block.
      activation: one of `ACTIVATIONS`.
      gated: whether the MLP multiplies its hidden layer by a second, linear one (SwiGLU where the activation is SiLU).
      max_positions: the longest text in tokens.
      norm: 'layer' (LayerNorm) or 'root_mean_square' (RMSNorm).
      norm_epsilon: added to the variance or mean square.
      rotary_base: of rotary positions; None for learned ones.
      rotary_scaling: how they are stretched; None: not.
      query_bias: whether the projections to queries, keys and values have biases.
      output_bias: whether the attention's output projection has a bias.
      mlp_bias: whether the MLP's layers have biases.
      scaled: whether attention scores are divided by the square root of `head_width`.
      windows: for each layer, how many positions back it sees, its own among them; None: all.
      tied: whether logits are products with the word embeddings.
      initializer_range: standard deviation of fresh weights.
      embedding_dropout: rate after the embeddings.
      attention_dropout: rate on the attention probabilities.
      residual_dropout: rate before each residual sum.
      end_ids: tokens that end a text; the first parts texts in training.
      stop_ids: tokens that end a generated text; () where these are `end_ids`.
      compute_dtype: of the operands of products with weights: 'float32', or 'bfloat16' with sums in float32.
      rematerialise: whether the backward pass computes the inside of each layer again instead of keeping it.
    """

    model_type: str
    vocab_size: int
    width: int
    layers: int
    heads: int
    key_heads: int
    head_width: int
    mlp_width: int
    activation: str
    gated: bool
    max_positions: int
    norm: str
    norm_epsilon: float
    rotary_base: float | None
    query_bias: bool
    output_bias: bool
    mlp_bias: bool
    scaled: bool
    windows: tuple[int | None, ...]
    tied: bool
    rotary_scaling: RotaryScaling | None = None
    initializer_range: float = 0.02
    embedding_dropout: float = 0.0
    attention_dropout: float = 0.0
    residual_dropout: float = 0.0
    end_ids: tuple[int, ...] = ()
    stop_ids: tuple[int, ...] = ()
    compute_dtype: str = "float32"
    rematerialise: bool = False

    def __post_init__(self):
        _check_choices(self, DECODERS)
        if self.heads % self.key_heads:
            raise ValueError(f"{self.key_heads} heads of keys do not divide {self.heads} of queries. Correct one of them.")
        if len(self.windows) != self.layers:
            raise ValueError(f"There are {len(self.windows)} attention types for {self.layers} layers. Give one a layer.")

    @property
    def family(self) -> str:
        """The architecture: 'gpt2', 'gpt_neo' or 'llama'."""
        return DECODERS[self.model_type]

    @property
    def max_length(self) -> int:
        """The longest text in tokens."""
        return self.max_positions

    def cut(self, layers: int) -> DecoderConfig:
        """Returns the configuration of the first `layers` layers."""
        return dataclasses.replace(self, layers=layers, windows=self.windows[:layers])


def check_choice(field: str, found: Any, known: Collection[str]) -> None:
    """Raises ValueError unless `found` is one of the values that `field` can have."""
    if found not in known:
        raise ValueError(f"{field} is {found!r}, and the supported are {', '.join(sorted(known))}.")


def check_heads(heads: int, width: int) -> None:
    """Raises ValueError unless attention heads divide the width of a hidden state."""
    if width % heads:
        raise ValueError(f"{heads} attention heads do not divide a width of {width}. Choose a divisor of the width.")


def _check_choices(config: EncoderConfig | DecoderConfig, model_types: Collection[str]) -> None:
    known = {"model_type": model_types, "activation": ACTIVATIONS, "compute_dtype": COMPUTE_DTYPES}
    for field, choices in known.items():
        check_choice(field, getattr(config, field), choices)
