"""The findings of a report: plain numbers and sentences about a selection and its inputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from gotd_jax.tool import advisor, agreement, crowding, curve, debiased, examples, histograms, judging, scatter_plot
from gotd_jax.tool.report_inputs import ReportInputs, TargetSelection
from gotd_jax.tool.target_health import Health

DIGITS = 6  # significant, of every number kept
QUOTED = 5  # outliers of a target, and texts that the pool has little for


@dataclasses.dataclass(frozen=True)
class Domain:
    """A domain of the pool.

    Attributes:
      name: of the domain.
      pool: its chunks.
      chosen: how many of them were chosen.
      pool_share: of the pool's chunks that are from it.
      chosen_share: of the chosen chunks that are from it.
    """

    name: str
    pool: int
    chosen: int
    pool_share: float
    chosen_share: float


@dataclasses.dataclass(frozen=True)
class TargetSummary:
    """A target in short.

    Attributes:
      name: of the target.
      texts: how many it has.
      share: of the budget.
      chosen: chunks that were chosen for it.
    """

    name: str
    texts: int
    share: float
    chosen: int


@dataclasses.dataclass(frozen=True)
class Findings:
    """The content of the report.

    Attributes:
      manifest: of the selection, with the findings on crowding, judges and advice.
      pool: chunks.
      candidates: chunks that could be chosen.
      chosen: chunks.
      targets: one or more.
      domains: those with the most chosen chunks first.
      map: pool, targets and selection in the plane.
      histograms: of the values, one a target that has them.
      curve: cost by budget; None where all texts are one point.
      examples: chosen texts with the target texts that they serve.
      likeness: near duplicates among the chosen.
      agreements: with other methods.
      judged: the selection by judges that no method follows, for each target.
      crowdings: lengths of vectors and texts of chosen, target and pool, for each target.
      debiased: the pool's own potential where got_d subtracted it, for each target.
      advice: which options of got_d matter here.
      healths: of the targets, JSON-like; `texts_of` quotes some of the texts that they name by their rows.
    """

    manifest: dict
    pool: int
    candidates: int
    chosen: int
    targets: tuple[TargetSummary, ...]
    domains: tuple[Domain, ...]
    map: scatter_plot.Map
    histograms: tuple[histograms.Histogram, ...]
    curve: curve.Curve | None
    examples: tuple[examples.Example, ...]
    likeness: examples.Likeness
    agreements: tuple[agreement.Agreement, ...]
    judged: tuple[judging.JudgedTarget, ...]
    crowdings: tuple[crowding.Crowding, ...]
    debiased: tuple[debiased.Debiased, ...]
    advice: tuple[advisor.Advice, ...]
    healths: tuple[dict, ...]

    def to_dict(self) -> dict:
        """Returns the findings JSON-like, floats to six significant digits."""
        return plain(dataclasses.asdict(self))


def find(inputs: ReportInputs) -> Findings:
    """Returns the findings about a selection.

    Raises:
      RuntimeError: a solve of the curve, the judges or the advisor did not converge.
    """
    if not inputs.embedded:
        inputs = dataclasses.replace(inputs, embed_rows=_once(inputs.embed_rows))
    found = curve.divergence_curve(inputs)
    judged, crowdings, advice = judging.of_targets(inputs), crowding.of_targets(inputs), advisor.of_targets(inputs, found)
    own = debiased.of_targets(inputs)
    return Findings(
        manifest=_completed(inputs.manifest, judged, crowdings, own, advice),
        pool=sum(inputs.pool_domains.values()),
        candidates=len(inputs.candidates),
        chosen=len(inputs.rows),
        targets=_target_summaries(inputs),
        domains=_domains(inputs),
        map=scatter_plot.project(inputs),
        histograms=histograms.of_targets(inputs),
        curve=found,
        examples=examples.spread_over_ranks(inputs),
        likeness=examples.near_duplicates_among(inputs),
        agreements=agreement.with_other_methods(inputs),
        judged=judged,
        crowdings=crowdings,
        debiased=own,
        advice=advice,
        healths=tuple(map(_health, inputs.healths, inputs.targets)),
    )


def _completed(manifest: dict, judged: tuple, crowdings: tuple, own: tuple, advice: tuple) -> dict:
    """Returns the manifest with findings that a person should see without the report, and their warnings."""
    warnings = [warning for each in (*crowdings, *own) for warning in each.warnings]
    added = {"judged": judged, "lengths": crowdings, "advice": advice}
    told = {name: plain([dataclasses.asdict(each) for each in found]) for name, found in added.items()}
    return {**manifest, **told, "warnings": [*manifest.get("warnings", ()), *warnings]}


def plain(value: Any) -> Any:
    """Returns `value` of JSON's types alone, its floats to six significant digits; those that are not finite are None."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(each) for each in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _once(embed_rows: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Returns an `embed_rows` that embeds no row twice."""
    known: dict[int, np.ndarray] = {}

    def of(rows: np.ndarray) -> np.ndarray:
        new = np.array([row for row in np.unique(rows).tolist() if row not in known], np.int64)
        if len(new):
            known.update(zip(new.tolist(), embed_rows(new)))
        return np.stack([known[row] for row in rows.tolist()])

    return of


def _health(health: Health, target: TargetSelection) -> dict:
    given = target.corpus if target.given is None else target.given
    named = {kind: given.take(getattr(health, kind)[:QUOTED]) for kind in ("outliers", "unserved")}
    quoted = {
        kind: [{"id": record["id"], "text": record["text"][: examples.CHARACTERS]} for record in corpus]
        for kind, corpus in named.items()
    }
    return dataclasses.asdict(health) | {"texts_of": quoted}


def _target_summaries(inputs: ReportInputs) -> tuple[TargetSummary, ...]:
    counts = np.bincount(inputs.served, minlength=len(inputs.targets))
    summaries = zip(inputs.targets, inputs.shares(), counts)
    return tuple(TargetSummary(target.name, len(target.corpus), float(share), int(count)) for target, share, count in summaries)


def _domains(inputs: ReportInputs) -> tuple[Domain, ...]:
    pool, chosen = inputs.pool_domains, inputs.candidates.take(inputs.rows).count_domains()
    total = sum(pool.values())
    domains = [
        Domain(name, count, chosen.get(name, 0), count / total, chosen.get(name, 0) / len(inputs.rows))
        for name, count in pool.items()
    ]
    return tuple(sorted(domains, key=lambda domain: (-domain.chosen, -domain.pool, domain.name)))
