"""A debiased value in its two parts: toward the target, and the pool's own, which is subtracted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from gotd_jax.tool.report_inputs import ReportInputs, TargetSelection

AGREED = 0.6  # of two halves, by rank: at an epsilon of 5 % it was 0.7, at 1 % 0.4 (experiments/results/ot-debiasing.md)


@dataclasses.dataclass(frozen=True)
class Debiased:
    """How well a sample stood for the pool whose own potential was subtracted.

    Attributes:
      target: its name.
      sample: candidates in it.
      rank_agreement: of the pool's own potential as its two halves have it; None where they could not be compared.
      sentence: the meaning of the agreement.
      warnings: the sentence, where the agreement is low.
    """

    target: str
    sample: int
    rank_agreement: float | None
    sentence: str
    warnings: tuple[str, ...]


def of_targets(inputs: ReportInputs) -> tuple[Debiased, ...]:
    """Returns what is known of the sample for each target for which got_d was debiased; none otherwise."""
    summaries = [(target.name, summary(inputs.manifest, number)) for number, target in enumerate(inputs.targets)]
    return tuple(describe(name, found) for name, found in summaries if found)


def summary(manifest: Mapping, number: int) -> Mapping | None:
    """Returns the summary of `gotd_jax.ot.OwnPotential` that was subtracted for a target; None where none was."""
    targets = manifest.get("targets", ())
    return targets[number]["method"].get("debiased") if number < len(targets) else None


def parts_of(target: TargetSelection, number: int, row: int, manifest: Mapping) -> tuple[float, float] | None:
    """Returns the parts of a candidate's value, their difference, in units of the cost: toward the target, and the pool's own.

    Both are less their means over all candidates: below 0 is nearer than most. None where the method did not debias.
    """
    if target.values is None or not summary(manifest, number):
        return None
    return parts(target.potentials.gradient()[row], target.values[row])


def parts(toward: float, value: float) -> tuple[float, float]:
    """Returns the gradient toward the target and the pool's own, of a value that is the first less the second."""
    return float(toward), float(toward) - float(value)


def describe(name: str, found: Mapping) -> Debiased:
    """Returns how well a sample stood for the pool, from the `summary` of the potential that was subtracted."""
    agreement, sample = found["rank_agreement"], found["sample"]
    if agreement is None:
        said = f"For {name} the pool's own potential was subtracted, from all of its {sample:,} candidates."
        return Debiased(name, sample, None, said, ())
    told = (
        f"For {name} the pool's own potential was subtracted, from a sample of {sample:,} candidates; its two halves rank by "
        f"it with an agreement of {agreement:.2f}"
    )
    if agreement >= AGREED:
        return Debiased(name, sample, agreement, f"{told}: the sample stands for the pool.", ())
    low = f"{told}, which is little: another sample would subtract something else. Raise epsilon to 0.05, or the sample."
    return Debiased(name, sample, agreement, low, (low,))
