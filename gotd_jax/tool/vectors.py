"""Embeddings of candidates and targets: of all at once, or of few rows as they are asked for."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from gotd_jax.artifacts import fingerprint
from gotd_jax.data.corpus import Corpus
from gotd_jax.embed import embed
from gotd_jax.models import folders
from gotd_jax.models.model import Loaded
from gotd_jax.models.named import encoder
from gotd_jax.tool.request import Request


class Vectors:
    """What a request's model makes of texts, each corpus embedded once and kept in the work folder.

    Args:
      request: names the model and how much of a text it reads.
      work: where embeddings are kept.
    """

    def __init__(self, request: Request, work: Path):
        self._request, self._work = request, work

    @functools.cached_property
    def model(self) -> Loaded:
        """The model, loaded when it is first needed."""
        return encoder(self._request.model, layers=self._request.layers)

    def of(self, corpus: Corpus) -> np.ndarray:
        """Returns the embeddings of a corpus, float32 [n, d], mapped."""
        length = self._request.max_length
        name = fingerprint([corpus.fingerprint, self.model.fingerprint, folders.instructions(self.model.source), length])
        return embed(corpus, self.model, self._work / "embeddings" / name, max_length=length)

    def of_rows(self, corpus: Corpus, rows: np.ndarray, *, whole: bool) -> np.ndarray:
        """Returns the embeddings of some rows of a corpus, float32 [k, d].

        Args:
          corpus: n texts.
          rows: int64 [k].
          whole: whether to take them from the embeddings of the whole corpus, or to embed these rows alone.
        """
        return np.asarray(self.of(corpus)[rows]) if whole else self.of(corpus.take(rows))
