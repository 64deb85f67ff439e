"""The models that a config names: what they are needed for, and whether they can do it."""

from __future__ import annotations

from experiments import embeddings
from gotd_jax.embed import check_dtype
from gotd_jax.methods import METHODS
from gotd_jax.models.named import fingerprint_of, folder_of, is_causal

# evaluation -> whether it is of a causal language model; None where no model is trained
WRITES = {"finetune": False, "toxicity": True, "choices": True, "selection": None}


def is_trained(config) -> bool:
    """Returns whether the config's evaluation is of a model that is pre-fine-tuned on the selection."""
    return WRITES[config.evaluation] is not None


def is_read(config) -> bool:
    """Returns whether the config's model is needed: where it is trained, or where the method compares its losses."""
    return is_trained(config) or "losses" in METHODS[config.method].reads


def check(config) -> None:
    """Raises ValueError unless the config's models can be opened and its model can do what its evaluation asks."""
    for name in (config.model, config.embed.model) if is_read(config) else (config.embed.model,):
        fingerprint_of(name)  # opens the weights
    if is_trained(config) and is_causal(folder_of(config.model)) != WRITES[config.evaluation]:
        wanted = "a causal language model (GPT-2, GPT-Neo, Llama)" if WRITES[config.evaluation] else "an encoder (BERT)"
        raise ValueError(
            f"The evaluation {config.evaluation!r} is of {wanted}, and {config.model} is none. Name another model."
        )
    embeddings.instructions(config)
    check_dtype(config.embed.dtype)
    if config.embed.finetuned and is_causal(folder_of(config.embed.model)):
        raise ValueError(
            f"Only encoders are fine-tuned on the task before they embed, and {config.embed.model} writes. Set "
            "--config.embed.finetuned=False, or name another --config.embed.model."
        )
