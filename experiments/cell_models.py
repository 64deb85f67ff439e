"""The models that a cell's config names: those that the cell reads, and whether they fit its evaluation."""

from __future__ import annotations

from pathlib import Path

from experiments import embeddings
from experiments.endings import ENDINGS
from experiments.endings.ending import ANY, CAUSAL, ENCODER
from gotd_jax.methods import METHODS
from gotd_jax.models.loading import fingerprint_of, is_causal
from gotd_jax.pipeline.pre_trained import Sizes

IN_WORDS = {ENCODER: "an encoder (BERT)", CAUSAL: "a causal language model (GPT-2, GPT-Neo, Llama)"}


def read_by(config) -> dict[str, str]:
    """Returns the models that a cell reads by the fields that name them: its encoder, and the model that it trains or asks."""
    is_read = ENDINGS[config.evaluation].trains is not None or "losses" in METHODS[config.method].reads
    is_read &= not config.base.mixture  # else it is pre-trained here
    return ({"model": config.model} if is_read else {}) | {"embed.model": config.embed.model}


def check(config) -> None:
    """Raises ValueError unless the config's models can be opened and its model is of the kind that its evaluation trains."""
    for name in read_by(config).values():
        fingerprint_of(name)  # opens the weights
    wanted, own = ENDINGS[config.evaluation].trains, config.base.mixture
    if wanted not in (None, ANY):
        causal = Sizes(**config.base.sizes).is_causal if own else is_causal(config.model)
        if causal != (wanted == CAUSAL):
            named = "config.base" if own else config.model
            raise ValueError(
                f"The evaluation {config.evaluation!r} is of {IN_WORDS[wanted]}, and {named} is none. Name another model."
            )
    embeddings.embedder(config, Path()).check()
    if config.embed.finetuned and is_causal(config.embed.model):
        raise ValueError(
            f"Only encoders are fine-tuned on the task before they embed, and {config.embed.model} writes. Set "
            "--config.embed.finetuned=False, or name another --config.embed.model."
        )
