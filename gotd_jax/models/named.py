"""The models that a person names: where they lie, and which loader reads them."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from gotd_jax.artifacts import fingerprint
from gotd_jax.models import causal, folders, packaged, published, sentence_modules
from gotd_jax.models.decoder_families import FAMILIES
from gotd_jax.models.model import Loaded
from gotd_jax.models.sentence_modules import Instructions
from gotd_jax.models.tensors import Tensors

LENGTH = 256  # tokens of a text that are read where nobody says it


def folder_of(name: str | os.PathLike) -> Path:
    """Returns the folder of the model called `name`: a packaged one, a local folder, or one of the hub.

    Raises:
      ValueError: there is none.
    """
    folder = packaged.model_folder(name) if name in packaged.MODELS else folders.find(name)
    return sentence_modules.transformer_folder(folder)


def fingerprint_of(name: str | os.PathLike) -> str:
    """Returns 16 hex digits that identify the weights, the configuration and the tokeniser of the model called `name`."""
    folder = folder_of(name)
    return fingerprint([folders.read_config(folder), Tensors(folder).digest(), folders.beside_weights(folder)])


def is_causal(folder: Path) -> bool:
    """Returns whether the model in `folder` is a causal language model, by the type that its configuration names."""
    return folders.read_config(folder).get("model_type") in FAMILIES


def encoder(name: str | os.PathLike, *, layers: int | None = None, compute_dtype: str = "float32") -> Loaded:
    """Returns the model called `name` as what embeds texts: an encoder without head, or a causal language model.

    Args:
      name: see `folder_of`.
      layers: how many of an encoder's are kept; 0 leaves its embeddings of tokens, None all.
      compute_dtype: 'float32' or 'bfloat16'.

    Raises:
      ValueError: there is no such model, or it is no encoder of so many layers.
    """
    folder = folder_of(name)
    load = causal.load if is_causal(folder) else published.load
    model = load(folder, compute_dtype=compute_dtype)
    return model if layers is None else model.cut(layers)


def instructions(
    model: Loaded, *, pooling: str | None = None, normalise: bool | None = None, max_length: int | None = None
) -> Instructions:
    """Returns how texts become vectors by a loaded model: as asked, and where nothing is asked as its folder says.

    Where the folder does not say either, it is a mean of 256 tokens, of fewer where the model reads no more.

    Args:
      model: an encoder without head, or a causal language model.
      pooling: one of `gotd_jax.embed.POOLINGS`.
      normalise: whether vectors are scaled to unit length.
      max_length: tokens of a text that are read.

    Raises:
      ValueError: the folder asks for what is not implemented.
    """
    said = sentence_modules.instructions(model.source, pooling=pooling, normalise=normalise)
    most = model.config.max_positions if model.head == "causal_lm" else model.config.max_length
    return dataclasses.replace(said, max_length=max_length or min(said.max_length or LENGTH, most))


def language_model(name: str | os.PathLike, *, seed: int = 0, compute_dtype: str = "float32") -> Loaded:
    """Returns the model called `name` as what it is pre-fine-tuned as: a causal language model, or a masked one.

    Args:
      name: see `folder_of`.
      seed: of a masked-LM head that the folder lacks.
      compute_dtype: 'float32' or 'bfloat16'.
    """
    folder = folder_of(name)
    if is_causal(folder):
        return causal.load(folder, compute_dtype=compute_dtype)
    return published.load(folder, "masked_lm", seed=seed, compute_dtype=compute_dtype)
