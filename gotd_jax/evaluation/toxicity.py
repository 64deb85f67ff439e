"""Toxicity, scored on this machine by a fixed version; the paper asked the Perspective API, which changes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation import classifier_scorer, lexicon_scorer, linear_scorer
from gotd_jax.evaluation.scorer import Scorer

SCORERS = {"linear": linear_scorer.load, "lexicon": lexicon_scorer.load}


def load(name: str | os.PathLike) -> Scorer:
    """Returns a scorer of toxicity.

    Args:
      name: one of `SCORERS`, which are packaged; or a Hugging Face folder or hub name (`owner/model`) of a text
        classifier, such as unitary/toxic-bert or unitary/unbiased-toxic-roberta.

    Raises:
      ValueError: there is no scorer of that name, or the model is no scorer.
      RuntimeError: a packaged scorer cannot be fetched.
    """
    if name in SCORERS:
        return SCORERS[name]()
    if "/" in str(name) or Path(name).expanduser().is_dir():
        return classifier_scorer.load(name)
    raise ValueError(
        f"There is no toxicity scorer {str(name)!r}. There are: {', '.join(SCORERS)}, and any Hugging Face folder or "
        f"owner/model of a classifier with a label called {' or '.join(classifier_scorer.TOXIC)}."
    )


def kept_scores(corpus: Corpus, scorer: Scorer, folder: str | os.PathLike) -> np.ndarray:
    """Returns how toxic each text of `corpus` is by `scorer`, float32 [n], scored once and kept in `folder`."""
    settings = {"corpus": corpus.fingerprint, "scorer": [scorer.name, scorer.version]}

    def make(partial: Path) -> None:
        np.save(partial / "scores.npy", scorer.score(corpus.texts()))

    return np.load(stage(Path(folder) / fingerprint(settings), settings, make, kind="toxicity") / "scores.npy")
