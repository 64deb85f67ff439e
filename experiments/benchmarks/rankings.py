"""Whether a faster computation selects the same rows: another solver, or embeddings in a lower precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from experiments.benchmarks import clouds
from experiments.benchmarks.epsilon import overlap
from experiments.benchmarks.measure import write_rows
from gotd_jax import ot

BUDGETS = (0.005, 0.01, 0.05, 0.1, 0.2)  # of the pool
EPSILON = 0.01  # of the mean cost
POOL, TARGETS, MIXED = 3_001, 600, 10_007


def solvers(folder: Path, embedded: Path, scale: float) -> None:
    """Measures which share of the rows that ott-jax's Sinkhorn selects `semidual` selects too, both stopped at 0.1 %."""
    m = max(round(TARGETS * scale), 20)
    data = {
        "sentences by MiniLM": clouds.sentences(embedded, round(POOL * scale), m),
        "a mixture of clusters": clouds.mixture(round(MIXED * scale), m),
    }
    rows = []
    for name, (x, y) in data.items():
        theirs, ours = (ot.solve(x, y, epsilon=EPSILON, solver=solver) for solver in ("sinkhorn", "semidual"))
        errors = {"sinkhorn's error": theirs.marginal_error, "semidual's error": ours.marginal_error}
        described = {"data": name, "candidates": f"{len(x):,}", "targets": f"{len(y):,}"}
        shown = {key: f"{error:.1e}" for key, error in errors.items()}
        rows.append(described | shown | _agreement(ours.candidate, theirs.candidate))
    write_rows(folder, rows)


def precisions(folder: Path, embedded: Path, scale: float) -> None:
    """Measures which share of the rows that float32 embeddings select those computed in bfloat16 select too."""
    sizes = round(POOL * scale), max(round(TARGETS * scale), 20)
    (x, y), low = (clouds.sentences(embedded, *sizes, compute_dtype=dtype) for dtype in ("float32", "bfloat16"))
    cosines = np.sum(x * low[0], axis=1)
    full, coarse = (ot.solve(*sides, epsilon=EPSILON).candidate for sides in ((x, y), low))
    row = {
        "data": "sentences by MiniLM",
        "candidates": f"{len(x):,}",
        "targets": f"{len(y):,}",
        "least cosine of a text's two embeddings": f"{cosines.min():.5f}",
    }
    write_rows(folder, [row | _agreement(coarse, full)])


def _agreement(values: np.ndarray, reference: np.ndarray) -> dict[str, str]:
    """Returns the rank correlation, and the share of equal rows at each of `BUDGETS`, as a table shows them."""
    shares = {f"equal rows, {budget:.1%} selected": f"{overlap(values, reference, budget):.4f}" for budget in BUDGETS}
    return {"rank correlation": f"{spearmanr(values, reference).statistic:.6f}"} | shares
