"""The figure of time and memory by the size of the pool."""

from __future__ import annotations

from pathlib import Path


def plot(path: Path, rows: list[dict]) -> None:
    """Plots seconds and MB against candidates, a line a solver, on logarithmic axes."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": "gotd_jax", "svg.fonttype": "none"}  # the same numbers give the same file
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for axis, field in zip(axes, ("seconds", "memory, MB")):
        for solver in dict.fromkeys(row["solver"] for row in rows):
            mine = [row for row in rows if row["solver"] == solver]
            axis.loglog([row["candidates"] for row in mine], [row[field] for row in mine], marker="o", label=solver)
        axis.set(xlabel="candidates", ylabel=field)
        axis.grid(True, which="major", alpha=0.3)
    axes[0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
