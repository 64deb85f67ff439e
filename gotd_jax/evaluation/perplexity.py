"""Perplexity of a causal language model on text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation.context_pairs import encode, prefix_id, rolling
from gotd_jax.evaluation.likelihood import log_likelihoods
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import tokenizer_of


@dataclasses.dataclass(frozen=True)
class Perplexity:
    """The loss of a model over texts.

    Attributes:
      nats: -log p of each text, summed.
      tokens: number of predicted tokens.
    """

    nats: float
    tokens: int

    @property
    def value(self) -> float:
        """exp(nats per token); infinite where a float cannot hold it."""
        try:
            return math.exp(self.nats / self.tokens)
        except OverflowError:
            return math.inf


def perplexity(
    model: Loaded,
    texts: Corpus | Sequence[Sequence[int]],
    *,
    params: dict | None = None,
    max_length: int = 1024,
    packed: bool = False,
    prefix: int | None = None,
) -> Perplexity:
    """Returns the perplexity exp(-1/T sum_t log p(token t | tokens before it in its window)) over all T tokens of all texts.

    Every token is predicted once, a text's first from `prefix`. Texts longer than `max_length` are cut into windows
    (`gotd_jax.evaluation.context_pairs.rolling`), in which a token sees only the tokens before it in its window.

    Args:
      model: a causal language model; of a corpus, its tokeniser is used too.
      texts: the texts to predict, or their tokens.
      params: to use instead of the model's own.
      max_length: tokens of a window; the model's positions, where they are fewer.
      packed: whether texts are put one after another, an end token behind each, as models are trained; then ends are
        predicted too, and texts see those before them in their window. Otherwise each text is scored alone.
      prefix: the token that stands before a text and, packed, behind each. None: for a corpus that is not packed, the prefix
        of the model's tokeniser, which may be a token that begins texts; otherwise the model's first end token.

    Raises:
      ValueError: there is no token to predict, or none to stand before it.
    """
    if isinstance(texts, Corpus):
        tokenizer = tokenizer_of(model)
        prefix = prefix_id(tokenizer) if prefix is None and not packed else prefix
        lists = [encode(tokenizer, text, special=False) for text in texts.texts()]
    else:
        lists = texts
    if prefix is None and not model.config.end_ids:
        raise ValueError("The model names no end token that could stand before a text. Name one as prefix.")
    prefix = model.config.end_ids[0] if prefix is None else prefix
    if packed:
        lists = [[token for tokens in lists for token in (*tokens, prefix)]]
    width = min(max_length, model.config.max_positions)
    pairs = [pair for tokens in lists for pair in rolling(tokens, prefix, width)]
    if not pairs:
        raise ValueError(f"The {len(texts)} texts have no token to predict. Give texts that have one.")
    found = log_likelihoods(model, pairs, params=params)
    return Perplexity(float(-np.sum(found.sums)), int(found.tokens.sum()))
