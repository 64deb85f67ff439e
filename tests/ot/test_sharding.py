"""The solve on eight forced host devices, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gotd_jax import ot

SOLVE = """
import sys, jax, numpy as np
from gotd_jax import ot
from gotd_jax.ot import sinkhorn
from gotd_jax.ot.potentials import on_devices

x, y = np.load(sys.argv[1]), np.load(sys.argv[2])
assert jax.device_count() == 8
np.save(sys.argv[3], ot.solve(x, y, epsilon=0.02).candidate)
pool, weights = on_devices(x, np.full(len(x), 1 / len(x)), np.zeros(x.shape[1], np.float32))
solver = sinkhorn._solver(1.5, 1e-3, 100, 5)
m = len(y)
program = solver.lower(pool, weights, y, np.full(m, 1 / m, np.float32), np.float32(0.5), np.zeros(m, np.float32)).compile()
open(sys.argv[4], "w").write(program.as_text())
"""


@pytest.fixture(scope="module")
def sharded(tmp_path_factory):
    """Returns embeddings, the candidate potentials found on 8 devices, and the text of the compiled program."""
    folder = tmp_path_factory.mktemp("sharded")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1003, 12)).astype(np.float32), rng.normal(size=(61, 12)).astype(np.float32)
    paths = [str(folder / name) for name in ("x.npy", "y.npy", "candidate.npy", "program.txt")]
    np.save(paths[0], x)
    np.save(paths[1], y)
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", SOLVE, *paths], check=True, env=environment)
    return x, y, np.load(paths[2]), Path(paths[3]).read_text()


def test_eight_devices_give_the_potentials_of_one(sharded):
    x, y, candidate, _ = sharded
    one = ot.solve(x, y, epsilon=0.02).candidate
    np.testing.assert_allclose(ot.calibrated_gradient(candidate), ot.calibrated_gradient(one), atol=1e-4)


def test_compiled_program_never_gathers_the_pool(sharded):
    program = sharded[3]
    assert "all-reduce" in program
    assert "all-gather" not in program
    assert "all-to-all" not in program
