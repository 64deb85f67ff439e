"""The devices: one mesh for all computation, and the cache of compiled programs."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from gotd_jax.artifacts import cache_folder

AXIS = "data"  # the one axis that batches, blocks of the pool and rows of embeddings are split over


def _tune_xla_for_cpus() -> None:
    """Turns off two habits of XLA on CPUs that cost more than they give; what a user has set of them stays.

    Long sums as trees: plain ones are vectorised and take a sixth of the time (49,152 numbers, jaxlib 0.10.2). The pass has
    another name on GPUs. YNNPACK on CPUs without matrix units (AMX): Eigen's float32 products are faster there, by a quarter
    in the layers of a transformer, two to three times over a vocabulary. XLA reads the variable when it first computes.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_disable_hlo_passes" not in flags:
        flags += " --xla_disable_hlo_passes=tree_reduction_rewriter"
    facts = Path("/proc/cpuinfo")
    if "ynn" not in flags and facts.exists() and "amx_tile" not in facts.read_text():
        flags += " --xla_cpu_experimental_ynn_fusion_type="
    os.environ["XLA_FLAGS"] = flags.strip()


_tune_xla_for_cpus()


@functools.cache
def mesh() -> Mesh:
    """Returns the mesh of all devices of all processes, one axis called `AXIS`."""
    return jax.make_mesh((jax.device_count(),), (AXIS,), axis_types=(AxisType.Auto,))


def split_rows(axis: int = 0) -> NamedSharding:
    """Returns the sharding that splits an array's first axis, or another, over all devices."""
    return NamedSharding(mesh(), PartitionSpec(*[None] * axis, AXIS))


def replicated() -> NamedSharding:
    """Returns the sharding that keeps a whole copy on every device."""
    return NamedSharding(mesh(), PartitionSpec())


def shared_out(shape: tuple[int, ...]) -> NamedSharding:
    """Returns the sharding that splits the longest axis that the devices divide; whole on each where they divide none."""
    count = jax.device_count()
    axes = [axis for axis, size in enumerate(shape) if size % count == 0 and size > 0]
    longest = max(axes, key=lambda axis: shape[axis], default=None)
    return NamedSharding(mesh(), PartitionSpec(*(AXIS if axis == longest else None for axis in range(len(shape)))))


def gathered(array: jax.Array) -> np.ndarray:
    """Returns the whole of an array that is split over the devices of all processes, on each of them."""
    if array.is_fully_addressable or array.is_fully_replicated:
        return np.asarray(array)
    from jax.experimental import multihost_utils

    return multihost_utils.process_allgather(array, tiled=True)


def keep_compiled_programs() -> None:
    """Turns on JAX's persistent cache of compiled programs, so that a second run compiles nothing."""
    folder = cache_folder() / "compiled"
    folder.mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def describe() -> dict:
    """Returns the backend's platform, kind and number of devices and processes."""
    device = jax.devices()[0]
    return {
        "platform": device.platform,
        "kind": device.device_kind,
        "devices": jax.device_count(),
        "processes": jax.process_count(),
    }
