"""Checks of the arguments of a solve; the messages say how to correct them."""

from __future__ import annotations

import numpy as np

ROWS_AT_ONCE = 65_536
SOLVERS = ("sinkhorn", "semidual", "published")
PRECISIONS = ("float32", "bfloat16", "float16")


def check_arguments(solver, threshold, max_iterations, momentum, check_every, precision, sample) -> None:
    """Raises ValueError for arguments of `gotd_jax.ot.solve` that are out of range."""
    if solver not in (None, *SOLVERS):
        raise ValueError(f"There is no solver {solver!r}. There are {', '.join(SOLVERS)}; None chooses by size.")
    if precision not in (None, *PRECISIONS):
        raise ValueError(f"There is no precision {precision!r}. There are {', '.join(PRECISIONS)}; None chooses by backend.")
    if not 0 < threshold < 2:
        raise ValueError(f"threshold is {threshold}. It is a share of the mass, in (0, 2).")
    if not 0 < momentum < 2:
        raise ValueError(f"momentum is {momentum}. It must lie in (0, 2); 1 is plain Sinkhorn.")
    if max_iterations < 1 or check_every < 1 or (sample is not None and sample < 1):
        raise ValueError(
            f"max_iterations ({max_iterations}), check_every ({check_every}) and sample ({sample}) must be at least 1."
        )


def check_published_arguments(candidate_weights, target_weights, init, sample) -> None:
    """Raises ValueError for arguments that the published notebook's call does not take."""
    given = {"candidate_weights": candidate_weights, "target_weights": target_weights, "init": init, "sample": sample}
    names = [name for name, value in given.items() if value is not None]
    if names:
        raise ValueError(
            f"The solver 'published' is the notebook's call as it stands, which has no {', '.join(names)}. Leave that out, or "
            "take the solver 'sinkhorn'."
        )


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


def check_shapes(candidates: np.ndarray, targets: np.ndarray) -> None:
    """Raises ValueError for embeddings that are empty, are no matrices, or have different widths."""
    for side, array in (("candidates", candidates), ("targets", targets)):
        if array.ndim != 2 or len(array) == 0:
            raise ValueError(f"The {side} must be embeddings [rows, d] with at least one row, not {array.shape}.")
    if candidates.shape[1] != targets.shape[1]:
        raise ValueError(
            f"Candidates have {candidates.shape[1]} dimensions and targets {targets.shape[1]}. Embed both with one model."
        )


def check_finite(embeddings: np.ndarray, side: str) -> None:
    """Raises ValueError that names the first row with a number that is not finite."""
    for start in range(0, len(embeddings), ROWS_AT_ONCE):
        finite = np.isfinite(embeddings[start : start + ROWS_AT_ONCE]).all(axis=1)
        if not finite.all():
            row = start + int(np.argmin(finite))
            raise ValueError(f"Row {row} of the {side} holds a number that is not finite. Embed it again.")


def check_distinct(targets: np.ndarray) -> None:
    """Raises ValueError if all of several targets are the same point."""
    if len(targets) > 1 and (targets == targets[0]).all():
        raise ValueError(
            f"All {len(targets)} targets are one point, so that candidates would be ranked by their distance to it alone. "
            "Look at the target's texts and embeddings, or give the point once."
        )
