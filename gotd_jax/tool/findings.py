"""What a report says of a selection: plain numbers and sentences, found from the selection and what it was made from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from gotd_jax.tool import agreement, curve, examples, histograms, mapping
from gotd_jax.tool.health import Health
from gotd_jax.tool.material import Material, TargetSide

DIGITS = 6  # significant, of every number kept
QUOTED = 5  # texts of a target that are like no others, or that the pool has little for


@dataclasses.dataclass(frozen=True)
class Domain:
    """A domain of the pool.

    Attributes:
      name: of the domain.
      pool: its chunks.
      chosen: how many of them were chosen.
      pool_share: of the pool's chunks that are from it.
      chosen_share: of the chosen ones.
    """

    name: str
    pool: int
    chosen: int
    pool_share: float
    chosen_share: float


@dataclasses.dataclass(frozen=True)
class Side:
    """A target in short.

    Attributes:
      name: of the target.
      texts: it has.
      share: of the budget.
      chosen: chunks for it.
    """

    name: str
    texts: int
    share: float
    chosen: int


@dataclasses.dataclass(frozen=True)
class Findings:
    """All that the report shows.

    Attributes:
      manifest: as it came.
      pool: chunks.
      candidates: of them that could be chosen.
      chosen: chunks.
      targets: one or more.
      domains: those with the most chosen chunks first.
      map: pool, targets and selection in the plane.
      histograms: of the values, one a target that has them.
      curve: cost by budget; None where all texts are one point.
      examples: chosen texts with what they serve.
      likeness: near duplicates among the chosen.
      agreements: with other methods.
      healths: of the targets, JSON-like; `texts_of` quotes some of the texts that they name by their rows.
    """

    manifest: dict
    pool: int
    candidates: int
    chosen: int
    targets: tuple[Side, ...]
    domains: tuple[Domain, ...]
    map: mapping.Map
    histograms: tuple[histograms.Histogram, ...]
    curve: curve.Curve | None
    examples: tuple[examples.Example, ...]
    likeness: examples.Likeness
    agreements: tuple[agreement.Agreement, ...]
    healths: tuple[dict, ...]

    def to_dict(self) -> dict:
        """Returns the findings JSON-like, floats to six significant digits."""
        return plain(dataclasses.asdict(self))


def find(material: Material) -> Findings:
    """Returns what there is to say of a selection.

    Raises:
      RuntimeError: a solve of the curve did not converge.
    """
    if not material.embedded:
        material = dataclasses.replace(material, embed_rows=_once(material.embed_rows))
    return Findings(
        manifest=material.manifest,
        pool=sum(material.pool_domains.values()),
        candidates=len(material.candidates),
        chosen=len(material.rows),
        targets=_sides(material),
        domains=_domains(material),
        map=mapping.draw(material),
        histograms=histograms.of_targets(material),
        curve=curve.draw(material),
        examples=examples.spread_over_ranks(material),
        likeness=examples.near_duplicates_among(material),
        agreements=agreement.with_other_methods(material),
        healths=tuple(map(_health, material.healths, material.targets)),
    )


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
    """Returns `embed_rows` that embeds no row twice."""
    known: dict[int, np.ndarray] = {}

    def of(rows: np.ndarray) -> np.ndarray:
        new = np.array([row for row in np.unique(rows).tolist() if row not in known], np.int64)
        if len(new):
            known.update(zip(new.tolist(), embed_rows(new)))
        return np.stack([known[row] for row in rows.tolist()])

    return of


def _health(health: Health, target: TargetSide) -> dict:
    given = target.corpus if target.given is None else target.given
    named = {kind: given.take(getattr(health, kind)[:QUOTED]) for kind in ("outliers", "unserved")}
    quoted = {
        kind: [{"id": record["id"], "text": record["text"][: examples.CHARACTERS]} for record in corpus]
        for kind, corpus in named.items()
    }
    return dataclasses.asdict(health) | {"texts_of": quoted}


def _sides(material: Material) -> tuple[Side, ...]:
    counts = np.bincount(material.served, minlength=len(material.targets))
    sides = zip(material.targets, material.shares(), counts)
    return tuple(Side(target.name, len(target.corpus), float(share), int(count)) for target, share, count in sides)


def _domains(material: Material) -> tuple[Domain, ...]:
    pool, chosen = material.pool_domains, material.candidates.take(material.rows).count_domains()
    total = sum(pool.values())
    domains = [
        Domain(name, count, chosen.get(name, 0), count / total, chosen.get(name, 0) / len(material.rows))
        for name, count in pool.items()
    ]
    return tuple(sorted(domains, key=lambda domain: (-domain.chosen, -domain.pool, domain.name)))
