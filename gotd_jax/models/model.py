"""`Loaded`: a model as its definition and its parameters, and how one is built."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from flax import nnx

from gotd_jax import artifacts
from gotd_jax.models.config import DecoderConfig, EncoderConfig
from gotd_jax.models.decoder import CausalLM
from gotd_jax.models.encoder import Encoder
from gotd_jax.models.prediction_heads import Classifier, MaskedLM

ENCODER_HEADS = (None, "masked_lm", "classifier")


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A model: `nnx.merge(definition, params)` inside `jax.jit` is it, ready to call.

    Args:
      config: its sizes.
      definition: the static part, hashable.
      params: float32 arrays in a nested dict. {'encoder': ..., 'head': ...}, or just the encoder's where there is no head;
        of a causal language model {'decoder': ...} and, where it is not tied, 'head'.
      head: None, 'masked_lm', 'classifier' or 'causal_lm'.
      source: the folder it came from; None for a model initialised at random.
      fresh: the parts that the source lacks and that were initialised from the seed, such as ('head',) or ('head.output',).
      fingerprint: 16 hex digits that identify the weights, the configuration (`compute_dtype` included), the tokeniser and
        the model's further files in its folder.
    """

    config: EncoderConfig | DecoderConfig
    definition: nnx.GraphDef
    params: dict
    head: str | None
    source: Path | None
    fresh: tuple[str, ...]
    fingerprint: str

    def rematerialising(self) -> nnx.GraphDef:
        """Returns the definition of the same model that keeps less for its backward pass (see `rematerialise`)."""
        outputs = self.params["head"]["output"]["bias"].shape[0] if self.head == "classifier" else None
        return blueprint(dataclasses.replace(self.config, rematerialise=True), self.head, outputs)[0]

    def cut(self, layers: int | None) -> Loaded:
        """Returns the model's first `layers` layers; 0 leaves its embeddings of tokens, each without its context; None all.

        A decoder keeps its last norm. Without it, the first token's hidden state may be a hundred times as long as the others
        (SmolLM2-135M after 15 layers: 22,700 to 190), and the mean over any text's tokens hardly more than that one.

        Raises:
          ValueError: the model is neither a decoder nor an encoder without a head, or has fewer layers.
        """
        if layers is None:
            return self
        if self.head not in (None, "causal_lm"):
            raise ValueError("Layers are cut off a decoder, or an encoder without a head. Load one, or leave its layers be.")
        if not 0 <= layers <= self.config.layers:
            raise ValueError(f"The model has {self.config.layers} layers, and {layers} were asked for.")
        config = self.config.cut(layers)
        definition, shapes = blueprint(config, self.head)
        identity = artifacts.fingerprint([self.fingerprint, "layers", layers])
        params = _picked(self.params, shapes)
        return dataclasses.replace(self, config=config, definition=definition, params=params, fingerprint=identity)


def initialise(
    config: EncoderConfig | DecoderConfig, head: str | None = None, *, outputs: int | None = None, seed: int = 0
) -> Loaded:
    """Returns a model with all its parameters drawn from `seed`, with arguments as for `loading.load`."""
    head = checked_head(config, head)
    definition, state = nnx.split(_module(config, head, outputs, nnx.Rngs(seed)))
    identity = {"config": dataclasses.asdict(config), "head": head, "outputs": outputs, "seed": seed}
    params = nnx.to_pure_dict(state)
    fresh = tuple(params) if head else ("encoder",)
    return Loaded(config, definition, params, head, None, fresh, artifacts.fingerprint(identity))


def blueprint(
    config: EncoderConfig | DecoderConfig, head: str | None = None, outputs: int | None = None
) -> tuple[nnx.GraphDef, dict]:
    """Returns a model's definition, and its parameter tree with shapes in place of arrays; allocates nothing.

    Raises:
      ValueError: an unknown head, or a classifier without its number of outputs.
    """
    head = checked_head(config, head)
    definition, state = nnx.split(nnx.eval_shape(lambda: _module(config, head, outputs, nnx.Rngs(0))))
    return definition, nnx.to_pure_dict(state)


def checked_head(config: EncoderConfig | DecoderConfig, head: str | None) -> str | None:
    """Returns the head of a model, which of a decoder is always 'causal_lm'.

    Raises:
      ValueError: the architecture has no such head.
    """
    known = (None, "causal_lm") if isinstance(config, DecoderConfig) else ENCODER_HEADS
    if head not in known:
        raise ValueError(f"A {config.model_type} has no head {head!r}; there are {', '.join(map(str, known))}.")
    return known[-1] if isinstance(config, DecoderConfig) else head


def _module(config, head, outputs, rngs):
    if head == "classifier":
        if outputs is None or outputs < 1:
            raise ValueError(f"A classifier needs the number of its outputs, at least 1, and outputs is {outputs}.")
        return Classifier(config, outputs, rngs)
    return {"causal_lm": CausalLM, "masked_lm": MaskedLM, None: Encoder}[head](config, rngs)


def _picked(params: dict, shapes: dict) -> dict:
    """Returns the part of `params` that `shapes` has."""
    return {key: _picked(params[key], below) if isinstance(below, dict) else params[key] for key, below in shapes.items()}
