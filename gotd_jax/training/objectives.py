"""Objectives: the losses that training lowers. Each is called with `(params, batch, key)` and returns `(loss, metrics)`.

An objective is frozen and hashable, so that a compiled training step can be kept by it. The loss is the mean over the
examples (or tokens) of the batch by their `weights`; those of weight 0 are padding.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import optax
from flax import nnx


@dataclasses.dataclass(frozen=True)
class MaskedLanguageModel:
    """Cross entropy of the masked tokens, in nats a token.

    The batch has `ids`, `mask`, `types` [B, T] and `positions`, `labels`, `weights` [P]: the masked places as positions
    in the B * T tokens, and the tokens that stood there. Logits are computed at these places only.

    Attributes:
      definition: of a `MaskedLM`.
    """

    definition: nnx.GraphDef

    def __call__(self, params: dict, batch: dict, key: jax.Array | None):
        """Returns the loss and the share of masked tokens predicted right. No dropout if `key` is None."""
        model = nnx.merge(self.definition, params)
        logits = model(batch["ids"], batch["mask"], batch["types"], batch["positions"], key=key)
        return _cross_entropy(logits, batch)

    def weight(self, batch: dict) -> jax.Array:
        """Returns the weight of a batch's loss in a mean over batches: its masked tokens."""
        return jnp.sum(batch["weights"])


@dataclasses.dataclass(frozen=True)
class CausalLanguageModel:
    """Cross entropy of each next token, in nats a token.

    The batch has `ids` int32 and `mask` bool, [B, T].

    Attributes:
      definition: of a `CausalLM`.
    """

    definition: nnx.GraphDef

    def __call__(self, params: dict, batch: dict, key: jax.Array | None):
        """Returns the loss and the share of next tokens predicted right. No dropout if `key` is None."""
        model = nnx.merge(self.definition, params)
        hidden, _ = model.decoder(batch["ids"], batch["mask"], key=key)
        logits = model.logits(hidden[:, :-1])  # of the last token of a row there is nothing to predict
        return _cross_entropy(logits, {"labels": batch["ids"][:, 1:], "weights": _pairs(batch["mask"])})

    def weight(self, batch: dict) -> jax.Array:
        """Returns the weight of a batch's loss in a mean over batches: its tokens that have one before them."""
        return jnp.sum(_pairs(batch["mask"]))


@dataclasses.dataclass(frozen=True)
class Classification:
    """Cross entropy of the class, in nats an example.

    The batch has `ids`, `mask`, `types` [B, T] and `labels` int32, `weights` [B].

    Attributes:
      definition: of a `Classifier` with as many outputs as classes.
    """

    definition: nnx.GraphDef

    def __call__(self, params: dict, batch: dict, key: jax.Array | None):
        """Returns the loss and the accuracy. No dropout if `key` is None."""
        model = nnx.merge(self.definition, params)
        return _cross_entropy(model(batch["ids"], batch["mask"], batch["types"], key=key), batch)

    def weight(self, batch: dict) -> jax.Array:
        """Returns the weight of a batch's loss in a mean over batches: its examples."""
        return jnp.sum(batch["weights"])


@dataclasses.dataclass(frozen=True)
class Regression:
    """Squared error, the loss of Hugging Face's classifiers with one output.

    The batch has `ids`, `mask`, `types` [B, T] and `labels` float32, `weights` [B].

    Attributes:
      definition: of a `Classifier` with one output.
    """

    definition: nnx.GraphDef

    def __call__(self, params: dict, batch: dict, key: jax.Array | None):
        """Returns the loss and no metrics. No dropout if `key` is None."""
        model = nnx.merge(self.definition, params)
        predictions = model(batch["ids"], batch["mask"], batch["types"], key=key)[:, 0]
        return _mean(jnp.square(predictions - batch["labels"]), batch["weights"]), {}

    def weight(self, batch: dict) -> jax.Array:
        """Returns the weight of a batch's loss in a mean over batches: its examples."""
        return jnp.sum(batch["weights"])


def _pairs(mask: jax.Array) -> jax.Array:
    """Returns 1 where a token and the one before it are no padding, float32 [B, T - 1]."""
    return (mask[:, :-1] & mask[:, 1:]).astype(jnp.float32)


def _cross_entropy(logits: jax.Array, batch: dict):
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, batch["labels"])
    given = jnp.take_along_axis(logits, batch["labels"][..., None], axis=-1)[..., 0]
    right = (given >= jnp.max(logits, axis=-1)).astype(jnp.float32)  # an argmax takes twenty times as long on a CPU
    return _mean(losses, batch["weights"]), {"accuracy": _mean(right, batch["weights"])}


def _mean(numbers: jax.Array, weights: jax.Array) -> jax.Array:
    # A batch without a masked token has no weight at all: its loss is 0 and not 0 / 0.
    return jnp.sum(jnp.where(weights > 0, numbers * weights, 0.0)) / jnp.maximum(jnp.sum(weights), 1.0)
