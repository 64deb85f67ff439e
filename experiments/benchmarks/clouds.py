"""Embeddings to measure transport on: real sentences from the packaged assets, and a mixture of any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from configs import quickstart
from experiments.cell_data import CellData

WIDTH = 384


def sentences(workdir: Path, pool: int, target: int, *, compute_dtype: str = "float32") -> tuple[np.ndarray, np.ndarray]:
    """Returns unit embeddings of the quick start's passages and of sentences about films by MiniLM, float32 [rows, 384].

    Both in random order. They are embedded once, which takes minutes on a CPU, in the precision `compute_dtype`.
    """
    config = quickstart.get_config()
    config.task.labels = target
    config.pool.per_domain = -(-pool // len(config.pool.packaged))
    config.embed.normalise = "unit"
    config.embed.compute_dtype = compute_dtype
    rng = np.random.default_rng(0)
    data = CellData(config, workdir)
    x = data.embedded(data.pool)
    y = data.embedded(data.task.train.corpus)
    return x[rng.permutation(len(x))[:pool]], y[rng.permutation(len(y))]


def mixture(n: int, m: int, into: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Returns unit vectors of 200 clusters, as sentence embeddings are spread, float32 [n, 384] and [m, 384].

    Sizes of clusters fall by Zipf's law, variances along the axes by a power law; the targets come from 40 of the clusters,
    in other shares, and shifted. The candidates are written `into` an array of [n, 384], where one is given.
    """
    rng = np.random.default_rng(0)
    spread = (np.arange(1, WIDTH + 1) ** -0.5).astype(np.float32)
    spread /= np.linalg.norm(spread)
    centres = rng.standard_normal((200, WIDTH), np.float32) * spread
    shares = 1 / np.arange(1, 201)
    few = np.zeros(200)
    few[rng.choice(200, 40, replace=False)] = rng.dirichlet(np.ones(40))
    shift = 0.15 * rng.standard_normal(WIDTH, np.float32) * spread

    def draw(points: np.ndarray, shares: np.ndarray, shift: np.ndarray | float) -> np.ndarray:
        for start in range(0, len(points), 65_536):
            rows = min(65_536, len(points) - start)
            part = rng.standard_normal((rows, WIDTH), np.float32) * spread
            part += centres[rng.choice(200, rows, p=shares / shares.sum())] + shift
            points[start : start + rows] = part / np.linalg.norm(part, axis=1, keepdims=True)
        return points

    targets = draw(np.empty((m, WIDTH), np.float32), few, shift)
    return draw(np.empty((n, WIDTH), np.float32) if into is None else into, shares, 0.0), targets
