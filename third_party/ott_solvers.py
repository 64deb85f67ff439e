"""ott-jax 0.6.0's own geometries and solvers (Apache-2.0), as a user would call them: peers in time and memory.

Each function of a result's name takes candidates float32 [n, d], targets float32 [m, d] and an absolute epsilon, solves to
a marginal error of 1e-3 (ott's default) and returns the target potentials in our convention, without epsilon log-weight.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ott.geometry import geometry, pointcloud
from ott.problems.linear import linear_problem
from ott.solvers.linear import acceleration, sinkhorn


def dense(x: np.ndarray, y: np.ndarray, epsilon: float) -> np.ndarray:
    """Returns what a stored cost matrix and the solver's defaults find."""
    return _without_weights(_dense(x, y, epsilon)[0], epsilon)


def dense_momentum(x: np.ndarray, y: np.ndarray, epsilon: float) -> np.ndarray:
    """Returns what a stored cost matrix and over-relaxation of 1.5 find."""
    return _without_weights(_dense_momentum(x, y, epsilon)[0], epsilon)


def online(x: np.ndarray, y: np.ndarray, epsilon: float, batch_size: int = 2000) -> np.ndarray:
    """Returns what the online mode finds, which evaluates costs `batch_size` rows at a time."""
    return _without_weights(_online(batch_size, None)(x, y, epsilon)[0], epsilon)


def online_iterations(x: np.ndarray, y: np.ndarray, epsilon: float, iterations: int, batch_size: int = 2000) -> None:
    """Makes just so many iterations of the online mode, where a whole solve would take too long to time."""
    jax.block_until_ready(_online(batch_size, iterations)(x, y, epsilon))


class Notebooks(NamedTuple):
    """What the published notebook reads of its solve: the candidates' g, float [n], and how it came about."""

    g: np.ndarray
    iterations: int
    reg_ot_cost: float
    error: float


def notebooks(x: np.ndarray, y: np.ndarray, epsilon: float = 1e-1, momentum: float = 1.3, threshold: float = 1e-1) -> Notebooks:
    """Returns what the call of GOT-D's notebook finds, on a stored cost matrix: the targets first, potentials as they end."""
    solver = sinkhorn.Sinkhorn(
        momentum=acceleration.Momentum(value=momentum), threshold=threshold, inner_iterations=1, max_iterations=2000
    )
    output = jax.jit(solver)(linear_problem.LinearProblem(pointcloud.PointCloud(y, x, epsilon=epsilon)))
    iterations = int(output.n_iters)
    return Notebooks(np.asarray(output.g), iterations, float(output.reg_ot_cost), float(output.errors[iterations - 1]))


def iterations_of_dense(x: np.ndarray, y: np.ndarray, epsilon: float) -> int:
    """Returns how many iterations the defaults need; the online mode makes the same ones."""
    return int(_dense(x, y, epsilon)[1])


@jax.jit
def _dense(x, y, epsilon):
    output = sinkhorn.Sinkhorn()(linear_problem.LinearProblem(pointcloud.PointCloud(x, y, epsilon=epsilon)))
    return output.g, output.n_iters


@jax.jit
def _dense_momentum(x, y, epsilon):
    costs = jnp.sum(x * x, axis=1)[:, None] + jnp.sum(y * y, axis=1)[None, :] - 2 * x @ y.T
    solver = sinkhorn.Sinkhorn(momentum=acceleration.Momentum(value=1.5))
    output = solver(linear_problem.LinearProblem(geometry.Geometry(costs, epsilon=epsilon)))
    return output.g, output.n_iters


@functools.cache
def _online(batch_size: int, iterations: int | None):
    _mend_online()
    fixed = {"min_iterations": iterations, "max_iterations": iterations, "inner_iterations": 1} if iterations else {}
    solver = sinkhorn.Sinkhorn(**fixed)

    @jax.jit
    def solve(x, y, epsilon):
        cloud = pointcloud.PointCloud(x, y, epsilon=epsilon, batch_size=batch_size)
        output = solver(linear_problem.LinearProblem(cloud))
        return output.g, output.n_iters

    return solve


def _mend_online() -> None:
    """Puts back what ott 0.6.0's online mode looks for in jax 0.9 and later (ott-jax/ott#700)."""
    import jax._src.interpreters.batching as batching
    import ott.utils

    if not hasattr(ott.utils.batching, "is_vmappable"):
        ott.utils.batching = batching


def _without_weights(g: jax.Array, epsilon: float) -> np.ndarray:
    return np.asarray(g, np.float64) + epsilon * np.log(len(g))
