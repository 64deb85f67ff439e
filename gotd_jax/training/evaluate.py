"""The metrics of a classifier on labelled examples."""

from __future__ import annotations

from collections.abc import Sequence

from gotd_jax.data.tasks import Examples
from gotd_jax.data.tokens import pad_id, tokenise
from gotd_jax.evaluation.classifier import predict
from gotd_jax.models.published import Loaded
from gotd_jax.models.vocabulary import tokenizer_of
from gotd_jax.training.metrics import score
from gotd_jax.training.recipe import Recipe


def evaluate(model: Loaded, params: dict, examples: Examples, metrics: Sequence[str], recipe: Recipe) -> dict[str, float]:
    """Returns each of `metrics` on labelled examples.

    Args:
      model: a loaded classifier; its `definition` and its tokeniser (in `source`) are used, not its parameters.
      params: the parameters to evaluate.
      examples: `corpus` and `labels`.
      metrics: names in `METRICS`.
      recipe: `max_length` and `batch_size` are used.
    """
    tokenizer = tokenizer_of(model)
    tokens = tokenise(tokenizer, examples.corpus, recipe.max_length)
    predictions = predict(model.definition, params, tokens, recipe.batch_size, recipe.max_length, pad_id=pad_id(tokenizer))
    return score(metrics, predictions, examples.labels)
