"""Scorers that are published text classifiers: a Hugging Face folder or hub name, its safetensors run in JAX."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gotd_jax import artifacts
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import tokenise
from gotd_jax.evaluation.predictions import predict
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.models.folders import CONFIG, read_config
from gotd_jax.models.loading import load as load_model
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import pad_id, tokenizer_of

TOXIC = ("toxic", "toxicity")
UNNAMED = ("label_0", "label_1")
TEXTS_PER_CALL = 4096
LONGEST = 512  # tokens that are read of a text
OVERSHOOT = 0.25  # of a regression to numbers in [0, 1]; outputs farther outside were trained on other numbers


def load(source: str | os.PathLike, *, batch_size: int = 32, compute_dtype: str = "float32") -> Scorer:
    """Returns a published classifier as a scorer.

    The toxic output is the one whose label is 'toxic' or 'toxicity', or the second of LABEL_0 and LABEL_1. Outputs become
    probabilities as in the pipelines of transformers: softmax for one label of two, a sigmoid where labels are
    independent (`problem_type` 'multi_label_classification') or there is one output. A regression's output is taken as
    it is; outputs at most 0.25 outside [0, 1] are cut to it.

    Args:
      source: a Hugging Face folder or hub name.
      batch_size: texts at once, on all devices together.
      compute_dtype: 'float32' or 'bfloat16'; see `EncoderConfig`.

    Raises:
      ValueError: see `gotd_jax.models.loading.load`; or the configuration does not say which label is toxicity, or how its
        probability is computed.
    """
    model = load_model(source, "classifier", compute_dtype=compute_dtype)
    if model.fresh:
        raise ValueError(
            f"{model.source} lacks {', '.join(model.fresh)}, so its scores would be random. Give a classifier trained whole."
        )
    outputs = model.params["head"]["output"]["bias"].shape[0]
    problem, place = toxic_output(read_config(model.source), outputs, str(model.source / CONFIG))
    sizes = {"batch_size": batch_size, "max_length": min(LONGEST, model.config.max_length)}
    version = artifacts.fingerprint({"model": model.fingerprint, "reading": [problem, place, sizes["max_length"]]})
    rate = functools.partial(_rate, model, tokenizer_of(model), sizes, problem, place)
    return Scorer(str(source), version, rate, TEXTS_PER_CALL)


def toxic_output(config: Mapping[str, Any], outputs: int, where: str) -> tuple[str, int]:
    """Returns the problem type of a classifier's outputs by its `config.json`, and the place of the toxic output.

    Args:
      config: the parsed `config.json`; `problem_type` and `id2label` are used.
      outputs: how many the model has.
      where: names the configuration in messages.

    Returns:
      'single_label_classification', 'multi_label_classification' or 'regression', and a place below `outputs`.

    Raises:
      ValueError: see `load`.
    """
    named = config.get("id2label") or {}
    labels = [str(named.get(str(place), f"LABEL_{place}")) for place in range(outputs)]
    problem = config.get("problem_type")
    if problem is None and outputs > 2:
        raise ValueError(
            f"{where} does not say whether its labels {', '.join(labels)} exclude each other. Write into it a problem_type: "
            f"multi_label_classification where they do not."
        )
    problem = problem or ("multi_label_classification" if outputs == 1 else "single_label_classification")
    lower = [label.lower() for label in labels]
    toxic = [place for place, label in enumerate(lower) if label in TOXIC]
    if not toxic and (tuple(lower) == UNNAMED or lower == [UNNAMED[0]]):
        toxic = [outputs - 1]
    known = (
        outputs <= 2 if problem == "single_label_classification" else problem in ("multi_label_classification", "regression")
    )
    if len(toxic) != 1 or not known:
        raise ValueError(
            f"{where} has the labels {', '.join(labels)} and the problem_type {problem}. A scorer has two labels that exclude "
            f"each other, or any number that do not, or one, and exactly one of them is called {' or '.join(TOXIC)}."
        )
    return problem, toxic[0]


def probabilities(outputs: np.ndarray, problem: str, place: int) -> np.ndarray:
    """Returns the probability of the toxic label, float32 [n], from outputs float32 [n, k]; see `load`."""
    from scipy.special import expit, softmax

    if problem == "regression":
        cut = outputs[:, place].clip(0, 1)
        return np.where(np.abs(outputs[:, place] - cut) <= OVERSHOOT, cut, outputs[:, place])
    if problem == "multi_label_classification" or outputs.shape[1] == 1:
        return expit(outputs[:, place])
    return softmax(outputs, axis=1)[:, place]


def _rate(model: Loaded, tokenizer, sizes: Mapping[str, int], problem: str, place: int, texts: Sequence[str]) -> np.ndarray:
    tokens = tokenise(tokenizer, Corpus.from_texts(texts), sizes["max_length"])
    outputs = predict(model.definition, model.params, tokens, **sizes, pad_id=pad_id(tokenizer))
    return probabilities(outputs, problem, place)
