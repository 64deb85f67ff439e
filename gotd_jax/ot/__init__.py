"""Entropic optimal transport between a large candidate pool and a small target: costs, solver, potentials, gradient.

>>> import numpy as np
>>> from gotd_jax import ot
>>> candidates = np.float32([[0, 0], [3, 0], [0, 9], [1, 1]])  # embeddings, one a row
>>> potentials = ot.solve(candidates, np.float32([[0, 0], [0, 1]]))
>>> potentials.candidate.argsort().tolist()  # the nearest to the targets first
[0, 3, 1, 2]
>>> potentials.value(np.float32([[0, 2], [0, 4]])).argsort().tolist()  # any other text is valued without a new solve
[0, 1]
"""

from gotd_jax.ot.debiasing import OwnPotential, own_potential
from gotd_jax.ot.finite_share import MixtureSolution, solve_mixture
from gotd_jax.ot.potentials import Potentials, calibrated_gradient
from gotd_jax.ot.sinkhorn import PUBLISHED
from gotd_jax.ot.solve import solve

__all__ = [
    "PUBLISHED",
    "MixtureSolution",
    "OwnPotential",
    "Potentials",
    "calibrated_gradient",
    "own_potential",
    "solve",
    "solve_mixture",
]
