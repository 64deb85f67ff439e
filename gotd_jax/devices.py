"""The devices: one mesh for all computation, and how programs for them are compiled and kept."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import jax
import jaxlib
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from gotd_jax.files import cache_folder

AXIS = "data"  # the one axis that batches, blocks of the pool and rows of embeddings are split over


def prepare() -> None:
    """Tunes the compiler and keeps its programs on disk: the first thing that a command does, before anything is computed.

    Importing changes nothing of the process; a program of your own that calls the library calls this as the commands do.
    """
    tune_compiler()
    keep_compiled_programs()


def tune_compiler() -> None:
    """Adds to the environment's XLA_FLAGS the passes that XLA on CPUs should leave out; a user's own flags for them stay.

    XLA reads the variable once, when it first computes; processes that this one starts inherit it.

    Long sums as trees are left out: plain ones are vectorised and take a sixth of the time (49,152 numbers, jaxlib 0.10.2). The
    pass has another name on GPUs. So is YNNPACK on CPUs without matrix units: Eigen's float32 products are faster there, by a
    quarter in the layers of a transformer, two to three times over a vocabulary. With matrix units it multiplies, but jaxlib
    0.10 gives it no reductions: of one over another it gets rows past the 32,768th wrong (jax#39103, fixed in 0.11.0), and of
    seven axes it crashes (jax#39257, fixed after 0.11.0; nothing here has as many).
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_disable_hlo_passes" not in flags:
        flags += " --xla_disable_hlo_passes=tree_reduction_rewriter"
    if "ynn" not in flags and not has_matrix_units():
        flags += " --xla_cpu_experimental_ynn_fusion_type="
    elif "ynn" not in flags and jaxlib.version.__version_info__ < (0, 11):
        flags += " --xla_cpu_experimental_ynn_fusion_type=-reduce"
    os.environ["XLA_FLAGS"] = flags.strip()


def has_matrix_units() -> bool:
    """Returns whether the CPU multiplies bfloat16 in units for matrices (AMX); GOTD_MATRIX_UNITS=yes or no overrules it.

    Raises:
      ValueError: GOTD_MATRIX_UNITS is neither.
    """
    said = os.environ.get("GOTD_MATRIX_UNITS")
    if said is None:
        return _found_matrix_units()
    if said not in ("yes", "no"):
        raise ValueError(f"GOTD_MATRIX_UNITS is {said!r}; set it to yes or no, or unset it to have the processor asked.")
    return said == "yes"


@functools.cache
def _found_matrix_units() -> bool:
    facts = Path("/proc/cpuinfo")
    return facts.exists() and "amx_bf16" in facts.read_text(encoding="utf-8", errors="replace")


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


def split_batch(batch: dict[str, np.ndarray], parts: int = 1) -> dict[str, jax.Array]:
    """Returns `batch` split by rows over all devices, filled up with rows of zeros, which have no weight.

    A batch in several `parts` is split within each of them.
    """
    axis = 0 if parts == 1 else 1
    count = jax.device_count()

    def filled(array):
        return np.pad(array, [(0, -array.shape[axis] % count if place == axis else 0) for place in range(array.ndim)])

    return jax.device_put({name: filled(array) for name, array in batch.items()}, split_rows(axis))


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
