"""A mapped pool larger than the memory that the process may hold."""

import subprocess
import sys

import numpy as np
import pytest

PROGRAM = """
import sys, numpy as np
from experiments.benchmarks.measure import extra_memory
from gotd_jax import ot

pool, targets = np.load(sys.argv[1], mmap_mode="r"), np.load(sys.argv[2])
solve = lambda rows: ot.solve(pool[:rows], targets, epsilon=0.1, threshold=0.02)
print(extra_memory(lambda: solve(len(pool)), lambda: solve(20_000))[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_solve_holds_a_few_blocks_of_a_mapped_pool(tmp_path):
    rng = np.random.default_rng(0)
    pool = np.lib.format.open_memmap(tmp_path / "pool.npy", mode="w+", dtype=np.float16, shape=(400_000, 256))
    for start in range(0, len(pool), 50_000):
        pool[start : start + 50_000] = rng.standard_normal((50_000, 256), np.float32)
    pool.flush()
    np.save(tmp_path / "targets.npy", rng.standard_normal((64, 256), np.float32) + 0.1)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "pool.npy"), str(tmp_path / "targets.npy")]
    megabytes = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert megabytes < 0.7 * pool.nbytes / 1e6  # 205 MB, which its pages in memory would be; its float32 copy 410
