"""BERT, RoBERTa and DistilBERT as one encoder; the differences are in `Embeddings` and in the configuration."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from gotd_jax.models.config import EncoderConfig
from gotd_jax.models.layers import MLP, Attention, Embedding, dropout, rematerialised, split_key
from gotd_jax.models.norms import LayerNorm


class Embeddings(nnx.Module):
    """The normalised sum of word, position and (not in DistilBERT) token type embeddings."""

    def __init__(self, config: EncoderConfig, rngs: nnx.Rngs):
        def embedding(rows):
            return Embedding(rows, config.width, scale=config.initializer_range, rngs=rngs)

        self.words = embedding(config.vocab_size)
        self.positions = embedding(config.max_positions)
        if config.type_vocab_size:
            self.types = embedding(config.type_vocab_size)
        self.norm = LayerNorm(config.width, config.norm_epsilon)
        self.config = config

    def __call__(self, ids: jax.Array, mask: jax.Array, types: jax.Array, *, key: jax.Array | None = None) -> jax.Array:
        """Returns float32 [B, T, D]; arguments as for `Encoder`."""
        x = self.words(ids) + self.positions(self._positions(ids, mask))
        if self.config.type_vocab_size:
            # With one type (RoBERTa) there is nothing to tell apart, and a tokeniser's 1 would be past the table.
            x = x + self.types(types if self.config.type_vocab_size > 1 else jnp.zeros_like(types))
        return dropout(self.norm(x), self.config.hidden_dropout, key)

    def _positions(self, ids, mask):
        if self.config.family != "roberta":
            return jnp.arange(ids.shape[1])
        # As fairseq and transformers count: from pad_id + 1 over real tokens; padding stays at pad_id.
        present = (mask & (ids != self.config.pad_id)).astype(jnp.int32)
        return jnp.cumsum(present, axis=1) * present + self.config.pad_id


class Block(nnx.Module):
    """A post-normalised transformer block: n2(h + MLP(h)) with h = n1(x + attention(x)) (Vaswani et al. 2017)."""

    def __init__(self, config: EncoderConfig, rngs: nnx.Rngs):
        shared = {"scale": config.initializer_range, "compute_dtype": config.compute_dtype, "rngs": rngs}
        self.attention = Attention(config.width, config.heads, dropout=config.attention_dropout, **shared)
        self.attention_norm = LayerNorm(config.width, config.norm_epsilon)
        self.mlp = MLP(config.width, config.mlp_width, activation=config.activation, **shared)
        self.mlp_norm = LayerNorm(config.width, config.norm_epsilon)
        self.config = config

    def __call__(self, x: jax.Array, mask: jax.Array, *, key: jax.Array | None = None) -> jax.Array:
        """Returns float32 [B, T, D]; arguments as for `Attention`."""
        inside, after_attention, after_mlp = split_key(key, 3)
        attended = self.attention(x, mask, key=inside)
        x = self.attention_norm(x + dropout(attended, self.config.attention_output_dropout, after_attention))
        return self.mlp_norm(x + dropout(self.mlp(x), self.config.hidden_dropout, after_mlp))


class Encoder(nnx.Module):
    """The body that the heads share: token ids to one hidden state per token."""

    def __init__(self, config: EncoderConfig, rngs: nnx.Rngs):
        self.embeddings = Embeddings(config, rngs)
        self.layers = nnx.List([Block(config, rngs) for _ in range(config.layers)])
        self.config = config

    def __call__(self, ids: jax.Array, mask: jax.Array, types: jax.Array, *, key: jax.Array | None = None) -> jax.Array:
        """Returns the last hidden states, which do not depend on a text's padding or on the rest of the batch.

        Args:
          ids: int32 [B, T], at most `config.max_length` wide.
          mask: bool [B, T], false on padding. Hidden states at padding are finite and mean nothing.
          types: int32 [B, T], 1 on the second sentence of a pair; ignored where the family has no types.
          key: for dropout; None for none.

        Returns:
          float32 [B, T, D].

        Raises:
          ValueError: the batch is wider than the positions the model has.
        """
        if ids.shape[1] > self.config.max_length:
            raise ValueError(
                f"The batch is {ids.shape[1]} tokens wide, and this {self.config.model_type} has positions for "
                f"{self.config.max_length}. Truncate the texts when tokenising."
            )
        keys = split_key(key, 1 + len(self.layers))
        x = self.embeddings(ids, mask, types, key=keys[0])
        mask = mask[:, None, None, :]
        if self.config.rematerialise:
            of_each = None if key is None else jnp.stack(keys[1:])
            return rematerialised(self.layers, lambda layer, x, key: layer(x, mask, key=key), x, of_each)
        for layer, layer_key in zip(self.layers, keys[1:]):
            x = layer(x, mask, key=layer_key)
        return x
