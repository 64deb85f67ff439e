"""A model's own tokeniser, checked against its table of embeddings, and the ids in it that batches need."""

from __future__ import annotations

import dataclasses

from gotd_jax.data.tokens import load_tokenizer
from gotd_jax.models.model import Loaded


def tokenizer_of(model: Loaded):
    """Returns the Hugging Face tokeniser in the model's folder.

    Raises:
      ValueError: the folder has no tokeniser, or one with tokens past the model's table of embeddings, where a look-up would
        give NaN.
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


def pad_id(tokenizer) -> int:
    """Returns the id of a tokeniser's padding token, 0 where it has none (padding is masked out, so any id will do)."""
    return 0 if tokenizer.pad_token_id is None else tokenizer.pad_token_id


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The facts of a tokeniser that masking needs.

    Attributes:
      size: number of token ids.
      pad_id: id of the padding token.
      mask_id: id of the mask token.
      special_ids: ids that are never masked.
    """

    size: int
    pad_id: int
    mask_id: int
    special_ids: tuple[int, ...]

    @classmethod
    def of(cls, tokenizer) -> Vocabulary:
        """Returns these facts of a Hugging Face tokeniser.

        Raises:
          ValueError: it has no mask token.
        """
        if tokenizer.mask_token_id is None:
            raise ValueError("The tokeniser has no mask token, so no masked language model can be trained with it.")
        return cls(len(tokenizer), pad_id(tokenizer), tokenizer.mask_token_id, tuple(sorted(set(tokenizer.all_special_ids))))
