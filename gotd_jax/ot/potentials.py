"""The result of a solve: one dual vector of the target's length, from which every text's potential follows."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from gotd_jax.files import whole_file
from gotd_jax.ot.blocks import logits, plan_block, products, shifted
from gotd_jax.ot.passes import PoolPart, pass_over
from gotd_jax.ot.pool import Pool
from gotd_jax.ot.transport import ConvergenceCheck, side

TENSORS = ("candidate", "target", "targets", "target_weights", "shift")


def calibrated_gradient(potential: np.ndarray) -> np.ndarray:
    """Returns n/(n-1) (f_i - mean f): the change of the OT cost per unit of mass moved onto candidate i. float32 [n].

    An increasing affine map of f that removes its free constant (Just et al. 2023, LAVA, Eq. 4; GOT-D, Section 2.4).
    """
    n = len(potential)
    if n == 1:
        return np.zeros(1, np.float32)  # all mass lies on the only candidate: none can be moved
    centred = potential - np.mean(potential, dtype=np.float64)
    return (centred * (n / (n - 1))).astype(np.float32)


def notebook_gradient(potential: np.ndarray) -> np.ndarray:
    """Returns (1 + 1/n) g_i - mean g, float32 [n], by which the published notebook ranks. It has g's free constant, over n."""
    return (potential * (1 + 1 / len(potential)) - np.mean(potential, dtype=np.float64)).astype(np.float32)


@dataclasses.dataclass(frozen=True, eq=False)
class Potentials:
    """Kantorovich dual potentials of one entropic OT problem between n candidates and m targets.

    The plan is P_ij = a_i b_j exp((f_i + g_j - C_ij) / epsilon) with C the squared Euclidean distance and a, b the
    weights: f and g carry no epsilon log-weight term, so that f ranks candidates whatever their weights. The f of the solver
    'published' alone is as ott-jax returned it: with that term, one constant, and not quite the soft-min of g.

    Attributes:
      candidate: f, float32 [n]; exact soft-min of g, see `value`.
      target: g, float32 [m].
      targets: target embeddings less `shift`, float32 [m, d].
      target_weights: b, float32 [m].
      shift: subtracted from all embeddings, which keeps distances and reduces rounding, float32 [d].
      cost: sum_i a_i f_i + sum_j b_j g_j, the dual value at (f, g).
      marginal_error: L1 distance of the plan's target marginal from b, as a share of the mass; the candidates' is exact. Of
        'published', that of the candidates' marginal.
      epsilon: entropic regularisation, absolute.
      mean_cost: mean of C under a and b.
      solved_on: number of candidates that the solve ran on; the rest were valued by the closed form.
      seconds: wall time of the solve, compilation included.
      settings: the arguments of the solve, JSON-like.
      journal: the error after every pass that measured it, with precision and seconds.
    """

    candidate: np.ndarray
    target: np.ndarray
    targets: np.ndarray
    target_weights: np.ndarray
    shift: np.ndarray
    cost: float
    marginal_error: float
    epsilon: float
    mean_cost: float
    solved_on: int
    seconds: float
    settings: dict
    journal: tuple[ConvergenceCheck, ...]

    @property
    def passes(self) -> int:
        """Passes made over candidates and targets, those over samples included."""
        return self.journal[-1].passes

    def gradient(self) -> np.ndarray:
        """Returns the numbers that rank candidates, float32 [n]: the calibrated gradient; of 'published', the notebook's."""
        by = notebook_gradient if self.settings["solver"] == "published" else calibrated_gradient
        return by(self.candidate)

    def value(self, embeddings: np.ndarray) -> np.ndarray:
        """Returns the candidate potential of any texts, -epsilon log sum_j b_j exp((g_j - C(x, y_j)) / epsilon).

        Args:
          embeddings: float [k, d]; may be memory-mapped, only a part of it is in memory at a time.

        Returns:
          float32 [k], lower is better.
        """
        self._check_width(embeddings.shape[1:])
        if len(embeddings) == 0:
            return np.zeros(0, np.float32)
        return pass_over(
            [PoolPart(Pool(embeddings), plan_block)], self._side(), (len(self.target) + 1,), step="valuing"
        ).values()

    def explain(self, embedding: np.ndarray) -> np.ndarray:
        """Returns the share of a text, float [d], that goes to each target: its row of the plan, float32 [m], sum 1."""
        self._check_width(embedding.shape)
        side = self._side()
        x = shifted(jnp.asarray(embedding)[None, :], side)
        return np.asarray(jax.nn.softmax(logits(products(x, side, "float32"), side)[0]))

    def summary(self) -> dict:
        """Returns the numbers that say how the solve went, JSON-like."""
        fields = ("cost", "marginal_error", "epsilon", "mean_cost", "passes", "solved_on", "seconds", "settings")
        return {name: getattr(self, name) for name in fields} | {"journal": [dataclasses.asdict(line) for line in self.journal]}

    def save(self, path: str | os.PathLike) -> None:
        """Writes arrays, numbers, settings and journal as one safetensors file, whole or not at all."""
        from safetensors.numpy import save

        tensors = {name: np.ascontiguousarray(getattr(self, name)) for name in TENSORS}
        with whole_file(path) as partial:
            partial.write_bytes(save(tensors, metadata={"potentials": json.dumps(self.summary())}))

    @classmethod
    def load(cls, path: str | os.PathLike) -> Potentials:
        """Returns the potentials that `save` wrote to `path`.

        Raises:
          ValueError: the file does not exist, or holds no potentials.
        """
        from safetensors import SafetensorError, safe_open

        if not Path(path).is_file():
            raise ValueError(f"There is no file {path}. Potentials.save writes one.")
        try:
            with safe_open(path, framework="numpy") as file:
                numbers = json.loads(file.metadata()["potentials"])
                tensors = {name: file.get_tensor(name) for name in TENSORS}
        except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as fault:
            raise ValueError(f"{path} holds no potentials ({fault}). Give a file that Potentials.save wrote.") from fault
        journal = tuple(ConvergenceCheck(**line) for line in numbers.pop("journal"))
        del numbers["passes"]
        return cls(**tensors, **numbers, journal=journal)

    def _side(self):
        return side(self.targets, self.target, self.target_weights, self.epsilon, self.shift)

    def _check_width(self, shape: tuple[int, ...]) -> None:
        if shape != self.shift.shape:
            raise ValueError(f"The embedding has {shape} dimensions and the targets {self.shift.shape}. Use the same model.")
