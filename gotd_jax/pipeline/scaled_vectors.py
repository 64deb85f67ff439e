"""Vectors that a pool's mean or covariance scales: found once and kept, each file beside the one that a model made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.vector_file import VECTORS
from gotd_jax.models.scaling import PoolScaling, centring, whitening

SCALING = "scaling.npz"


def scaled_vectors(
    made: Callable[[Corpus], np.ndarray], corpus: Corpus, pool: Corpus, work: Path, settings: Mapping[str, Any]
) -> np.ndarray:
    """Returns the vectors of `corpus` scaled by those of `pool`, memory-mapped; memory holds a block of either at a time.

    Args:
      made: returns the vectors of a corpus as a model makes them.
      corpus: n texts.
      pool: texts whose vectors have the mean and covariance.
      work: where the scaling and the scaled vectors are kept.
      settings: all that they depend on besides the corpus; `normalise`, `shrinkage`, `directions` and `dtype` are read.
    """
    of_corpus = {**settings, "corpus": corpus.fingerprint, "texts": len(corpus)}

    def make(partial: Path) -> None:
        _scaling(made, pool, work, settings).write(made(corpus), partial / VECTORS, settings["dtype"])

    folder = work / "scaled" / fingerprint(of_corpus)
    return np.load(stage(folder, of_corpus, make, kind="scaled", step="embed") / VECTORS, mmap_mode="r")


def _scaling(made: Callable[[Corpus], np.ndarray], pool: Corpus, work: Path, settings: Mapping[str, Any]) -> PoolScaling:
    def make(partial: Path) -> None:
        if settings["normalise"] == "centred":
            fitted = centring(made(pool))
        else:
            fitted = whitening(made(pool), shrinkage=settings["shrinkage"], directions=settings["directions"])
        fitted.save(partial / SCALING)

    folder = work / "scalings" / fingerprint(settings)
    return PoolScaling.load(stage(folder, settings, make, kind="scalings", step="embed") / SCALING)
