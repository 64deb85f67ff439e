"""Embeddings of candidates and targets: of all at once, or of few rows as they are asked for."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np

from gotd_jax.artifacts import fingerprint
from gotd_jax.data import coverage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.coverage import Coverage
from gotd_jax.models.embedding import check_dtype, check_pooling, embed
from gotd_jax.models.loading import load
from gotd_jax.models.model import Loaded
from gotd_jax.models.sentence_transformers import Instructions, instructions_for
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
        return load(self._request.model).cut(self._request.layers)

    @functools.cached_property
    def how(self) -> Instructions:
        """How texts become vectors: as the request says, and where it says nothing as the model's folder does.

        Raises:
          ValueError: there is no such pooling, or the folder asks for what is not implemented.
        """
        asked = {name: getattr(self._request, name) for name in ("pooling", "normalise", "max_length")}
        if asked["pooling"] is not None:
            check_pooling(asked["pooling"])
        return instructions_for(self.model, **asked)

    def check(self) -> None:
        """Raises ValueError where there is no such model, or its folder asks for what is not implemented."""
        check_dtype(self._request.embedding_dtype)
        dataclasses.asdict(self.how)

    @property
    def reading(self) -> dict:
        """All that decides which tokens are read of a text, JSON-like."""
        how = self.how
        return {"model": self.model.fingerprint, "max_length": how.max_length, "prompt": how.prompt}

    def described(self) -> dict:
        """Returns the model's name and fingerprint and how texts became vectors, JSON-like."""
        name, layers, dtype = self._request.model, self._request.layers, self._request.embedding_dtype
        how = dataclasses.asdict(self.how) | {"layers": layers, "embedding_dtype": dtype}
        return {"name": name, "fingerprint": self.model.fingerprint, **how}

    def of(self, corpus: Corpus) -> np.ndarray:
        """Returns the embeddings of a corpus, float32 or float16 [n, d], mapped."""
        how = dataclasses.asdict(self.how) | {"dtype": self._request.embedding_dtype}
        name = fingerprint([corpus.fingerprint, self.reading, how])
        return embed(corpus, self.model, self._work / "embeddings" / name, **how)

    def cover(self, tokenizer, corpus: Corpus) -> Coverage:
        """Returns what is read of each text of a corpus; `tokenizer` is the model's."""
        return coverage.cover(tokenizer, corpus, self.how.max_length, prompt=self.how.prompt)

    def of_rows(self, corpus: Corpus, rows: np.ndarray, *, whole: bool) -> np.ndarray:
        """Returns the embeddings of some rows of a corpus, float32 [k, d].

        Args:
          corpus: n texts.
          rows: int64 [k].
          whole: whether to take them from the embeddings of the whole corpus, or to embed these rows alone.
        """
        return np.asarray(self.of(corpus)[rows] if whole else self.of(corpus.take(rows)), np.float32)
