"""The inputs of a report: the candidates, the targets, and the selection."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.ot import Potentials
from gotd_jax.tool.target_health import Health

SAMPLE = 5000  # candidates that stand for the pool where a method embeds none and there are more


@dataclasses.dataclass(frozen=True, eq=False)
class TargetSelection:
    """A target, and the method's values and potentials for it.

    Attributes:
      name: as the report prints it.
      corpus: its texts, m rows.
      embeddings: float32 [m, d].
      share: of the budget; the shares of all targets need not sum to 1.
      values: of the candidates, float32 [n], lower is better; None where the method gives none.
      potentials: of the target's texts; got_d's own, for other methods those of a solve on a sample of the pool.
      given: all its texts as they were read, whose rows its health names; None where they are those of `corpus`.
    """

    name: str
    corpus: Corpus
    embeddings: np.ndarray
    share: float
    values: np.ndarray | None
    potentials: Potentials
    given: Corpus | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class ReportInputs:
    """A selection and its inputs.

    Attributes:
      pool_domains: chunks of the pool, by domain, before any was refused.
      candidates: the n chunks that could be chosen.
      embed_rows: returns the embeddings of rows of the candidates, float32 [k, d].
      embedded: whether all candidates are embedded, so that `embed_rows` costs no more than reading.
      targets: one or more.
      rows: chosen rows of the candidates, int64 [k], best first.
      served: the position in `targets` of the target that each row was chosen for, int64 [k].
      healths: one for each target.
      manifest: JSON-like: request, counts, the method's own report.
      seed: of all samples.
    """

    pool_domains: dict[str, int]
    candidates: Corpus
    embed_rows: Callable[[np.ndarray], np.ndarray]
    embedded: bool
    targets: tuple[TargetSelection, ...]
    rows: np.ndarray
    served: np.ndarray
    healths: tuple[Health, ...]
    manifest: dict
    seed: int

    def sample(self, size: int) -> np.ndarray:
        """Returns up to `size` rows of the candidates, int64, ascending; a smaller sample is part of a larger one."""
        return np.sort(np.random.default_rng((self.seed, 1)).permutation(len(self.candidates))[:size])

    def shares(self) -> np.ndarray:
        """Returns each target's share of the budget, float64 [targets], sum 1."""
        shares = np.array([target.share for target in self.targets], np.float64)
        return shares / shares.sum()
