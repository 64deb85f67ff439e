"""The language model of a request, whose losses the method loss_difference reads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from gotd_jax.models.sentence_transformers import LENGTH
from gotd_jax.pipeline.losses import TargetLosses
from gotd_jax.tool.request import Request
from gotd_jax.training.base_model import HEAD, BaseModel
from gotd_jax.training.recipe import Recipe


def losses_of(request: Request, work: Path) -> TargetLosses | None:
    """Returns the losses of texts under the request's language model, kept in `work`; None where it names none.

    The request's seed draws masks and order, its `max_length` cuts texts.
    """
    if request.language_model is None:
        return None
    length = request.max_length or LENGTH
    head = dataclasses.replace(HEAD, max_length=min(HEAD.max_length, length))
    start = BaseModel(request.language_model, head, seed=request.seed)
    return TargetLosses(start, Recipe(max_length=length), request.seed, work)
