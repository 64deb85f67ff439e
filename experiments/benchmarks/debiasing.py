"""How large a sample stands for a pool where a gradient is debiased: agreement of two samples, of selections, and the cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments.benchmarks import clouds
from experiments.benchmarks.epsilon import overlap
from experiments.benchmarks.measure import write_rows
from gotd_jax import ot

SIZES = (250, 500, 1000, 2000, 4000)
REFERENCE = 8000
EPSILONS = (0.01, 0.05)  # of the mean cost
POOL, TARGETS = 10_007, 200


def own_potentials(folder: Path, embedded: Path, scale: float) -> None:
    """Measures the pool's own potential by the size of the sample, against one of 8,000, and its seconds beside the solve's."""
    x, y = clouds.sentences(embedded, round(POOL * scale), max(round(TARGETS * scale), 20))
    rows = []
    for epsilon in EPSILONS:
        toward = [ot.solve(x, y, epsilon=epsilon) for _ in range(2)][1]  # its programs are compiled by the first
        reference = _debiased(toward, ot.own_potential(x, size=round(REFERENCE * scale), epsilon=toward.epsilon, seed=1))
        for size in SIZES:
            own = [ot.own_potential(x, size=round(size * scale), epsilon=toward.epsilon, seed=2) for _ in range(2)][1]
            values = _debiased(toward, own)
            summary = own.summary()
            rows.append(
                {
                    "epsilon": f"{epsilon:.0%}",
                    "sample": f"{summary['sample']:,}",
                    "rank agreement of its halves": f"{own.agreement:.3f}",
                    "top 1 % of the reference's": f"{overlap(values, reference, 0.01):.2f}",
                    "top 5 %": f"{overlap(values, reference, 0.05):.2f}",
                    "top 5 % as published": f"{overlap(values, toward.gradient(), 0.05):.2f}",
                    "seconds": f"{summary['seconds']:.2f}",
                    "of the first solve": f"{toward.seconds:.2f}",
                }
            )
    write_rows(folder, rows)


def _debiased(toward: ot.Potentials, own: ot.OwnPotential) -> np.ndarray:
    return ot.calibrated_gradient(toward.candidate - own.candidate)
