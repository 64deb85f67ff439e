"""Logistic regression of a target against a pool, whose log-odds estimate the logarithm of their density ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def fitted(pool: np.ndarray | csr_matrix, target: np.ndarray | csr_matrix, penalty: float) -> tuple[np.ndarray, float]:
    """Returns the weights, float64 [d], and the constant of the log-odds of the target, both sides of equal weight in all.

    Args:
      pool: features of a sample of it, [k, d], dense or sparse as those of the target.
      target: features of its texts, [m, d].
      penalty: of the squared weights, above 0: scikit-learn's 1/C.

    Raises:
      ValueError: no penalty.
      RuntimeError: the regression did not converge.
    """
    from scipy.sparse import issparse, vstack
    from sklearn.linear_model import LogisticRegression

    if not penalty > 0:
        raise ValueError(f"The penalty is {penalty}. It must be above 0.")
    x = vstack([pool, target]).tocsr() if issparse(pool) else np.concatenate([pool, target])
    y = np.repeat([0, 1], [pool.shape[0], target.shape[0]])
    model = LogisticRegression(C=1 / penalty, class_weight="balanced", max_iter=1000).fit(x, y)
    if model.n_iter_[0] >= model.max_iter:
        raise RuntimeError(f"Logistic regression did not converge in {model.max_iter:,} iterations. Raise the penalty.")
    return model.coef_[0], float(model.intercept_[0])
