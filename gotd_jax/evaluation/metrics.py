"""The metrics that tasks are scored by, as scikit-learn and SciPy compute them.

Each takes `predictions` float32 [n, outputs] and `labels` [n] and returns a fraction: accuracies and F1 in [0, 1],
correlations in [-1, 1]. Tables multiply by 100.

A correlation with a constant is undefined. It is 0 here, as scikit-learn has it for Matthews: a model that predicts the same
for every example has learnt nothing, and a run of many seeds should show that and not stop at it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Returns the share of examples whose highest output is the right class."""
    return float(np.mean(_classes(predictions) == labels))


def f1(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Returns the F1 of class 1 against class 0; 0 where class 1 is neither there nor predicted."""
    return _f1(predictions, labels, "binary")


def macro_f1(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Returns the mean of the F1 of each class that is there or predicted."""
    return _f1(predictions, labels, "macro")


def micro_f1(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Returns the F1 of all classes' decisions together; with one class an example that is the accuracy."""
    return _f1(predictions, labels, "micro")


def matthews(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Returns Matthews' correlation of the predicted and the right classes."""
    from sklearn.metrics import matthews_corrcoef

    predicted = _classes(predictions)
    if _is_constant(predicted) or _is_constant(labels):
        return 0.0
    return float(matthews_corrcoef(labels, predicted))


def pearson(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Returns Pearson's correlation of the one output and the labels."""
    from scipy.stats import pearsonr

    return _correlation(pearsonr, predictions, labels)


def spearman(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Returns Spearman's rank correlation of the one output and the labels."""
    from scipy.stats import spearmanr

    return _correlation(spearmanr, predictions, labels)


METRICS = {
    "accuracy": accuracy,
    "f1": f1,
    "macro_f1": macro_f1,
    "micro_f1": micro_f1,
    "matthews": matthews,
    "pearson": pearson,
    "spearman": spearman,
}


def score(metrics: Sequence[str], predictions: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Returns each of `metrics` of the predictions.

    Args:
      metrics: names in `METRICS`.
      predictions: float32 [n, outputs].
      labels: int32 [n] class positions, or float32 [n] for a regression (one output).

    Raises:
      ValueError: there is no such metric, there are no examples, or not one label for each.
      RuntimeError: a prediction is not finite.
    """
    unknown = sorted(set(metrics) - set(METRICS))
    if unknown:
        raise ValueError(f"There is no metric {', '.join(unknown)}. There are: {', '.join(METRICS)}.")
    if len(predictions) == 0 or len(predictions) != len(labels):
        raise ValueError(f"There are {len(predictions)} predictions and {len(labels)} labels. Give one of each an example.")
    bad = int(np.sum(~np.isfinite(predictions).all(axis=1)))
    if bad:
        raise RuntimeError(f"{bad} of {len(predictions)} predictions are not finite. Train again with a lower learning rate.")
    return {name: METRICS[name](predictions, labels) for name in metrics}


def _classes(predictions: np.ndarray) -> np.ndarray:
    return np.argmax(predictions, axis=1)


def _f1(predictions: np.ndarray, labels: np.ndarray, average: str) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(labels, _classes(predictions), average=average, zero_division=0.0))


def _correlation(correlate, predictions: np.ndarray, labels: np.ndarray) -> float:
    predicted, right = predictions[:, 0].astype(np.float64), labels.astype(np.float64)
    if _is_constant(predicted) or _is_constant(right):
        return 0.0
    return float(correlate(predicted, right).statistic)


def _is_constant(numbers: np.ndarray) -> bool:
    return bool(np.all(numbers == numbers[0]))
