"""The processes that tests start."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]


def environment(devices):
    """Returns the environment of a child that computes on so many CPU devices, with this process's other compiler flags."""
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={devices}"
    return {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
