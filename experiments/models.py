"""The models that a config names: what identifies them, what they are needed for, and whether they can do it."""

from __future__ import annotations

import functools

from gotd_jax.artifacts import fingerprint
from gotd_jax.embed import check_pooling
from gotd_jax.models import folders
from gotd_jax.models.named import folder_of, is_causal

# evaluation -> whether it is of a causal language model; None where no model is trained
WRITES = {"finetune": False, "toxicity": True, "choices": True, "selection": None}


@functools.cache
def model_fingerprint(name: str) -> str:
    """Returns 16 hex digits that identify the weights and the configuration of the model called `name`."""
    folder = folder_of(name)
    return fingerprint([folders.read_config(folder), folders.Tensors(folder).digest()])


def is_trained(config) -> bool:
    """Returns whether the config's evaluation is of a model that is pre-fine-tuned on the selection."""
    return WRITES[config.evaluation] is not None


def is_read(config) -> bool:
    """Returns whether the config's model is needed: where it is trained, or where the method compares its losses."""
    return is_trained(config) or config.method == "loss_difference"


def check(config) -> None:
    """Raises ValueError unless the config's models can be opened and its model can do what its evaluation asks."""
    if config.evaluation not in WRITES:
        raise ValueError(f"There is no evaluation {config.evaluation!r}. There are: {', '.join(WRITES)}.")
    for name in (config.model, config.embed.model) if is_read(config) else (config.embed.model,):
        model_fingerprint(name)  # opens the weights
    if is_trained(config) and is_causal(folder_of(config.model)) != WRITES[config.evaluation]:
        wanted = "a causal language model (GPT-2, GPT-Neo, Llama)" if WRITES[config.evaluation] else "an encoder (BERT)"
        raise ValueError(
            f"The evaluation {config.evaluation!r} is of {wanted}, and {config.model} is none. Name another model."
        )
    check_pooling(config.embed.pooling)
    if config.embed.finetuned and is_causal(folder_of(config.embed.model)):
        raise ValueError(
            f"Only encoders are fine-tuned on the task before they embed, and {config.embed.model} writes. Set "
            "--config.embed.finetuned=False, or name another --config.embed.model."
        )
