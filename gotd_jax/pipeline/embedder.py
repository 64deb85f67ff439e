"""The encoder of a selection: it embeds each corpus once, and counts how much of each text it reads."""

from __future__ import annotations

import dataclasses
import functools
import os
from pathlib import Path

import numpy as np

from gotd_jax.artifacts import fingerprint
from gotd_jax.data import coverage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.coverage import Coverage
from gotd_jax.data.tokens import load_tokenizer
from gotd_jax.data.vector_file import kept_coverage
from gotd_jax.models import sentence_transformers
from gotd_jax.models.embedding import check_dtype, check_pooling, embed
from gotd_jax.models.loading import fingerprint_of, load
from gotd_jax.models.lookup import folder_of
from gotd_jax.models.model import Loaded
from gotd_jax.models.sentence_transformers import Instructions


@dataclasses.dataclass(frozen=True, eq=False)
class Embedder:
    """A model that embeds texts, and its settings; loaded when it is first needed.

    Attributes:
      model: a Hugging Face folder or hub name, or a packaged model.
      work: where embeddings are kept.
      layers: of an encoder that are read; 0 is its embeddings of tokens, None all.
      pooling: one of `gotd_jax.models.embedding.POOLINGS`; None: as the model's folder says, else 'mean'.
      normalise: whether embeddings are scaled to unit length; None: as the model's folder says, else not.
      max_length: tokens of a text that are read; None: as many as the model's folder says, else 256.
      compute_dtype: of the model's products, 'float32' or 'bfloat16'.
      dtype: in which embeddings are kept, 'float32' or 'float16'.
    """

    model: str | os.PathLike
    work: Path
    layers: int | None = None
    pooling: str | None = None
    normalise: bool | None = None
    max_length: int | None = None
    compute_dtype: str = "float32"
    dtype: str = "float32"

    @functools.cached_property
    def loaded(self) -> Loaded:
        """The model."""
        return load(self.model, compute_dtype=self.compute_dtype).cut(self.layers)

    @functools.cached_property
    def how(self) -> Instructions:
        """How texts become vectors: by the attributes above, and where these are None as the model's folder says.

        Raises:
          ValueError: the pooling does not exist, or the folder asks for a layer that is not implemented.
        """
        if self.pooling is not None:
            check_pooling(self.pooling)
        asked = {"pooling": self.pooling, "normalise": self.normalise}
        if self.max_length is None:
            return sentence_transformers.instructions_for(self.loaded, **asked)
        said = sentence_transformers.instructions(folder_of(self.model), **asked)
        return dataclasses.replace(said, max_length=self.max_length)

    def check(self) -> None:
        """Raises ValueError if the model or dtype does not exist, or the folder asks for a layer that is not implemented."""
        check_dtype(self.dtype)
        dataclasses.asdict(self.how)

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hex digits that identify the model's weights, configuration and tokeniser."""
        return fingerprint_of(self.model)

    @property
    def settings(self) -> dict:
        """All that embeddings depend on besides the texts, JSON-like."""
        how = dataclasses.asdict(self.how) | {"layers": self.layers, "dtype": self.dtype}
        return {"weights": self.fingerprint, "compute_dtype": self.compute_dtype, **how}

    @property
    def reading(self) -> dict:
        """The settings that decide which tokens of a text are read, JSON-like."""
        return {"weights": self.fingerprint, "max_length": self.how.max_length, "prompt": self.how.prompt}

    def folder(self, corpus: Corpus) -> Path:
        """Returns where the embeddings of a corpus lie, made or not."""
        return self.work / "embeddings" / fingerprint([corpus.fingerprint, self.settings])

    def of(self, corpus: Corpus) -> np.ndarray:
        """Returns the embeddings of a corpus, float32 or float16 [n, d], mapped."""
        return embed(corpus, self.loaded, self.folder(corpus), **dataclasses.asdict(self.how), dtype=self.dtype)

    def count_coverage(self, corpus: Corpus) -> Coverage:
        """Returns how much of each text of a corpus is read, without embedding it."""
        tokenizer = load_tokenizer(folder_of(self.model))
        return coverage.measure_coverage(tokenizer, corpus, self.how.max_length, prompt=self.how.prompt)

    def kept_coverage(self, corpus: Corpus) -> Coverage | None:
        """Returns how much of each text of a corpus was read when it was embedded; None where it has not been."""
        folder = self.folder(corpus)
        return kept_coverage(folder) if folder.exists() else None
