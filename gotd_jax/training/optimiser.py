"""The optimiser: AdamW with clipping, without its learning rate."""

from __future__ import annotations

import dataclasses

import jax
import optax


@dataclasses.dataclass(frozen=True)
class AdamW:
    """The numbers of AdamW; see `Recipe` for the fields.

    The learning rate is no part of it: a training step takes it as a number, so that runs of different lengths and
    learning rates share one compiled program.
    """

    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    clip_norm: float

    def transformation(self) -> optax.GradientTransformation:
        """Returns the map from gradients to the direction d of the update `parameters - learning_rate * d`.

        d = m / (sqrt(v) + epsilon) + weight_decay * parameters, with the bias-corrected moments m and v of the clipped
        gradients (Loshchilov and Hutter 2019, Algorithm 2).
        """
        return optax.chain(
            optax.clip_by_global_norm(self.clip_norm) if self.clip_norm > 0 else optax.identity(),
            optax.scale_by_adam(self.beta1, self.beta2, self.epsilon),
            optax.add_decayed_weights(self.weight_decay, mask=decays),
        )


def decays(params: dict) -> dict:
    """Returns which parameters decay: those with two axes or more. Biases and the scales of layer norms have one."""
    return jax.tree.map(lambda array: array.ndim > 1, params)
