"""A probe: a linear classifier of a model's frozen states, which asks what they hold and teaches the model nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gotd_jax.data.tasks import Task
from gotd_jax.evaluation.metrics import score
from gotd_jax.models.embedding import embed
from gotd_jax.models.model import Loaded

PENALTY = 0.01  # scikit-learn's C of features of deviation 1: few labels, many features


def probe(model: Loaded, task: Task, folder: Path, *, max_length: int) -> dict[str, float]:
    """Returns each of the task's metrics on its test split, and the log-loss, of logistic regression on frozen states.

    Features are the mean of the last hidden states over a text's tokens, each standardised on the training examples.

    Args:
      model: an encoder without a head, or a causal language model.
      task: of classification; trained on `task.train`.
      folder: where the embeddings of both splits are kept.
      max_length: tokens of a text that are read.

    Raises:
      ValueError: the task is one of regression, or its training examples are all of one class.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if task.kind != "classification":
        raise ValueError(f"{task.name} is a task of {task.kind}, and a probe classifies. Fine-tune on it.")
    splits = {"train": task.train.corpus, "test": task.test.corpus}
    features = {name: embed(corpus, model, folder / name, max_length=max_length) for name, corpus in splits.items()}
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=1_000))
    fitted.fit(features["train"], task.train.labels)
    predictions = np.full((len(task.test), len(task.classes)), np.finfo(np.float32).tiny, np.float32)
    predictions[:, fitted.classes_] = fitted.predict_proba(features["test"])
    found = score(task.metrics, predictions, task.test.labels)
    return found | {"log_loss": float(log_loss(task.test.labels, predictions, labels=range(len(task.classes))))}
