"""How the values of the candidates are spread, and where the selection cuts them."""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax.tool.material import Material

BINS = 48


@dataclasses.dataclass(frozen=True)
class Histogram:
    """The values of all candidates for one target, lower is better.

    Attributes:
      target: its name.
      edges: of the bins, one more than there are bins.
      candidates: how many have a value in each bin.
      chosen: how many of them were chosen for this target.
      cut: the highest value that was chosen; None where nothing was.
      infinite: candidates without a finite value, which are in no bin.
    """

    target: str
    edges: tuple[float, ...]
    candidates: tuple[int, ...]
    chosen: tuple[int, ...]
    cut: float | None
    infinite: int


def of_targets(material: Material) -> tuple[Histogram, ...]:
    """Returns the histogram of every target for which the method gave values."""
    return tuple(_of(material, number) for number, target in enumerate(material.targets) if target.values is not None)


def _of(material: Material, number: int) -> Histogram:
    values = np.asarray(material.targets[number].values, np.float64)
    chosen = values[material.rows[material.served == number]]
    finite = values[np.isfinite(values)]
    counts, edges = np.histogram(finite, BINS)
    return Histogram(
        target=material.targets[number].name,
        edges=tuple(edges.tolist()),
        candidates=tuple(counts.tolist()),
        chosen=tuple(np.histogram(chosen, edges)[0].tolist()),
        cut=float(chosen.max()) if len(chosen) else None,
        infinite=len(values) - len(finite),
    )
