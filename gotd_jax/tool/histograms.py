"""The distribution of the candidates' values, and the cut that the selection makes in it."""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax.tool.report_inputs import ReportInputs

BINS = 48


@dataclasses.dataclass(frozen=True)
class Histogram:
    """The values of all candidates for one target, lower is better.

    Attributes:
      target: its name.
      edges: of the bins, one more than there are bins.
      candidates: how many have a value in each bin.
      chosen: how many of them were chosen for this target.
      cut: the highest value that was chosen; None where no candidate was.
      infinite: candidates without a finite value, which are in no bin.
    """

    target: str
    edges: tuple[float, ...]
    candidates: tuple[int, ...]
    chosen: tuple[int, ...]
    cut: float | None
    infinite: int


def of_targets(inputs: ReportInputs) -> tuple[Histogram, ...]:
    """Returns the histogram of every target for which the method gave values."""
    return tuple(_of(inputs, number) for number, target in enumerate(inputs.targets) if target.values is not None)


def _of(inputs: ReportInputs, number: int) -> Histogram:
    values = np.asarray(inputs.targets[number].values, np.float64)
    chosen = values[inputs.rows[inputs.served == number]]
    finite = values[np.isfinite(values)]
    counts, edges = np.histogram(finite, BINS)
    return Histogram(
        target=inputs.targets[number].name,
        edges=tuple(edges.tolist()),
        candidates=tuple(counts.tolist()),
        chosen=tuple(np.histogram(chosen, edges)[0].tolist()),
        cut=float(chosen.max()) if len(chosen) else None,
        infinite=len(values) - len(finite),
    )
