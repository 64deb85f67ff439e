"""What a solve returns: one dual vector of the target's length, from which every text's potential follows."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec as P

from gotd_jax.devices import AXIS, mesh, split_rows
from gotd_jax.ot import blocks

ROWS_PER_TRANSFER = 65_536


def calibrated_gradient(potential: np.ndarray) -> np.ndarray:
    """Returns n/(n-1) (f_i - mean f): the change of the OT cost per unit of mass moved onto candidate i. float32 [n].

    An increasing affine map of f that removes its free constant (Just et al. 2023, LAVA, Eq. 4; GOT-D, Section 2.4).
    """
    n = len(potential)
    if n == 1:
        return np.zeros(1, np.float32)  # all mass lies on the only candidate: none can be moved
    centred = potential - np.mean(potential, dtype=np.float64)
    return (centred * (n / (n - 1))).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Potentials:
    """Kantorovich dual potentials of one entropic OT problem between n candidates and m targets.

    The plan is P_ij = a_i b_j exp((f_i + g_j - C_ij) / epsilon) with C the squared Euclidean distance and a, b the
    weights: f and g carry no epsilon log-weight term, so that f ranks candidates whatever their weights.

    Attributes:
      candidate: f, float32 [n]; exact soft-min of g, see `value`.
      target: g, float32 [m].
      cost: sum_i a_i f_i + sum_j b_j g_j, the dual value at (f, g).
      marginal_error: L1 distance of the plan's target marginal from b, as a share of the mass.
      epsilon: entropic regularisation, absolute.
      mean_cost: mean of C under a and b.
      iterations: Sinkhorn iterations made.
      solved_on: candidates that the solve ran on; the others were valued by the closed form.
      seconds: wall time of the solve, compilation included.
      targets: target embeddings less `shift`, float32 [m, d].
      target_weights: b, float32 [m].
      shift: what was subtracted from all embeddings (distances stay as they are, rounding shrinks), float32 [d].
    """

    candidate: np.ndarray
    target: np.ndarray
    cost: float
    marginal_error: float
    epsilon: float
    mean_cost: float
    iterations: int
    solved_on: int
    seconds: float
    targets: np.ndarray
    target_weights: np.ndarray
    shift: np.ndarray

    def value(self, embeddings: np.ndarray) -> np.ndarray:
        """Returns the candidate potential of any texts, -epsilon log sum_j b_j exp((g_j - C(x, y_j)) / epsilon).

        Args:
          embeddings: float32 [k, d]; may be memory-mapped, only a part of it is in memory at a time.

        Returns:
          float32 [k], lower is better.
        """
        return pass_over(embeddings, None, self.shift, self.targets, self.biases, self.epsilon)[0]

    def explain(self, embedding: np.ndarray) -> np.ndarray:
        """Returns the shares in which a text, float32 [d], would serve the targets: its row of the plan, float32 [m], sum 1."""
        costs = blocks.squared_distances(jnp.asarray(embedding - self.shift)[None, :], jnp.asarray(self.targets))[0]
        return np.asarray(jax.nn.softmax((jnp.asarray(self.biases) - costs) / self.epsilon))

    def summary(self) -> dict:
        """Returns the numbers that say how the solve went, JSON-like."""
        fields = ("cost", "marginal_error", "epsilon", "mean_cost", "iterations", "solved_on", "seconds")
        return {name: getattr(self, name) for name in fields}

    @property
    def biases(self) -> np.ndarray:
        """G + epsilon log b, float32 [m]: all that the closed form needs of the target's potential and weights."""
        return biases(self.target, self.target_weights, self.epsilon)


def biases(target: np.ndarray, weights: np.ndarray, epsilon: float) -> np.ndarray:
    """Returns g + epsilon log b, float32 [m]; -inf at targets without weight."""
    with np.errstate(divide="ignore"):
        return (target + epsilon * np.log(weights)).astype(np.float32)


def pass_over(
    candidates: np.ndarray,
    weights: np.ndarray | None,
    shift: np.ndarray,
    targets: np.ndarray,
    biases: np.ndarray,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the exact candidate potentials, float32 [n], and the plan's target marginal, float64 [m], in one pass.

    Args:
      candidates: float32 [n, d], streamed.
      weights: a, float [n]; uniform if None.
      shift: subtracted from the candidates, float32 [d].
      targets: already shifted, float32 [m, d].
      biases: g + epsilon log b, float32 [m].
      epsilon: absolute.
    """
    n = len(candidates)
    weights = np.full(n, 1.0 / max(n, 1), np.float32) if weights is None else weights
    potentials, marginal = np.empty(n, np.float32), np.zeros(len(targets))
    for start in range(0, n, ROWS_PER_TRANSFER):
        rows = slice(start, min(start + ROWS_PER_TRANSFER, n))
        x, here = on_devices(candidates[rows], weights[rows], shift)
        found, columns = _pass()(x, here, targets, biases, epsilon)
        potentials[rows] = np.asarray(found)[: rows.stop - rows.start]
        marginal += np.asarray(columns, np.float64)
    return potentials, marginal


def on_devices(candidates: np.ndarray, weights: np.ndarray, shift: np.ndarray) -> tuple[jax.Array, jax.Array]:
    """Returns shifted candidates and weights split over all devices, with rows of no weight added to fill the blocks."""
    devices = jax.device_count()
    rows = blocks.rows_per_block()
    share = -(-len(candidates) // devices)
    share = -(-share // rows) * rows if share > rows else 1 << max(share - 1, 0).bit_length()
    missing = share * devices - len(candidates)
    x = np.pad(np.asarray(candidates, np.float32) - shift, ((0, missing), (0, 0)))
    return jax.device_put((x, np.pad(np.asarray(weights, np.float32), (0, missing))), split_rows())


@functools.cache
def _pass():
    specs = (P(AXIS), P(AXIS), P(), P(), P())
    return jax.jit(jax.shard_map(blocks.potentials_here, mesh=mesh(), in_specs=specs, out_specs=(P(AXIS), P())))
