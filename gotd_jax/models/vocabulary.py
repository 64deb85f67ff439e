"""A model's own tokeniser, known to have no token that the model has no embedding for."""

from __future__ import annotations

from gotd_jax.data.tokens import load_tokenizer
from gotd_jax.models.model import Loaded


def tokenizer_of(model: Loaded):
    """Returns the Hugging Face tokeniser in the model's folder.

    Raises:
      ValueError: there is none, or it has tokens past the model's table of embeddings, where a look-up would give NaN.
    """
    tokenizer = load_tokenizer(model.source)
    ids, rows = tokenizer.get_vocab(), model.config.vocab_size
    if past := {number: token for token, number in ids.items() if number >= rows}:
        first = min(past)
        raise ValueError(
            f"The tokeniser in {model.source} has {len(ids):,} tokens and the model's table of embeddings {rows:,} rows: token "
            f"{first:,}, {past[first]!r}, is the first of {len(past):,} past it. Resize the table to the tokeniser (in "
            f"transformers, model.resize_token_embeddings), or take the added tokens out."
        )
    return tokenizer
