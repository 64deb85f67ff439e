"""The public door: one signature, every solver, and a result that has been checked."""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from gotd_jax.ot import semidual, sinkhorn
from gotd_jax.ot.checks import check_arguments, check_published_arguments
from gotd_jax.ot.potentials import Potentials
from gotd_jax.ot.transport import DualEvaluation, Transport

SEMIDUAL_FROM = 1_000_000  # entries of the cost matrix


def solve(
    candidates: np.ndarray,
    targets: np.ndarray,
    *,
    epsilon: float = 0.01,
    absolute: bool = False,
    solver: str | None = None,
    threshold: float = 1e-3,
    max_iterations: int = 2000,
    candidate_weights: np.ndarray | None = None,
    target_weights: np.ndarray | None = None,
    init: Potentials | np.ndarray | None = None,
    sample: int | None = None,
    precision: str | None = None,
    momentum: float = 1.5,
    check_every: int = 5,
    seed: int = 0,
) -> Potentials:
    """Returns the dual potentials of the entropic OT problem between `candidates` and `targets`.

    min_P sum_ij P_ij C_ij + epsilon KL(P | a b^T) over plans P with marginals a and b, C_ij = |x_i - y_j|^2. The potentials
    returned are g and its exact soft-min over the targets, certified by the marginal error of that very pair, found in a
    float32 pass of the whole pool.

    In a run of several processes all call this with the same arguments, read their own devices' rows of the candidates
    (which lie in a file that all see, mapped, when they are many), and get the same result.

    Args:
      candidates: pool embeddings, float [n, d]; may be memory-mapped. float16 stays float16: only a few blocks at
        a time are widened, and the result is the only other array of the pool's size in memory.
      targets: target embeddings, float [m, d].
      epsilon: entropic regularisation; 0.01 ranks as the unregularised duals do, 0.05 blurs more, which helps a small
        target sample (gotd_jax/ot/README.md, "How much to regularise").
      absolute: whether `epsilon` is in units of the cost; it multiplies the mean cost otherwise.
      solver: 'sinkhorn', ott-jax's, as in the paper; 'semidual', many times faster on large pools, to the same solution;
        'published', the call of the paper's notebook as it stands (`**PUBLISHED` has its numbers), whose g is returned as
        it is and whose threshold is on the candidates' marginal; None: sinkhorn up to a million entries of the cost matrix.
      threshold: largest marginal error to accept, L1, as a share of the mass.
      max_iterations: of sinkhorn, in each of two phases; passes of semidual, over each sample and over the pool.
      candidate_weights: a, float [n], positive, sum 1; uniform by default.
      target_weights: b, float [m], positive, sum 1; uniform by default.
      init: potentials of the same targets to start from, or g, float [m]. If they are good enough, one pass is made.
      sample: candidates to solve on, drawn by `seed`, where the pool is larger; the closed form values the whole pool.
        None solves on all.
      precision: (semidual) of products until their rounding shows, float32, bfloat16 or float16; None: float16 on a GPU,
        bfloat16 on a TPU or a CPU with matrix units, float32 on other CPUs.
      momentum: (sinkhorn, published) over-relaxation in (0, 2); 1 is plain Sinkhorn, 1.6 and more may diverge.
      check_every: (sinkhorn, published) iterations between two checks of the error.
      seed: draws samples.

    Raises:
      ValueError: empty, ill-shaped or non-finite embeddings, invalid weights, arguments out of range.
      RuntimeError: the marginal error did not reach `threshold`.
    """
    settings = {
        "epsilon": float(epsilon),
        "absolute": absolute,
        "threshold": float(threshold),
        "max_iterations": max_iterations,
        "sample": sample,
        "precision": precision,
        "momentum": momentum,
        "check_every": check_every,
        "seed": seed,
    }
    check_arguments(solver, threshold, max_iterations, momentum, check_every, precision, sample)
    if solver == "published":
        check_published_arguments(candidate_weights, target_weights, init, sample)
    candidates, targets = np.asanyarray(candidates), np.asanyarray(targets)
    transport = Transport(
        candidates,
        targets,
        epsilon=epsilon,
        absolute=absolute,
        candidate_weights=candidate_weights,
        target_weights=target_weights,
        rows=sampled(len(candidates), sample, seed),
    )
    chosen = solver or ("semidual" if len(transport.pool) * len(targets) > SEMIDUAL_FROM else "sinkhorn")
    g, evaluated = _start(transport, init)
    if evaluated is None or not evaluated.error <= threshold:
        sinkhorns = {"threshold": threshold, "most": max_iterations, "momentum": momentum, "check_every": check_every}
        if chosen == "sinkhorn":
            g, evaluated = sinkhorn.solve(transport, g, **sinkhorns)
        elif chosen == "published":
            g, evaluated = sinkhorn.published(transport, **sinkhorns)
        else:
            g, evaluated = semidual.solve(
                transport, g, threshold=threshold, most=max_iterations, precision=precision, seed=seed
            )
    candidate = evaluated.potentials()
    if not evaluated.error <= threshold or not np.all(np.isfinite(candidate)):
        raise RuntimeError(
            f"The solver ({chosen}) left {evaluated.error:.2%} of the mass misplaced after {transport.passes} passes "
            f"(threshold {threshold:.2%}, max_iterations {max_iterations}, epsilon {transport.epsilon:.3g}, "
            f"{transport.epsilon / transport.mean_cost:.2%} of the mean cost). Raise epsilon, max_iterations or the threshold."
        )
    potentials = Potentials(
        candidate=candidate,
        target=g.astype(np.float32),
        targets=transport.y,
        target_weights=transport.b.astype(np.float32),
        shift=transport.shift,
        cost=evaluated.dual,
        marginal_error=evaluated.error,
        epsilon=transport.epsilon,
        mean_cost=transport.mean_cost,
        solved_on=len(transport.pool),
        seconds=time.perf_counter() - transport.began,
        settings=settings | {"solver": chosen},
        journal=tuple(transport.journal),
    )
    if potentials.solved_on == len(candidates):
        return potentials
    values = potentials.value(candidates)
    return dataclasses.replace(potentials, candidate=values, seconds=time.perf_counter() - transport.began)


def _start(transport: Transport, init: Potentials | np.ndarray | None) -> tuple[np.ndarray, DualEvaluation | None]:
    """Returns the target potentials to start from, float64 [m], and their evaluation if `init` gives them."""
    if init is None:
        return np.zeros(len(transport.y)), None
    g = np.asarray(init.target if isinstance(init, Potentials) else init, np.float64)
    if g.shape != (len(transport.y),) or not np.isfinite(g).all():
        raise ValueError(
            f"init holds target potentials {g.shape} for {len(transport.y)} targets, or some that are not finite. "
            "Give those of a solve with the same targets."
        )
    return g, transport.evaluate(g)


def sampled(n: int, sample: int | None, seed: int) -> np.ndarray | None:
    """Returns the rows to solve on, int [sample], ascending; None where there are no more than `sample`."""
    if sample is None or n <= sample:
        return None
    return np.sort(np.random.default_rng(seed).choice(n, sample, replace=False))
