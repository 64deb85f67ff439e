"""GPT-2, GPT-Neo and the Llama family as one decoder; the differences are in `DecoderConfig`.

A decoder reads a batch at once, or piece by piece with a `KVCache` of the columns that it has read. Positions count real
tokens, so that a text's logits are the same wherever in its row it lies. A batch that is read at once attends in blocks of
positions, which leave out the columns that none of them may see.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from flax import nnx

from gotd_jax.models.causal_mask import CausalMask
from gotd_jax.models.config import DecoderConfig
from gotd_jax.models.kv_cache import KVCache
from gotd_jax.models.layers import (
    ACTIVATIONS,
    ATTENTION_PRECISIONS,
    Embedding,
    Linear,
    dot,
    dropout,
    rematerialised,
    split_key,
)
from gotd_jax.models.norms import LayerNorm, RMSNorm
from gotd_jax.models.rotary import Rotation, rotated, rotation_at

QUERY_BLOCK = 128  # a batch read at once attends in blocks of so many positions, each to the columns up to its end


class CausalAttention(nnx.Module):
    """Multi-head self-attention to the past, with fewer heads of keys than of queries where so configured."""

    def __init__(self, config: DecoderConfig, rngs: nnx.Rngs):
        queries, keys = config.heads * config.head_width, config.key_heads * config.head_width
        self.query = _linear(config, config.width, queries, config.query_bias, rngs)
        self.key = _linear(config, config.width, keys, config.query_bias, rngs)
        self.value = _linear(config, config.width, keys, config.query_bias, rngs)
        self.output = _linear(config, queries, config.width, config.output_bias, rngs)
        self.config = config

    def __call__(
        self,
        x: jax.Array,
        mask: CausalMask,
        rotation: Rotation | None,
        window: int | jax.Array | None,
        pages: tuple[jax.Array, jax.Array] | None = None,
        *,
        key: jax.Array | None = None,
    ):
        """Returns float32 [B, T, D], and the pages of keys and values with the batch's written in.

        Args:
          x: float32 [B, T, D].
          mask: of the batch.
          rotation: of the batch's positions; None where positions are learned.
          window: how many positions back each sees, its own among them; None: all.
          pages: keys and values of the columns before, [B, key heads, S, head width]; None where there are none.
          key: for dropout on the probabilities.
        """
        query, keys, values = (self._split(project(x)) for project in (self.query, self.key, self.value))
        if rotation is not None:
            query, keys = (rotated(heads, rotation) for heads in (query, keys))
        if pages is not None:
            start = (0, 0, mask.columns[0], 0)
            keys, values = (jax.lax.dynamic_update_slice(page, new, start) for page, new in zip(pages, (keys, values)))
        attend = functools.partial(self._attended, window=window)
        if pages is None:
            length = query.shape[2]
            ends = [min(start + QUERY_BLOCK, length) for start in range(0, length, QUERY_BLOCK)]
            blocks = zip([0, *ends], ends, split_key(key, len(ends)))
            mixed = [
                attend(query[:, :, start:end], keys[:, :, :end], values[:, :, :end], mask.block(start, end), key=own)
                for start, end, own in blocks
            ]
            mixed = jnp.concatenate(mixed, axis=2)
        else:
            mixed = attend(query, keys, values, mask, key=key)
        return self.output(mixed.swapaxes(1, 2).reshape(*x.shape[:2], -1)), (keys, values)

    def _attended(self, query, keys, values, mask, *, window, key):
        """Returns the values that each query attends to, mixed, float32 [B, heads, T, head width]."""
        config = self.config
        batch, _, length, width = query.shape
        precision = ATTENTION_PRECISIONS[config.compute_dtype]
        grouped = query.reshape(batch, config.key_heads, -1, width)  # queries that share a head of keys, after one another
        scores = jnp.matmul(grouped, keys.mT, precision=precision) * (width**-0.5 if config.scaled else 1.0)
        scores = scores.reshape(batch, config.heads, length, -1)
        scores = jnp.where(mask.allowed(window), scores, jnp.finfo(scores.dtype).min)
        probabilities = dropout(jax.nn.softmax(scores), config.attention_dropout, key)
        mixed = jnp.matmul(probabilities.reshape(batch, config.key_heads, -1, keys.shape[2]), values, precision=precision)
        return mixed.reshape(batch, config.heads, length, width)

    def _split(self, x):
        return x.reshape(*x.shape[:2], -1, self.config.head_width).swapaxes(1, 2)


class CausalMLP(nnx.Module):
    """activation(x W1) W2, or (activation(x W1) * x W3) W2 where it is gated; with biases where so configured."""

    def __init__(self, config: DecoderConfig, rngs: nnx.Rngs):
        self.expand = _linear(config, config.width, config.mlp_width, config.mlp_bias, rngs)
        if config.gated:
            self.gate = _linear(config, config.width, config.mlp_width, config.mlp_bias, rngs)
        self.contract = _linear(config, config.mlp_width, config.width, config.mlp_bias, rngs)
        self.config = config

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns float32 of the shape of `x`."""
        activation = ACTIVATIONS[self.config.activation]
        if self.config.gated:
            return self.contract(activation(self.gate(x)) * self.expand(x))
        return self.contract(activation(self.expand(x)))


class DecoderBlock(nnx.Module):
    """A pre-normalised transformer block: h = x + attention(n1(x)), then h + MLP(n2(h)) (Radford et al. 2019)."""

    def __init__(self, config: DecoderConfig, rngs: nnx.Rngs):
        self.attention_norm = _norm(config)
        self.attention = CausalAttention(config, rngs)
        self.mlp_norm = _norm(config)
        self.mlp = CausalMLP(config, rngs)
        self.rate = config.residual_dropout

    def __call__(self, x, mask, rotation, window, pages=None, *, key=None):
        """Returns float32 [B, T, D] and the pages; arguments as for `CausalAttention`."""
        inside, after_attention, after_mlp = split_key(key, 3)
        attended, pages = self.attention(self.attention_norm(x), mask, rotation, window, pages, key=inside)
        x = x + dropout(attended, self.rate, after_attention)
        return x + dropout(self.mlp(self.mlp_norm(x)), self.rate, after_mlp), pages


class Decoder(nnx.Module):
    """Token ids to one hidden state per token, each from the tokens up to it."""

    def __init__(self, config: DecoderConfig, rngs: nnx.Rngs):
        self.words = Embedding(config.vocab_size, config.width, scale=config.initializer_range, rngs=rngs)
        if config.rotary_base is None:
            self.positions = Embedding(config.max_positions, config.width, scale=config.initializer_range, rngs=rngs)
        self.layers = nnx.List([DecoderBlock(config, rngs) for _ in config.windows])
        self.norm = _norm(config)
        self.config = config

    def __call__(
        self,
        ids: jax.Array,
        mask: jax.Array,
        cache: KVCache | None = None,
        *,
        room: int | None = None,
        key: jax.Array | None = None,
    ) -> tuple[jax.Array, KVCache | None]:
        """Returns the normalised last hidden states, float32 [B, T, D], and a cache that the batch is read into, if any.

        Args:
          ids: int32 [B, T].
          mask: bool [B, T], false on padding, on either side. Hidden states at padding mean nothing.
          cache: of the columns that were read before; None for none.
          room: columns that a cache begun by this batch has for later reading; None to begin none.
          key: for dropout; None for none.

        Raises:
          ValueError: the batch, or the cache's capacity, is wider than the model's positions.
        """
        config = self.config
        length = ids.shape[1] + (room or 0) if cache is None else cache.mask.shape[1]
        if length > config.max_positions:
            raise ValueError(
                f"{length} tokens were asked for, and this {config.model_type} has positions for {config.max_positions}. "
                "Cut the texts shorter."
            )
        mask, rotation = CausalMask.of(mask, cache), None
        keys = split_key(key, 1 + len(self.layers))
        x = self.words(ids)
        if config.rotary_base is None:
            x = x + self.positions(mask.positions)
        else:
            rotation = rotation_at(mask.positions, mask.readable.shape[1], config)
        x = dropout(x, config.embedding_dropout, keys[0])
        if config.rematerialise and cache is None and room is None:
            return self.norm(self._rematerialised(x, mask, rotation, None if key is None else jnp.stack(keys[1:]))), None
        pages = []
        for number, (layer, window, layer_key) in enumerate(zip(self.layers, config.windows, keys[1:])):
            before = None if cache is None else (cache.keys[number], cache.values[number])
            x, page = layer(x, mask, rotation, window, before, key=layer_key)
            pages.append(page)
        if cache is None and room is None:
            return self.norm(x), None
        keys, values = zip(*pages)
        read = KVCache(keys, values, mask.readable, ids.shape[1] + (0 if cache is None else cache.filled))
        return self.norm(x), read if cache is not None else read.with_room(room)

    def _rematerialised(self, x, mask, rotation, keys):
        windows = jnp.array([self.config.max_positions if window is None else window for window in self.config.windows])

        def run(layer, x, window, key):
            return layer(x, mask, rotation, window, key=key)[0]

        return rematerialised(self.layers, run, x, windows, keys)


class CausalLM(nnx.Module):
    """A decoder that predicts the next token."""

    def __init__(self, config: DecoderConfig, rngs: nnx.Rngs):
        self.decoder = Decoder(config, rngs)
        if not config.tied:
            self.head = _linear(config, config.width, config.vocab_size, False, rngs)
        self.config = config

    def __call__(self, ids: jax.Array, mask: jax.Array, *, key: jax.Array | None = None) -> jax.Array:
        """Returns logits of each next token, float32 [B, T, vocab]; arguments as for `Decoder`."""
        return self.logits(self.decoder(ids, mask, key=key)[0])

    def logits(self, hidden: jax.Array) -> jax.Array:
        """Returns float32 [..., vocab] for hidden states [..., D]."""
        if not self.config.tied:
            return self.head(hidden)
        # The table is summed over its last axis as it lies: a transposed copy loses the fast bfloat16 path.
        flat = hidden.reshape(-1, hidden.shape[-1])
        return dot(flat, self.decoder.words.table[...], self.config.compute_dtype, y_axis=1).reshape(*hidden.shape[:-1], -1)


def _norm(config: DecoderConfig) -> nnx.Module:
    return {"layer": LayerNorm, "root_mean_square": RMSNorm}[config.norm](config.width, config.norm_epsilon)


def _linear(config: DecoderConfig, inputs: int, outputs: int, bias: bool, rngs: nnx.Rngs) -> Linear:
    return Linear(inputs, outputs, scale=config.initializer_range, compute_dtype=config.compute_dtype, rngs=rngs, bias=bias)
