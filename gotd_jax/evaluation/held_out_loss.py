"""The loss of a language model on texts that it was not trained on, in bits per byte."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import count_tokens
from gotd_jax.evaluation.text_losses import losses
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import tokenizer_of


@dataclasses.dataclass(frozen=True, eq=False)
class HeldOutLoss:
    """The loss on n texts.

    Attributes:
      bits: of each text, float64 [n].
      bytes: of each text in UTF-8, int64 [n].
    """

    bits: np.ndarray
    bytes: np.ndarray

    def per_byte(self, rows: np.ndarray | slice = slice(None)) -> float:
        """Returns the bits per byte of all texts together, or of those in `rows`: comparable between tokenisers."""
        return float(self.bits[rows].sum() / self.bytes[rows].sum())


def held_out_loss(model: Loaded, corpus: Corpus, *, max_length: int, seed: int) -> HeldOutLoss:
    """Returns the loss of a causal or masked language model on texts.

    Of a causal model it is -log2 p(text). A masked model gives no text a probability: its mean loss per predicted token
    stands for that of every token, so that its bits compare with those of the same model alone.

    Args:
      model: as for `gotd_jax.evaluation.text_losses.losses`.
      corpus: n texts.
      max_length: tokens that are read at once.
      seed: of a masked model's masks.
    """
    per_token = losses(model, corpus, max_length=max_length, seed=seed).astype(np.float64)
    tokens = count_tokens(tokenizer_of(model), corpus)
    sizes = np.array([len(text.encode("utf-8", "surrogatepass")) for text in corpus.texts()], np.int64)
    return HeldOutLoss(per_token * tokens / math.log(2), sizes)
