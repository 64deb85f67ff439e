"""The sum of all further Sinkhorn steps, from one step and the curvature of the dual on a sample of the candidates.

Near the solution an iteration turns the error e of g into K e, K = diag(q)^-1 sum_i P_i^T P_i / a_i, so that its step s
is the first term of (1 + K + K^2 + ...) s = (I - K)^-1 s, a Newton step of the dual. K has m x m entries, whatever the
size of the pool, and a sample of 8 m candidates estimates them well enough: one pass of the whole pool then does the work
of several.
"""

from __future__ import annotations

import numpy as np

ROWS_A_TARGET = (8, 32)  # with fewer the steps are worse than plain ones; more cost more time than they save
MOST_TARGETS = 16_384  # a matrix of float32 of a gibibyte


class Curvature:
    """The matrix I - K, factored.

    Args:
      coupling: sum_i P_ij P_ik / a_i, float32 [m, m], from `Transport.coupling`.
    """

    def __init__(self, coupling: np.ndarray):
        from scipy.linalg import cho_factor

        self._roots = np.sqrt(np.maximum(coupling.sum(axis=1), np.finfo(np.float32).tiny))
        # diag(q)^1/2 (I - K) diag(q)^-1/2 is symmetric; roots roots^T lifts its one zero eigenvalue, that of the constants.
        matrix = np.divide(coupling, -self._roots)
        matrix /= self._roots[:, None]
        matrix += np.outer(self._roots, self._roots)
        matrix[np.diag_indices_from(matrix)] += 1.0 + 1e-4  # above rounding, far below the slowest mode
        self._factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)

    def newton_step(self, step: np.ndarray) -> np.ndarray:
        """Returns (I - K)^-1 step, float64 [m]."""
        from scipy.linalg import cho_solve

        return cho_solve(self._factor, (self._roots * step).astype(np.float32)).astype(np.float64) / self._roots


def rows_for(targets: int, available: int) -> int:
    """Returns how many of the `available` candidates to measure the curvature on; 0 where it would not pay."""
    least, most = (targets * rows for rows in ROWS_A_TARGET)
    return min(available, most) if targets <= MOST_TARGETS and available >= least else 0
