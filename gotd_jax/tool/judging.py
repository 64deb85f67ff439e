"""The selection as it stands by judges that no method follows, for each target."""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax.data.sampling import drawn, spread
from gotd_jax.evaluation.selection_judges import Judged, judge
from gotd_jax.tool.curve import EMBEDDED, OTHERWISE
from gotd_jax.tool.report_inputs import ReportInputs

MOST_TARGETS = 500


@dataclasses.dataclass(frozen=True)
class JudgedTarget:
    """A target's part of the selection.

    Attributes:
      target: its name.
      judged: by the texts that it was chosen by, so that it looks a little better than on new texts of the task.
      chosen: texts that were judged, evenly spaced in rank.
      home: the pool's domains with text of the target's kind: `--home`, or that of the target's own name; empty if not known.
      purity: the share of the selection that is from them; None if they are not known.
      purity_of_pool: the share of all candidates that is from them.
    """

    target: str
    judged: Judged
    chosen: int
    home: tuple[str, ...]
    purity: float | None
    purity_of_pool: float | None


def of_targets(inputs: ReportInputs) -> tuple[JudgedTarget, ...]:
    """Returns the judgement for every target that texts were chosen for; none where pool and targets are one point.

    Raises:
      RuntimeError: a solve did not converge.
    """
    size, most = EMBEDDED if inputs.embedded else OTHERWISE
    rows = inputs.sample(size)
    pool = np.asarray(inputs.embed_rows(rows), np.float32)
    found = []
    for number, target in enumerate(inputs.targets):
        own = inputs.rows[inputs.served == number]
        texts = target.embeddings[drawn(len(target.embeddings), MOST_TARGETS, inputs.seed)]
        if len(own) == 0 or ((pool == pool[0]).all() and (texts == pool[0]).all()):
            continue
        chosen = own[spread(len(own), min(most, len(pool)))]
        judged = judge(pool, rows, np.asarray(inputs.embed_rows(chosen), np.float32), chosen, texts, seed=inputs.seed)
        home = _home(inputs, target.name)
        purity = _purity(inputs.candidates.domains[own], home)
        found.append(JudgedTarget(target.name, judged, len(chosen), home, purity, _purity(inputs.candidates.domains, home)))
    return tuple(found)


def _home(inputs: ReportInputs, name: str) -> tuple[str, ...]:
    named = inputs.manifest.get("request", {}).get("home") or (name,)
    return tuple(domain for domain in named if domain in inputs.pool_domains)


def _purity(domains: np.ndarray, home: tuple[str, ...]) -> float | None:
    return float(np.isin(domains, home).mean()) if home else None
