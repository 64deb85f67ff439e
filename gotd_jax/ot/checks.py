"""What a solve accepts, refused in words where it does not."""

from __future__ import annotations

import numpy as np

ROWS_AT_ONCE = 65_536


def weights_of(weights: np.ndarray | None, size: int, side: str) -> np.ndarray:
    """Returns positive weights, float64 [size], that sum to 1; uniform ones if None."""
    if weights is None:
        return np.full(size, 1.0 / size)
    weights = np.asarray(weights, np.float64)
    if weights.shape != (size,) or not np.all(weights > 0) or abs(weights.sum() - 1) > 1e-4:
        raise ValueError(
            f"The {side} weights must be {size} positive numbers that sum to 1, not "
            f"{weights.shape} with sum {weights.sum():.4g}."
        )
    return weights / weights.sum()


def check_arguments(epsilon: float, momentum: float, threshold: float, max_iterations: int, check_every: int) -> None:
    """Raises ValueError for arguments of `solve` that are out of range."""
    if not epsilon > 0:
        raise ValueError(f"epsilon is {epsilon}. It must be positive; 0.01 of the mean cost is near the exact duals.")
    if not 0 < momentum < 2:
        raise ValueError(f"momentum is {momentum}. It must lie in (0, 2); 1 is plain Sinkhorn.")
    if not 0 < threshold < 2:
        raise ValueError(f"threshold is {threshold}. It is a share of the mass, in (0, 2).")
    if max_iterations < 1 or check_every < 1:
        raise ValueError(f"max_iterations ({max_iterations}) and check_every ({check_every}) must be at least 1.")


def check_embeddings(candidates: np.ndarray, targets: np.ndarray) -> None:
    """Raises ValueError for embeddings that are empty, of different dimensions, or not finite."""
    for side, array in (("candidates", candidates), ("targets", targets)):
        if array.ndim != 2 or len(array) == 0:
            raise ValueError(f"The {side} must be embeddings [rows, d] with at least one row, not {array.shape}.")
    if candidates.shape[1] != targets.shape[1]:
        raise ValueError(
            f"Candidates have {candidates.shape[1]} dimensions and targets {targets.shape[1]}. Embed both with one model."
        )
    for side, array in (("candidates", candidates), ("targets", targets)):
        for start in range(0, len(array), ROWS_AT_ONCE):
            finite = np.isfinite(array[start : start + ROWS_AT_ONCE]).all(axis=1)
            if not finite.all():
                row = start + int(np.argmin(finite))
                raise ValueError(f"Row {row} of the {side} holds a number that is not finite. Embed it again.")
