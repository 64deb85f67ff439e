"""A probe: a linear classifier of a model's frozen states, which asks what they hold and teaches the model nothing."""

from __future__ import annotations

from collections.abc import Sequence
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
    train, test = _states(model, task, folder, max_length)
    return _scores(task, train, task.train.labels, test)


def probe_by_labels(
    model: Loaded, task: Task, folder: Path, *, max_length: int, counts: Sequence[int], draws: int, seed: int
) -> dict[int, dict[str, list[float]]]:
    """Returns the metrics and log-loss of probes of few labels: of each count those of its draws.

    A draw is the same for every model. One of a single class is drawn again.

    Args:
      model: see `probe`, and so the task, the folder and the length.
      task: of classification; the labels are drawn from `task.train`.
      folder: where the embeddings of both splits are kept.
      max_length: tokens of a text that are read.
      counts: of labels.
      draws: of each count.
      seed: of the draws.

    Raises:
      ValueError: the task is one of regression, has fewer examples than labels are asked for, or all of one class.
    """
    if max(counts) > len(task.train):
        raise ValueError(f"{task.name} has {len(task.train):,} training examples, and {max(counts):,} labels are asked for.")
    if len(np.unique(task.train.labels)) < 2:
        raise ValueError(f"The training examples of {task.name} are all of one class, and a probe tells classes apart.")
    train, test = _states(model, task, folder, max_length)
    labels, random, found = np.asarray(task.train.labels), np.random.default_rng(seed), {}
    for count in counts:
        found[count] = {name: [] for name in (*task.metrics, "log_loss")}
        for _ in range(draws):
            rows = random.permutation(len(labels))[:count]
            while len(np.unique(labels[rows])) < 2:
                rows = random.permutation(len(labels))[:count]
            for name, value in _scores(task, train[rows], labels[rows], test).items():
                found[count][name].append(float(value))
    return found


def _states(model: Loaded, task: Task, folder: Path, max_length: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean last hidden states of the training and the test texts, float32 [n, d] each."""
    if task.kind != "classification":
        raise ValueError(f"{task.name} is a task of {task.kind}, and a probe classifies. Fine-tune on it.")
    splits = {"train": task.train.corpus, "test": task.test.corpus}
    return tuple(np.asarray(embed(corpus, model, folder / name, max_length=max_length)) for name, corpus in splits.items())


def _scores(task: Task, features: np.ndarray, labels: np.ndarray, tested: np.ndarray) -> dict[str, float]:
    """Returns the metrics and log-loss on the test split; a class without a label has next to no probability."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=1_000)).fit(features, labels)
    predictions = np.full((len(tested), len(task.classes)), np.finfo(np.float32).tiny, np.float32)
    predictions[:, fitted.classes_] = fitted.predict_proba(tested)
    found = score(task.metrics, predictions, task.test.labels)
    return found | {"log_loss": float(log_loss(task.test.labels, predictions, labels=range(len(task.classes))))}
