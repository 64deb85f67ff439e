"""Anderson acceleration of a fixed-point iteration."""

from __future__ import annotations

from collections import deque

import numpy as np


class Anderson:
    """Extrapolates from the last points and steps to the point at which their combined step is shortest (type II).

    Args:
      memory: how many differences of points are combined.
      ridge: regularises the least squares, relative to their trace.
    """

    def __init__(self, memory: int = 8, ridge: float = 1e-10):
        self.ridge = ridge
        self._points: deque[np.ndarray] = deque(maxlen=memory + 1)
        self._steps: deque[np.ndarray] = deque(maxlen=memory + 1)

    def next(self, point: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Returns the next point to evaluate, float64 [m], given the plain iteration's `step` from `point`."""
        self._points.append(point)
        self._steps.append(step)
        if len(self._points) == 1:
            return point + step
        points, steps = np.diff(self._points, axis=0), np.diff(self._steps, axis=0)
        products = steps @ steps.T
        products += self.ridge * np.trace(products) * np.eye(len(products))
        weights = np.linalg.solve(products, steps @ step)
        return point + step - weights @ (points + steps)

    def forget(self) -> None:
        """Starts anew from the next point."""
        self._points.clear()
        self._steps.clear()
