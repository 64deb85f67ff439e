"""Solves on eight forced host devices, and on two processes of two devices each, in processes of their own."""

import re
import socket
import subprocess
import sys

import numpy as np
import pytest

from gotd_jax import ot
from tests import processes

SOLVE = """
import sys
from pathlib import Path
import jax, numpy as np

folder, processes, number, port = Path(sys.argv[1]), *map(int, sys.argv[2:])
if processes > 1:
    jax.distributed.initialize(f"127.0.0.1:{port}", processes, number)
from gotd_jax import ot

x, y = np.load(folder / "x.npy", mmap_mode="r"), np.load(folder / "y.npy")
for solver in ("sinkhorn", "semidual", "published"):
    found = ot.solve(x, y, epsilon=0.02, solver=solver)
    assert len(found.value(x[:7])) == 7
    found.save(folder / f"{solver}-{number}-of-{processes}.safetensors")
"""
PROGRAMS = """
import sys
from pathlib import Path
import jax, jax.numpy as jnp, numpy as np
from gotd_jax.ot import passes, sinkhorn
from gotd_jax.ot.blocks import coupling_block, plan_block, rows_per_block
from gotd_jax.ot.transport import Transport

folder = Path(sys.argv[1])
transport = Transport(np.load(folder / "x.npy"), np.load(folder / "y.npy"), epsilon=0.02, absolute=False)
m = len(transport.y)
side = transport.side(np.zeros(m))
chunk = next(transport.pool.chunks())
for name, block, shape in (("plan", plan_block, (m + 1,)), ("coupling", coupling_block, (m, m))):
    sums = jnp.zeros((8, *shape), device=passes.split_rows())
    add = passes._program(block, "float32", rows_per_block())
    (folder / f"{name}.txt").write_text(add.lower(sums, chunk.x, chunk.a, 1, side).compile().as_text())
    (folder / f"{name}-total.txt").write_text(passes.total().lower(sums).compile().as_text())
whole = transport.pool.at_once()
arguments = whole.x, whole.a, transport.y, np.full(m, 1 / m, np.float32), side.epsilon, side.biases
(folder / "sinkhorn.txt").write_text(sinkhorn.solver(1.5, 1e-3, 100, 5).lower(*arguments).compile().as_text())
arguments = transport.y, np.full(m, 1 / m, np.float32), whole.x, whole.a, side.epsilon
(folder / "published.txt").write_text(sinkhorn.targets_first_solver(1.3, 0.1, 100, 1).lower(*arguments).compile().as_text())
"""


def start(program, folder, devices, *arguments):
    command = [sys.executable, "-c", program, str(folder), *map(str, arguments)]
    return subprocess.Popen(
        command, env=processes.environment(devices), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def wait_for(children):
    for child in children:
        output, _ = child.communicate(timeout=240)
        assert child.returncode == 0, output


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    """Returns a folder with embeddings of a pool that no number of devices divides."""
    folder = tmp_path_factory.mktemp("sharded")
    rng = np.random.default_rng(0)
    np.save(folder / "x.npy", rng.normal(size=(10_007, 12)).astype(np.float32))
    np.save(folder / "y.npy", rng.normal(size=(61, 12)).astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def programs(problem):
    """Returns the texts of the programs compiled for eight devices."""
    wait_for([start(PROGRAMS, problem, 8)])
    return {path.stem: path.read_text() for path in problem.glob("*.txt")}


@pytest.mark.slow
@pytest.mark.parametrize(("processes", "devices"), [(1, 8), (2, 2)])
def test_devices_and_processes_give_the_potentials_of_one(problem, processes, devices):
    port = free_port()
    wait_for([start(SOLVE, problem, devices, processes, number, port) for number in range(processes)])
    x, y = np.load(problem / "x.npy"), np.load(problem / "y.npy")
    for solver in ("sinkhorn", "semidual", "published"):
        one = ot.solve(x, y, epsilon=0.02, solver=solver)
        for number in range(processes):
            many = ot.Potentials.load(problem / f"{solver}-{number}-of-{processes}.safetensors")
            assert many.cost == pytest.approx(one.cost, rel=1e-5)
            np.testing.assert_allclose(many.candidate, one.candidate, atol=1e-5 * one.mean_cost)


def test_no_program_gathers_the_pool(programs):
    assert set(programs) == {"plan", "plan-total", "coupling", "coupling-total", "sinkhorn", "published"}
    for text in programs.values():
        assert not re.search("all-gather|all-to-all|collective-permute", text)


def test_a_pass_has_one_collective_of_a_number_a_target_and_one_more(programs):
    assert "all-reduce" not in programs["plan"]
    (reduced,) = re.findall(r"(\w+\[[\d,]*\])\S* all-reduce(?:-start)?\(", programs["plan-total"])
    assert reduced == "f32[62]"


@pytest.mark.parametrize("name", ["sinkhorn", "published"])
def test_sinkhorn_reduces_vectors_of_the_targets_length_alone(programs, name):
    reduced = set(re.findall(r"(\w+\[[\d,]*\])\S* all-reduce(?:-start)?\(", programs[name]))
    assert reduced and reduced <= {"f32[61]", "f32[1]", "f32[]"}
