"""The losses that the method loss_difference reads: of the model to be warmed up, before and after training on a target."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.models.loading import load_language_model
from gotd_jax.models.model import Loaded
from gotd_jax.models.sentence_transformers import LENGTH
from gotd_jax.tool.request import Request
from gotd_jax.training import target_losses
from gotd_jax.training.base_model import HEAD, BaseModel, check_length
from gotd_jax.training.recipe import Recipe


def asked_for(
    pool: Corpus, name: str, target: Corpus, request: Request, work: Path
) -> Callable[[], tuple[np.ndarray, np.ndarray]] | None:
    """Returns the function that returns the losses of `pool`, nats a token, float32 [n] before and after; None without a model.

    They are made when it is first called, and kept in `work`.

    Args:
      pool: n candidates.
      name: of the target.
      target: what the model is trained on lightly, once through.
      request: names the model; its seed draws masks and order, its max_length cuts texts.
      work: where losses and models are kept.
    """
    if request.language_model is None:
        return None
    recipe = Recipe(max_length=length(request))
    options = {"seed": request.seed, "name": name, "work": work}
    return functools.partial(target_losses.before_and_after, pool, target, start(request), recipe, **options)


def length(request: Request) -> int:
    """Returns how many tokens of a text the request's language model reads."""
    return request.max_length or LENGTH


def start(request: Request) -> BaseModel:
    """Returns the request's language model as training begins with it."""
    head = dataclasses.replace(HEAD, max_length=min(HEAD.max_length, length(request)))
    return BaseModel(request.language_model, head, seed=request.seed)


def checked(request: Request) -> Loaded:
    """Returns the request's language model as it was published.

    Raises:
      ValueError: there is no such model, or it reads fewer tokens than are asked for.
    """
    model = load_language_model(request.language_model, seed=request.seed)
    check_length(model, length(request))
    return model


def described(request: Request) -> dict | None:
    """Returns the name and the fingerprint of the request's language model, None without one; raises as `checked`."""
    name = request.language_model
    return name and {"name": name, "fingerprint": checked(request).fingerprint}
