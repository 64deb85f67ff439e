"""The prediction heads of an encoder: of masked tokens, and of a class or a number for whole texts."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from flax import nnx

from gotd_jax.models.config import EncoderConfig
from gotd_jax.models.encoder import Encoder
from gotd_jax.models.layers import ACTIVATIONS, Embedding, Linear, TiedLinear, dropout, split_key
from gotd_jax.models.norms import LayerNorm


class MaskedLMHead(nnx.Module):
    """norm(activation(h W + b)) E^T + c, with E the word embeddings (Devlin et al. 2019)."""

    def __init__(self, config: EncoderConfig, rngs: nnx.Rngs):
        self.dense = _linear(config, config.width, rngs)
        self.norm = LayerNorm(config.width, config.norm_epsilon)
        self.decoder = TiedLinear(config.vocab_size, compute_dtype=config.compute_dtype)
        # The published RoBERTa writes GELU into its head, whatever the activation of its body.
        self.activation = "gelu" if config.family == "roberta" else config.activation

    def __call__(self, hidden: jax.Array, words: Embedding) -> jax.Array:
        """Returns logits float32 [P, vocab] for hidden states float32 [P, D]."""
        return self.decoder(self.norm(ACTIVATIONS[self.activation](self.dense(hidden))), words)


class MaskedLM(nnx.Module):
    """An encoder that predicts tokens, at the positions asked for alone."""

    def __init__(self, config: EncoderConfig, rngs: nnx.Rngs):
        self.encoder = Encoder(config, rngs)
        self.head = MaskedLMHead(config, rngs)

    def __call__(
        self, ids: jax.Array, mask: jax.Array, types: jax.Array, positions: jax.Array, *, key: jax.Array | None = None
    ) -> jax.Array:
        """Returns logits float32 [P, vocab].

        Args:
          ids: int32 [B, T].
          mask: bool [B, T], false on padding.
          types: int32 [B, T].
          positions: int32 [P], row * T + column of each token to predict; one past the batch gives NaN.
          key: for dropout; None for none.
        """
        hidden = self.encoder(ids, mask, types, key=key)
        chosen = jnp.take(hidden.reshape(-1, hidden.shape[-1]), positions, axis=0, mode="fill")
        return self.head(chosen, self.encoder.embeddings.words)


class ClassifierHead(nnx.Module):
    """activation(h W + b) V + c on the first token's hidden state h, with each family's dropout."""

    def __init__(self, config: EncoderConfig, outputs: int, rngs: nnx.Rngs):
        self.pooler = _linear(config, config.width, rngs)
        self.output = _linear(config, outputs, rngs)
        self.config = config

    def __call__(self, first: jax.Array, *, key: jax.Array | None = None) -> jax.Array:
        """Returns float32 [B, outputs] for float32 [B, D]."""
        config = self.config
        before, after = split_key(key, 2)
        rate = config.hidden_dropout if config.classifier_dropout is None else config.classifier_dropout
        drop = functools.partial(dropout, rate=rate)
        if config.family == "roberta":
            first = drop(first, key=before)
        activation = jax.nn.relu if config.family == "distilbert" else jnp.tanh
        return self.output(drop(activation(self.pooler(first)), key=after))


class Classifier(nnx.Module):
    """An encoder that gives each text `outputs` numbers: logits of classes, or a regression's value."""

    def __init__(self, config: EncoderConfig, outputs: int, rngs: nnx.Rngs):
        self.encoder = Encoder(config, rngs)
        self.head = ClassifierHead(config, outputs, rngs)

    def __call__(self, ids: jax.Array, mask: jax.Array, types: jax.Array, *, key: jax.Array | None = None) -> jax.Array:
        """Returns float32 [B, outputs]; arguments as for `Encoder`."""
        body, top = split_key(key, 2)
        return self.head(self.encoder(ids, mask, types, key=body)[:, 0], key=top)


def _linear(config, outputs, rngs):
    return Linear(config.width, outputs, scale=config.initializer_range, compute_dtype=config.compute_dtype, rngs=rngs)
