"""POT 0.9.7 (MIT), by Rémi Flamary and others: exact duals, the reference for ranks as epsilon goes to 0; a peer in time."""

from __future__ import annotations

import numpy as np


def exact_duals(candidates: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns the linear programme's dual potentials, float64 [n] and [m], and the cost, for |x - y|^2 and uniform weights.

    The network simplex holds the cost matrix, 8nm bytes and more. Where n is a multiple of m the duals are not unique.
    """
    import ot

    costs = squared_distances(candidates, targets)
    n, m = costs.shape
    plan, log = ot.emd(np.full(n, 1 / n), np.full(m, 1 / m), costs, numItermax=10_000_000, log=True)
    return log["u"], log["v"], float((plan * costs).sum())


def exact_cost(candidates: np.ndarray, targets: np.ndarray, candidate_weights: np.ndarray) -> float:
    """Returns the unregularised OT cost of weighted candidates, weights float64 [n], to uniform targets."""
    import ot

    m = len(targets)
    return float(ot.emd2(candidate_weights, np.full(m, 1 / m), squared_distances(candidates, targets), numItermax=10_000_000))


def pot_sinkhorn(x: np.ndarray, y: np.ndarray, epsilon: float) -> np.ndarray:
    """Returns the target potentials, float64 [m], of dense Sinkhorn on the kernel, stopped at a marginal error of 1e-3."""
    import ot

    n, m = len(x), len(y)
    costs = squared_distances(x, y)
    # The threshold is the marginal's L2 error; error times sqrt(m) bounds the L1 error, and is near it for a flat one.
    _, log = ot.sinkhorn(np.full(n, 1 / n), np.full(m, 1 / m), costs, epsilon, numItermax=5000, stopThr=1e-3 / m**0.5, log=True)
    return epsilon * np.log(log["v"]) + epsilon * np.log(m)


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns |x_i - y_j|^2, float64 [n, m]."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    return (x * x).sum(1)[:, None] + (y * y).sum(1)[None, :] - 2 * x @ y.T
