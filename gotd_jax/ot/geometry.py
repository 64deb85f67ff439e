"""ott-jax geometries that stream over blocks of candidates, which lie split over all devices.

ott-jax 0.6's own online mode does not run on jax 0.9 and later (ott-jax/ott#700), and gathers all candidates on every device.
"""

from __future__ import annotations

import jax
from jax.sharding import PartitionSpec as P
from ott.geometry import pointcloud

from gotd_jax.devices import AXIS, mesh
from gotd_jax.ot import blocks


@jax.tree_util.register_pytree_node_class
class StreamingPointCloud(pointcloud.PointCloud):
    """Squared-Euclidean geometry between candidates, split over the mesh's `AXIS`, and targets, held by every device.

    Args:
      x: candidates, float32 [n, d]; each device's share is a multiple of the block (see `pad_rows`).
      y: targets, float32 [m, d].
      epsilon: entropic regularisation, absolute.
    """

    @property
    def is_online(self) -> bool:
        """True: the cost matrix is never stored."""
        return True

    def apply_lse_kernel(self, f, g, eps, vec=None, axis=0):
        """Returns e log sum exp((f + g - C) / e) over `axis`, less the potential of the other side, and its sign (1)."""
        if vec is not None:
            raise ValueError("StreamingPointCloud sums the plan itself, not the plan times a vector: leave `vec` out.")
        over, out, remove = (blocks.over_targets_here, P(AXIS), f) if axis == 1 else (blocks.over_candidates_here, P(), g)
        on_every_device = jax.shard_map(over, mesh=mesh(), in_specs=(P(AXIS), P(AXIS), P(), P(), P()), out_specs=out)
        log_sums = eps * on_every_device(self.x, f, self.y, g, jax.numpy.asarray(eps))
        return log_sums - jax.numpy.where(jax.numpy.isfinite(remove), remove, 0.0), jax.numpy.ones(1)


@jax.tree_util.register_pytree_node_class
class TargetsFirst(pointcloud.PointCloud):
    """The same geometry with its sides exchanged: the f of ott-jax's solver is then the targets', and its g the candidates'.

    Args:
      x: targets, float32 [m, d].
      y: candidates, float32 [n, d], as the `x` of `StreamingPointCloud`.
      epsilon: entropic regularisation, absolute.
    """

    @property
    def is_online(self) -> bool:
        """True: the cost matrix is never stored."""
        return True

    def apply_lse_kernel(self, f, g, eps, vec=None, axis=0):
        """See `StreamingPointCloud.apply_lse_kernel`."""
        return StreamingPointCloud(self.y, self.x, epsilon=self.epsilon).apply_lse_kernel(g, f, eps, vec, 1 - axis)
