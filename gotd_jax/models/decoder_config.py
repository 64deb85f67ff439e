"""`DecoderConfig`: what a causal language model is."""

from __future__ import annotations

import dataclasses

from gotd_jax.models.layers import ACTIVATIONS, COMPUTE_DTYPES


@dataclasses.dataclass(frozen=True)
class RotaryScaling:
    """How Llama 3.1 and later stretch rotary positions (`rope_type` 'llama3').

    Args:
      factor: what the slowest frequencies are divided by.
      low: frequencies with fewer turns than this in the original context are slow.
      high: those with more are left as they are; in between, the two are blended.
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
      model_type: Hugging Face's name, one of `gotd_jax.models.decoder_families.FAMILIES`.
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
      output_bias: whether the attention's output projection has one.
      mlp_bias: whether the MLP's layers have them.
      scaled: whether attention scores are divided by the square root of `head_width`.
      windows: for each layer, how many positions back it sees, its own among them; None: all.
      tied: whether logits are products with the word embeddings.
      initializer_range: standard deviation of fresh weights.
      embedding_dropout: rate after the embeddings.
      attention_dropout: rate on the attention probabilities.
      residual_dropout: rate before each residual sum.
      end_ids: tokens that end a text; the first parts texts in training.
      stop_ids: tokens that writing ends at, where they are others than `end_ids`; () where they are not.
      compute_dtype: what products with weights read: 'float32', or 'bfloat16' with sums in float32.
      rematerialise: whether the backward pass works out the inside of each layer again instead of keeping it.
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
        for field, known in (("activation", ACTIVATIONS), ("compute_dtype", COMPUTE_DTYPES)):
            if getattr(self, field) not in known:
                raise ValueError(f"{field} is {getattr(self, field)!r}, and the supported are {', '.join(sorted(known))}.")
        if self.heads % self.key_heads:
            raise ValueError(f"{self.key_heads} heads of keys do not divide {self.heads} of queries. Correct one of them.")
        if len(self.windows) != self.layers:
            raise ValueError(f"There are {len(self.windows)} attention types for {self.layers} layers. Give one a layer.")
