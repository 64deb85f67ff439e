"""Entropic OT by ott-jax's jitted Sinkhorn over candidates that are split over all devices."""

from __future__ import annotations

import dataclasses
import functools
import time

import jax
import jax.numpy as jnp
import numpy as np

from gotd_jax.ot.checks import check_arguments, check_embeddings, weights_of
from gotd_jax.ot.potentials import Potentials, biases, on_devices, pass_over

# The published notebook's solver (PointCloud(epsilon=1e-1), Sinkhorn(Momentum(1.3), threshold=1e-1, inner_iterations=1)).
PUBLISHED = {
    "epsilon": 0.1,
    "absolute": True,
    "momentum": 1.3,
    "threshold": 0.1,
    "max_iterations": 2000,
    "check_every": 1,
}


def solve(
    candidates: np.ndarray,
    targets: np.ndarray,
    *,
    epsilon: float = 0.01,
    absolute: bool = False,
    momentum: float = 1.5,
    threshold: float = 1e-3,
    max_iterations: int = 2000,
    check_every: int = 5,
    sample: int | None = 100_000,
    candidate_weights: np.ndarray | None = None,
    target_weights: np.ndarray | None = None,
    seed: int = 0,
) -> Potentials:
    """Returns the dual potentials of the entropic OT problem between `candidates` and `targets`.

    min_P sum_ij P_ij C_ij + epsilon KL(P | a b^T) over plans P with marginals a and b, C_ij = |x_i - y_j|^2. Sinkhorn with
    over-relaxation, then, if relaxation left the marginals off, plain Sinkhorn; the potentials returned are g and its
    exact soft-min over the targets, certified by the marginal error of that very pair.

    Args:
      candidates: pool embeddings, float [n, d]; may be memory-mapped.
      targets: target embeddings, float [m, d].
      epsilon: entropic regularisation; 0.01 ranks as the unregularised duals do (0.996 rank correlation on real sentence
        embeddings), 0.05 blurs more, which helps a small target sample.
      absolute: whether `epsilon` is in units of the cost; it multiplies the mean cost otherwise.
      momentum: over-relaxation in [1, 2); 1 is plain Sinkhorn, 1.6 and more may diverge.
      threshold: largest marginal error to accept, L1, as a share of the mass.
      max_iterations: of each of the two phases.
      check_every: iterations between two looks at the error.
      sample: candidates to solve on, drawn by `seed`, where the pool is larger; the closed form values the whole pool.
        None solves on all.
      candidate_weights: a, float [n], positive, sum 1; uniform by default.
      target_weights: b, float [m], positive, sum 1; uniform by default.
      seed: draws the sample.

    Raises:
      ValueError: empty, ill-shaped or non-finite embeddings, weights that are none, arguments out of range.
      RuntimeError: the marginal error did not reach `threshold`.
    """
    began = time.perf_counter()
    check_arguments(epsilon, momentum, threshold, max_iterations, check_every)
    check_embeddings(candidates, targets)
    n, m = len(candidates), len(targets)
    a = weights_of(candidate_weights, n, "candidate")
    b = weights_of(target_weights, m, "target")

    shift = np.mean(targets, axis=0, dtype=np.float64).astype(np.float32)
    y = np.asarray(targets, np.float32) - shift
    rows = _sampled(n, sample, seed)
    x, here = (candidates, a) if rows is None else (candidates[rows], a[rows] / a[rows].sum())
    scale = _mean_cost(x, here, y, b, shift)
    regularisation = float(epsilon if absolute else epsilon * scale)
    if not regularisation > 0:
        raise ValueError(
            "All candidates and targets lie on one point, so that a relative epsilon is zero. Look at the embeddings."
        )

    on_device = on_devices(x, here, shift)
    g, iterations = np.zeros(m, np.float32), 0
    for relaxation in dict.fromkeys((momentum, 1.0)):
        g, made = _run_ott(on_device, y, b, regularisation, g, relaxation, threshold, max_iterations, check_every)
        iterations += made
        f, marginal = pass_over(x, here, shift, y, biases(g, b, regularisation), regularisation)
        error = float(np.abs(marginal - b).sum())
        if error <= threshold:
            break
    if not error <= threshold or not np.all(np.isfinite(f)):
        raise RuntimeError(
            f"Sinkhorn left {error:.2%} of the mass misplaced after {iterations} iterations (threshold {threshold:.2%}, "
            f"epsilon {regularisation:.3g}, {regularisation / scale:.2%} of the mean cost). "
            "Raise epsilon, max_iterations or the threshold."
        )
    potentials = Potentials(
        candidate=f,
        target=g,
        cost=float(np.dot(here, f.astype(np.float64)) + np.dot(b, g.astype(np.float64))),
        marginal_error=error,
        epsilon=regularisation,
        mean_cost=scale,
        iterations=iterations,
        solved_on=len(x),
        seconds=time.perf_counter() - began,
        targets=y,
        target_weights=b.astype(np.float32),
        shift=shift,
    )
    return potentials if rows is None else _valued_everywhere(potentials, candidates, began)


def _valued_everywhere(potentials: Potentials, candidates: np.ndarray, began: float) -> Potentials:
    values = potentials.value(candidates)
    return dataclasses.replace(potentials, candidate=values, seconds=time.perf_counter() - began)


def _run_ott(on_device, y, b, epsilon, g, relaxation, threshold, max_iterations, check_every) -> tuple[np.ndarray, int]:
    x, a = on_device
    solver = _solver(relaxation, threshold, max_iterations, check_every)
    h, made = solver(x, a, y, b.astype(np.float32), jnp.float32(epsilon), biases(g, b, epsilon))
    return (np.asarray(h, np.float64) - epsilon * np.log(b)).astype(np.float32), int(made)


@functools.lru_cache(maxsize=16)
def _solver(relaxation: float, threshold: float, max_iterations: int, check_every: int):
    """Returns ott-jax's Sinkhorn as a jitted function; its g carries epsilon log b, where ours does not."""
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import acceleration, sinkhorn

    from gotd_jax.ot.geometry import StreamingPointCloud

    solver = sinkhorn.Sinkhorn(
        threshold=threshold,
        momentum=acceleration.Momentum(value=relaxation),
        inner_iterations=check_every,
        max_iterations=-(-max_iterations // check_every) * check_every,
        use_danskin=True,
    )

    @jax.jit
    def run(x, a, y, b, epsilon, h):
        geometry = StreamingPointCloud(x, y, epsilon=epsilon)
        output = solver(linear_problem.LinearProblem(geometry, a, b), init=(jnp.where(a > 0, 0.0, -jnp.inf), h))
        return output.g, output.n_iters

    return run


def _mean_cost(x: np.ndarray, a: np.ndarray, y: np.ndarray, b: np.ndarray, shift: np.ndarray) -> float:
    """Returns sum_ij a_i b_j |x_i - y_j|^2 in float64, from first and second moments, a part of x at a time."""
    square, mean = 0.0, np.zeros(y.shape[1])
    for start in range(0, len(x), 65_536):
        part = np.asarray(x[start : start + 65_536], np.float64) - shift
        weights = a[start : start + 65_536]
        square += weights @ np.einsum("nd,nd->n", part, part)
        mean += weights @ part
    y = y.astype(np.float64)
    return float(square + b @ np.einsum("md,md->m", y, y) - 2.0 * mean @ (b @ y))


def _sampled(n: int, sample: int | None, seed: int) -> np.ndarray | None:
    if sample is None or n <= sample:
        return None
    return np.sort(np.random.default_rng(seed).choice(n, sample, replace=False))
