"""The models that a config names: where they lie, what they are, and which loader reads them."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from gotd_jax.artifacts import fingerprint
from gotd_jax.data import packages
from gotd_jax.embed import check_pooling
from gotd_jax.models import causal, folders, published
from gotd_jax.models.decoder_families import FAMILIES
from gotd_jax.models.model import Loaded

# evaluation -> whether it is of a causal language model; None where no model is trained
WRITES = {"finetune": False, "toxicity": True, "choices": True, "selection": None}


def model_folder(name: str) -> Path:
    """Returns the folder of the model called `name`: a packaged one, a local folder, or one of the hub."""
    return packages.model_folder(name) if name in packages.MODELS else folders.find(name)


@functools.cache
def model_fingerprint(name: str) -> str:
    """Returns 16 hex digits that identify the weights and the configuration of the model called `name`."""
    folder = model_folder(name)
    return fingerprint([folders.read_config(folder), folders.Tensors(folder).digest()])


def is_causal(folder: str | os.PathLike) -> bool:
    """Returns whether the model in `folder` is a causal language model, by the type that its configuration names."""
    return folders.read_config(Path(folder)).get("model_type") in FAMILIES


def is_trained(config) -> bool:
    """Returns whether the config's evaluation is of a model that is pre-fine-tuned on the selection."""
    return WRITES[config.evaluation] is not None


def is_read(config) -> bool:
    """Returns whether the config's model is needed: where it is trained, or where the method compares its losses."""
    return is_trained(config) or config.method == "loss_difference"


def load_language_model(folder: str | os.PathLike, *, compute_dtype: str, seed: int = 0) -> Loaded:
    """Returns the model in `folder` as what it is pre-fine-tuned as: a causal language model, or a masked one.

    Args:
      folder: a Hugging Face folder.
      compute_dtype: 'float32' or 'bfloat16'.
      seed: of a masked-LM head that the folder lacks.
    """
    if is_causal(folder):
        return causal.load(folder, compute_dtype=compute_dtype)
    return published.load(folder, "masked_lm", seed=seed, compute_dtype=compute_dtype)


def check(config) -> None:
    """Raises ValueError unless the config's models can be opened and its model can do what its evaluation asks."""
    if config.evaluation not in WRITES:
        raise ValueError(f"There is no evaluation {config.evaluation!r}. There are: {', '.join(WRITES)}.")
    for name in (config.model, config.embed.model) if is_read(config) else (config.embed.model,):
        model_fingerprint(name)  # opens the weights
    if is_trained(config) and is_causal(model_folder(config.model)) != WRITES[config.evaluation]:
        wanted = "a causal language model (GPT-2, GPT-Neo, Llama)" if WRITES[config.evaluation] else "an encoder (BERT)"
        raise ValueError(
            f"The evaluation {config.evaluation!r} is of {wanted}, and {config.model} is none. Name another model."
        )
    check_pooling(config.embed.pooling)
    if config.embed.finetuned and is_causal(model_folder(config.embed.model)):
        raise ValueError(
            f"Only encoders are fine-tuned on the task before they embed, and {config.embed.model} writes. Set "
            "--config.embed.finetuned=False, or name another --config.embed.model."
        )
