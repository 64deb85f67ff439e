"""`python -m experiments.benchmark ot`: the transport engine against peers, by size, by epsilon, and by the machine's rate.

Times are wall seconds on all cores, medians of rounds in which all take turns, with their programs compiled before.
Errors are true ones: of one exact float32 pass at the target potentials that a solver returned.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jax import lax

from experiments.benchmarks import clouds, debiasing, rankings
from experiments.benchmarks.epsilon import advice, overlap
from experiments.benchmarks.figure import plot
from experiments.benchmarks.measure import alone, alternated, extra_memory, status, write_rows
from gotd_jax import ot
from gotd_jax.artifacts import stage
from gotd_jax.devices import describe
from gotd_jax.files import read_json, whole_file, write_json
from gotd_jax.ot.blocks import plan_block, rows_per_block
from gotd_jax.ot.passes import PoolPart, pass_over
from gotd_jax.ot.transport import Transport
from third_party import geomloss_sinkhorn, ott_solvers, pot_solvers

EPSILON = 0.01  # of the mean cost
TARGETS = 2000
PRIME = 10_007  # a pool that is a multiple of the target has duals that are not unique


def ours(x: np.ndarray, y: np.ndarray, epsilon: float, **options) -> np.ndarray:
    """Returns the target potentials that `gotd_jax.ot.solve` finds."""
    return ot.solve(x, y, epsilon=epsilon, absolute=True, **options).target


OURS = "gotd_jax semidual"
PEERS: dict[str, Callable] = {
    OURS: functools.partial(ours, solver="semidual"),
    "gotd_jax semidual, float32 alone": functools.partial(ours, solver="semidual", precision="float32"),
    "gotd_jax sinkhorn": functools.partial(ours, solver="sinkhorn"),
    "ott-jax dense, momentum 1.5": ott_solvers.dense_momentum,
    "ott-jax dense, defaults": ott_solvers.dense,
    "ott-jax online, batch 2000": ott_solvers.online,
    "POT sinkhorn, float64": pot_solvers.pot_sinkhorn,
    "GeomLoss, scaling .9": geomloss_sinkhorn.geomloss,
}


def run(workdir: Path, parts: list[str] | None, *, small: bool) -> list[Path]:
    """Measures the named parts of the benchmark, `PARTS` by default, prints each one's table and returns their folders.

    Args:
      workdir: where measurements and embeddings are kept.
      parts: of `PARTS` or `ON_REQUEST`.
      small: whether to take sizes a hundredth as large.
    """
    every = PARTS | ON_REQUEST
    unknown = set(parts or ()) - set(every)
    if unknown:
        raise SystemExit(f"There is no part {', '.join(sorted(unknown))}. There are: {', '.join(every)}.")
    scale = 0.01 if small else 1.0
    made = []
    for name in parts or PARTS:
        settings = {"part": name, "scale": scale, "device": describe()}
        folder = workdir / f"ot-{name}{'-small' if small else ''}"
        measure = functools.partial(every[name], embedded=workdir / "embedded", scale=scale)
        made.append(stage(folder, settings, measure, kind="benchmarks"))
    return made


def peers(folder: Path, embedded: Path, scale: float) -> None:
    """Measures all solvers on 10,007 sentences and 2,000 targets."""
    x, y = _sentences(embedded, scale)
    transport = Transport(x, y, epsilon=EPSILON, absolute=False)
    tight = ot.solve(x, y, epsilon=EPSILON, threshold=2e-5).candidate
    seconds = alternated({name: functools.partial(peer, x, y, transport.epsilon) for name, peer in PEERS.items()}, rounds=3)
    rows = []
    for name, peer in PEERS.items():
        evaluated = transport.evaluate(peer(x, y, transport.epsilon))
        times = [mine / base for mine, base in zip(seconds[name], seconds[OURS])]
        rows.append(
            {
                "solver": name,
                "seconds": f"{statistics.median(seconds[name]):.2f}",
                "times ours": f"{statistics.median(times):.2f}",
                "true error": f"{evaluated.error:.1e}",
                "top 1 % of the tight solution's": f"{overlap(evaluated.potentials(), tight, 0.01):.3f}",
                "memory, MB": f"{alone(_memory_of, name, embedded, scale):.0f}",
            }
        )
    write_rows(folder, rows)


def large(folder: Path, embedded: Path, scale: float) -> None:
    """Measures ours on 200,000 points against ott-jax's online mode: the time of an iteration, times how many it needs."""
    x, y = clouds.mixture(round(200_000 * scale), _targets(scale))
    sample = clouds.mixture(round(PRIME * scale), _targets(scale))[0]
    epsilon = Transport(x, y, epsilon=EPSILON, absolute=False).epsilon
    needed = ott_solvers.iterations_of_dense(sample, y, epsilon)
    found: list[ot.Potentials] = []
    seconds = alternated(
        {
            "ours": lambda: found.append(ot.solve(x, y, epsilon=epsilon, absolute=True)),
            "one iteration": lambda: ott_solvers.online_iterations(x, y, epsilon, 1),
            "three iterations": lambda: ott_solvers.online_iterations(x, y, epsilon, 3),
        },
        rounds=2,
    )
    solve, one, three = map(statistics.median, seconds.values())
    iteration = (three - one) / 2  # without the evaluation at the end
    row = {
        "candidates": f"{len(x):,}",
        "ours, s": f"{solve:.1f}",
        "true error": f"{found[-1].marginal_error:.1e}",
        "ott-jax online, s an iteration": f"{iteration:.2f}",
        "iterations": needed,
        "ott-jax online, s (product)": f"{iteration * needed:.0f}",
        "times ours": f"{iteration * needed / solve:.1f}",
    }
    write_rows(folder, [row])


def sizes(folder: Path, embedded: Path, scale: float) -> None:
    """Measures time and memory by the size of the pool, to 1,000,000, each in a process of its own, and plots them."""
    rows = []
    for name, largest in ((OURS, 1_000_000), ("ott-jax dense, momentum 1.5", 100_000)):
        for n in (10_007, 31_623, 100_000, 316_228, 1_000_000):
            if n <= largest:
                rows.append(_kept(folder / f"{name}-{n}.json", lambda name=name, n=n: alone(_sized, name, n, scale)))
    plot(folder / "sizes.svg", rows)
    texts = {"candidates": "{:,}", "seconds": "{:.1f}", "memory, MB": "{:.0f}", "true error": "{:.1e}"}
    write_rows(folder, [{key: texts.get(key, "{}").format(value) for key, value in row.items()} for row in rows])


def rate(folder: Path, embedded: Path, scale: float) -> None:
    """Measures a pass against the matrix product of the same blocks alone."""
    n = max(round(65_536 * scale), 1024)
    x, y = clouds.mixture(n, _targets(scale))
    transport = Transport(x, y, epsilon=EPSILON, absolute=False)
    side, pool = transport.side(np.zeros(len(y))), transport.pool
    seconds = alternated(
        {
            "pass": lambda: pass_over([PoolPart(pool, plan_block)], side, (len(y) + 1,), step=""),
            "product": lambda: pass_over([PoolPart(pool, product_block)], side, (), step=""),
            "numpy": lambda: x @ y.T,
        },
        rounds=5,
    )
    work = 2e-9 * n * len(y) * x.shape[1]
    rows = [
        {
            "what": label,
            "seconds": f"{statistics.median(seconds[name]):.2f}",
            "GFLOP/s": f"{work / statistics.median(seconds[name]):.0f}",
            "times the product": f"{statistics.median(a / b for a, b in zip(seconds[name], seconds['product'])):.2f}",
        }
        for name, label in (("pass", "a pass"), ("product", "its product alone"), ("numpy", "numpy's product, whole"))
    ]
    write_rows(folder, rows)


def product_block(x, a, side, precision):
    """Returns nothing to add; a column of the block's product with all targets, which must be made whole for its sum."""
    products = jnp.matmul(x, side.y.T, precision=lax.Precision.HIGHEST)
    return jnp.sum(products), products[:, 0]


def epsilons(folder: Path, embedded: Path, scale: float) -> None:
    """Measures how the ranking moves with epsilon, against the exact duals and on held-out target text."""
    x, y = clouds.sentences(embedded, round(PRIME * scale), round(2700 * scale))
    write_rows(folder, advice(x, y, targets=_targets(scale)))


def mapped(folder: Path, embedded: Path, scale: float) -> None:
    """Measures a solve on 5,000,000 points mapped from a float16 file of 3.8 GB, and the memory of its process."""
    n, path = round(5_000_000 * scale), folder / "pool.npy"
    if not path.exists():
        with whole_file(path) as partial:
            pool = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=(n, clouds.WIDTH))
            clouds.mixture(n, 1, into=pool)
            pool.flush()
    write_rows(folder, [alone(_mapped, path, _targets(scale))])
    path.unlink()


def gpu(folder: Path, embedded: Path, scale: float) -> None:
    """Measures the solve alone on 8,000,000 random unit vectors of 768 dimensions and 10,000 targets: for a GPU."""
    n, m, width = round(8_000_000 * scale), round(10_000 * scale), 768
    rng = np.random.default_rng(0)
    x, y = np.empty((n, width), np.float16), rng.standard_normal((m, width), np.float32)
    for start in range(0, n, 65_536):
        part = rng.standard_normal((min(65_536, n - start), width), np.float32)
        x[start : start + 65_536] = part / np.linalg.norm(part, axis=1, keepdims=True)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    ot.solve(x[: n // 10], y, epsilon=EPSILON)  # compiles
    potentials = ot.solve(x, y, epsilon=EPSILON)
    row = {
        "candidates": f"{n:,}",
        "targets": f"{m:,}",
        "seconds": f"{potentials.seconds:.1f}",
        "passes": potentials.passes,
        "true error": f"{potentials.marginal_error:.1e}",
    }
    write_rows(folder, [row])


PARTS = {"rate": rate, "peers": peers, "large": large, "sizes": sizes, "epsilons": epsilons}
ON_REQUEST = {
    "mapped": mapped,
    "gpu": gpu,
    "solvers": rankings.solvers,
    "precisions": rankings.precisions,
    "debiasing": debiasing.own_potentials,
}


def _sentences(embedded: Path, scale: float) -> tuple[np.ndarray, np.ndarray]:
    x, y = clouds.sentences(embedded, round(PRIME * scale), round(2700 * scale))
    return x, y[: _targets(scale)]


def _targets(scale: float) -> int:
    return max(round(TARGETS * scale), 20)


def _memory_of(name: str, embedded: Path, scale: float) -> float:
    x, y = _sentences(embedded, scale)
    epsilon = Transport(x, y, epsilon=EPSILON, absolute=False).epsilon
    return extra_memory(lambda: PEERS[name](x, y, epsilon), times=3)[0]


def _sized(name: str, n: int, scale: float) -> dict:
    x, y = clouds.mixture(round(n * scale), _targets(scale))
    transport = Transport(x, y, epsilon=EPSILON, absolute=False)
    found: list[np.ndarray] = []

    def solve(rows: int) -> None:
        options = {"threshold": 3e-3} if name == OURS else {}
        found.append(PEERS[name](x[:rows], y, transport.epsilon, **options))

    # Our programs are the same for every size beyond a few chunks; a dense solver's are not.
    unmeasured = (lambda: solve(100 * rows_per_block())) if name == OURS else None
    memory, seconds = extra_memory(lambda: solve(len(x)), unmeasured)
    error = transport.evaluate(found[-1]).error
    return {"solver": name, "candidates": len(x), "seconds": seconds, "memory, MB": memory, "true error": error}


def _mapped(path: Path, targets: int) -> dict:
    pool, (_, y) = np.load(path, mmap_mode="r"), clouds.mixture(1, targets)
    potentials = ot.solve(pool, y, epsilon=EPSILON, threshold=3e-3)
    return {
        "candidates": f"{len(pool):,}",
        "seconds": f"{potentials.seconds:.0f}",
        "passes of the whole pool": sum(check.rows == len(pool) for check in potentials.journal),
        "true error": f"{potentials.marginal_error:.1e}",
        "memory of the process, MB": f"{status('VmHWM'):.0f}",
    }


def _kept(path: Path, make: Callable[[], dict]) -> dict:
    if not path.exists():
        write_json(path, make())
    return read_json(path)
