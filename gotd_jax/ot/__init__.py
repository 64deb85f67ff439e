"""Entropic optimal transport between a large candidate pool and a small target: costs, solver, potentials, gradient."""

from gotd_jax.ot.potentials import Potentials, calibrated_gradient
from gotd_jax.ot.sinkhorn import PUBLISHED
from gotd_jax.ot.solve import solve

__all__ = ["PUBLISHED", "Potentials", "calibrated_gradient", "solve"]
