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
from gotd_jax.data.tokens import Tokens, load_tokenizer
from gotd_jax.data.vector_file import kept_coverage
from gotd_jax.models import scaling, sentence_transformers
from gotd_jax.models.embedding import POOLINGS, Vectors, check_dtype, check_pooling, embed, embed_tokens, kept_vectors
from gotd_jax.models.loading import fingerprint_of, load, load_language_model
from gotd_jax.models.lookup import folder_of
from gotd_jax.models.model import Loaded
from gotd_jax.models.scaling import RELATIVE, SHRINKAGE
from gotd_jax.models.sentence_transformers import Instructions
from gotd_jax.pipeline.scaled_vectors import scaled_vectors
from gotd_jax.training import text_gradients
from gotd_jax.training.base_model import HEAD, HEAD_TEXTS, BaseModel
from gotd_jax.training.projection import check_size
from gotd_jax.training.recipe import Recipe
from gotd_jax.training.text_gradients import GRADIENT, SIZE


@dataclasses.dataclass(frozen=True, eq=False)
class Embedder:
    """A model that embeds texts, and its settings; loaded when it is first needed.

    Attributes:
      model: a Hugging Face folder or hub name, or a packaged model.
      work: where embeddings are kept.
      layers: of the model that are read; 0 is its embeddings of tokens, None all.
      pooling: one of `gotd_jax.models.embedding.POOLINGS`; or 'gradient', for the projected gradient of the model's loss
        (`gotd_jax.training.text_gradients`); None: as the model's folder says, else 'mean'.
      normalise: one of `gotd_jax.models.scaling.NORMALISATIONS`; None: 'unit' for gradients and for a sentence encoder, a
        folder with `modules.json`, else 'none'.
      shrinkage: of the covariance by which vectors are whitened.
      directions: of the largest variance, that whitened vectors keep; None all.
      max_length: tokens of a text that are read; None: as many as the model's folder says, else 256.
      compute_dtype: of the model's products, 'float32' or 'bfloat16'.
      dtype: in which embeddings are kept, 'float32' or 'float16'.
      gradient_layers: last layers of the model whose parameters' gradient is taken; None: of all its parameters.
      gradient_size: numbers that a gradient is projected to.
      head: how a masked-LM head is trained where the model of a gradient lacks one.
      head_texts: texts of the pool that such a head is trained on, at most.
      seed: of a gradient's masks and projection, and of such a head.
      pool: the corpus by whose mean and covariance vectors are centred or whitened, and on which a missing head is trained.
    """

    model: str | os.PathLike
    work: Path
    layers: int | None = None
    pooling: str | None = None
    normalise: str | None = None
    shrinkage: float = SHRINKAGE
    directions: int | None = None
    max_length: int | None = None
    compute_dtype: str = "float32"
    dtype: str = "float32"
    gradient_layers: int | None = None
    gradient_size: int = SIZE
    head: Recipe = HEAD
    head_texts: int = HEAD_TEXTS
    seed: int = 0
    pool: Corpus | None = None

    def relative_to(self, pool: Corpus) -> Embedder:
        """Returns the same embedder, for vectors that are compared with those of `pool`."""
        return dataclasses.replace(self, pool=pool) if self.normalise in RELATIVE or self.takes_gradients else self

    @functools.cached_property
    def loaded(self) -> Loaded:
        """The model that reads texts; for gradients a language model, whose head may be fresh."""
        if self.takes_gradients:
            return load_language_model(self.model, seed=self.seed, compute_dtype=self.compute_dtype)
        return load(self.model, compute_dtype=self.compute_dtype).cut(self.layers)

    @property
    def takes_gradients(self) -> bool:
        """Whether a vector is the gradient of a loss, not a mean of hidden states."""
        return self.pooling == GRADIENT

    @functools.cached_property
    def how(self) -> Instructions:
        """How texts become the vectors that the model makes: by the attributes above, or where they are None by its folder.

        Raises:
          ValueError: the pooling does not exist, or the folder asks for a layer that is not implemented.
        """
        if self.pooling is not None:
            check_pooling(self.pooling, (*POOLINGS, GRADIENT))
        asked = {"pooling": self.pooling, "normalise": self._has_length_one}
        if self.max_length is None:
            said = sentence_transformers.instructions_for(self.loaded, **asked)
        else:
            said = sentence_transformers.instructions(folder_of(self.model), **asked)
        said = dataclasses.replace(said, max_length=self.max_length or said.max_length)
        return dataclasses.replace(said, prompt="") if self.takes_gradients else said  # a prompt is for sentences' vectors

    @functools.cached_property
    def normalisation(self) -> str:
        """How vectors are scaled: none, unit, centred or whitened."""
        if self.normalise in RELATIVE:
            return self.normalise
        return "unit" if self.how.normalise else "none"

    def check(self) -> None:
        """Raises ValueError if a model or setting does not exist, or the folder asks for a layer that is not implemented."""
        check_dtype(self.dtype)
        scaling.check_normalisation(self.normalise, self.shrinkage, self.directions)
        check_size(self.gradient_size)
        dataclasses.asdict(self.how)
        if self.gradient_layers is not None and not self.takes_gradients:
            raise ValueError(f"The pooling is {self.pooling}, and gradient_layers {self.gradient_layers} go with gradient.")
        if self.takes_gradients and self.layers is not None:
            raise ValueError(f"A gradient is of the whole model's loss, and {self.layers} layers of it were asked for.")
        if self.takes_gradients:
            text_gradients.check(self.loaded, self.gradient_layers)
        elif self.layers is not None:
            dataclasses.asdict(self.loaded.config)  # cut to these layers, or refused

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hex digits that identify the model's weights, configuration and tokeniser."""
        return fingerprint_of(self.model)

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        if self.directions is not None:
            return self.directions
        return self.gradient_size if self.takes_gradients else self.loaded.config.width

    @property
    def settings(self) -> dict:
        """All that embeddings depend on besides the texts, those of the pool included, JSON-like."""
        found = self._settings | {"normalise": self.normalisation}
        if self.normalise in RELATIVE:
            found |= {"of_unit_vectors": self.how.normalise, "pool": self.pool.fingerprint if self.pool else None}
        if self.normalise == "whitened":
            found |= {"shrinkage": self.shrinkage, "directions": self.directions}
        return found

    @property
    def reading(self) -> dict:
        """The settings that decide which tokens of a text are read, JSON-like."""
        return {"weights": self.fingerprint, "max_length": self.how.max_length, "prompt": self.how.prompt}

    def folder(self, corpus: Corpus) -> Path:
        """Returns where the vectors of a corpus lie as the model makes them, made or not."""
        return self.work / "embeddings" / fingerprint([corpus.fingerprint, self._settings])

    def of(self, corpus: Corpus) -> np.ndarray:
        """Returns the embeddings of a corpus, float32 or float16 [n, d], mapped.

        Those that are centred or whitened are a file beside the one that the model made.

        Raises:
          ValueError: a pool is needed, and there is none (see `relative_to`).
        """
        if self.normalise not in RELATIVE:
            return self._made(corpus)
        return scaled_vectors(self._made, corpus, self._known_pool(), self.work, self.settings)

    def vectors_of(self, tokens: Tokens, texts: Corpus, model: Loaded | None = None) -> Vectors:
        """Yields (rows, vectors) of texts batch by batch as the model makes them, and keeps nothing.

        Args:
          tokens: of the texts.
          texts: n texts.
          model: in place of `loaded`: the same with its head trained.
        """
        model, how = model or self.loaded, self.how
        if not self.takes_gradients:
            return embed_tokens(tokens, model, pooling=how.pooling, normalise=how.normalise)
        options = {"size": self.gradient_size, "layers": self.gradient_layers, "seed": self.seed}
        return text_gradients.text_gradients(tokens, texts, model, normalise=how.normalise, **options)

    def count_coverage(self, corpus: Corpus) -> Coverage:
        """Returns how much of each text of a corpus is read, without embedding it."""
        tokenizer = load_tokenizer(folder_of(self.model))
        return coverage.measure_coverage(tokenizer, corpus, self.how.max_length, prompt=self.how.prompt)

    def kept_coverage(self, corpus: Corpus) -> Coverage | None:
        """Returns how much of each text of a corpus was read when it was embedded; None where it has not been."""
        folder = self.folder(corpus)
        return kept_coverage(folder) if folder.exists() else None

    @property
    def _has_length_one(self) -> bool | None:
        """Whether the vectors that the model makes are of length one; None: as its folder says."""
        if self.takes_gradients:  # a folder's Normalize is of its hidden states
            return self.normalise not in ("none", "own")
        if self.normalise is None:
            return sentence_transformers.is_sentence_encoder(folder_of(self.model))
        return {"none": False, "unit": True}.get(self.normalise)

    @property
    def _settings(self) -> dict:
        """All that the vectors as the model makes them depend on besides the texts, JSON-like."""
        how = dataclasses.asdict(self.how) | {"layers": self.layers, "dtype": self.dtype}
        found = {"weights": self.fingerprint, "compute_dtype": self.compute_dtype, **how}
        if self.takes_gradients:
            base = self._base.settings(self.pool) if self.loaded.fresh and self.pool else None
            found["gradient"] = {"layers": self.gradient_layers, "size": self.gradient_size, "seed": self.seed, "base": base}
        return found

    @property
    def _base(self) -> BaseModel:
        return BaseModel(self.model, self.head, self.head_texts, self.seed, self.compute_dtype)

    def _known_pool(self) -> Corpus:
        if self.pool is None:
            need = f"are {self.normalise}" if self.normalise in RELATIVE else "are of a model whose head is to be trained"
            raise ValueError(f"The vectors {need}, which takes a pool, and none is given. Give it: embedder.relative_to(pool).")
        return self.pool

    def _made(self, corpus: Corpus) -> np.ndarray:
        """Returns the vectors as the model makes them, mapped."""
        if not self.takes_gradients:
            return embed(corpus, self.loaded, self.folder(corpus), **dataclasses.asdict(self.how), dtype=self.dtype)
        if self.loaded.fresh:
            self._known_pool()
        trained = functools.cache(self._with_head)
        settings = self._settings | {"corpus": corpus.fingerprint, "texts": len(corpus)}

        def vectors_of(tokens: Tokens, texts: Corpus) -> Vectors:
            return self.vectors_of(tokens, texts, trained())

        return kept_vectors(corpus, self.loaded, self.folder(corpus), settings, vectors_of, self.gradient_size)

    def _with_head(self) -> Loaded:
        """Returns the language model, its head trained on the pool where it is fresh."""
        return self._base.load(self.pool, self.work) if self.loaded.fresh else self.loaded
