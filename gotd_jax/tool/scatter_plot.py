"""The map: pool, target and selection in the plane of the first two principal components of a sample of them."""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax.data.sampling import spread
from gotd_jax.tool.report_inputs import ReportInputs

EMBEDDED = {"pool": 700, "target": 300, "chosen": 400}  # points of each kind
OTHERWISE = {"pool": 300, "target": 300, "chosen": 100}  # where the pool's points have to be embedded first
CHARACTERS = 90  # of a point's text


@dataclasses.dataclass(frozen=True)
class Dot:
    """A text on the map.

    Attributes:
      x: along the first principal component, in units of the embeddings.
      y: along the second.
      kind: 'pool', 'target' or 'chosen'.
      text: its beginning.
    """

    x: float
    y: float
    kind: str
    text: str


@dataclasses.dataclass(frozen=True)
class Map:
    """Texts by the first two principal components of their embeddings.

    Attributes:
      dots: those of the pool first, the chosen last.
      counts: dots of each kind.
      variance: share of the dots' variance that the plane keeps.
    """

    dots: tuple[Dot, ...]
    counts: dict[str, int]
    variance: float


def project(inputs: ReportInputs) -> Map:
    """Returns the map of evenly spaced chosen texts, and of samples of the targets and of the candidates."""
    from sklearn.decomposition import PCA

    most = EMBEDDED if inputs.embedded else OTHERWISE
    pool = inputs.sample(most["pool"])
    chosen = inputs.rows[spread(len(inputs.rows), most["chosen"])]
    embeddings, texts, kinds = [inputs.embed_rows(pool)], inputs.candidates.texts(pool), ["pool"] * len(pool)
    for target in inputs.targets:
        rows = spread(len(target.corpus), max(1, most["target"] // len(inputs.targets)))
        embeddings.append(target.embeddings[rows])
        texts += target.corpus.texts(rows)
        kinds += ["target"] * len(rows)
    embeddings.append(inputs.embed_rows(chosen))
    texts += inputs.candidates.texts(chosen)
    kinds += ["chosen"] * len(chosen)
    points = np.concatenate([np.asarray(part, np.float64) for part in embeddings])
    if len(points) < 2 or points.shape[1] < 2 or (points == points[0]).all():
        plane, variance = np.zeros((len(points), 2)), 1.0
    else:
        fitted = PCA(2, svd_solver="full").fit(points)  # scikit-learn makes the sign of each component the same every time
        plane, variance = fitted.transform(points), float(fitted.explained_variance_ratio_.sum())
    dots = (Dot(float(x), float(y), kind, beginning(text)) for (x, y), kind, text in zip(plane, kinds, texts))
    return Map(tuple(dots), {kind: kinds.count(kind) for kind in most}, variance)


def beginning(text: str) -> str:
    """Returns the first characters of a text, on one line."""
    line = " ".join(text[: 4 * CHARACTERS].split())
    return line if len(line) <= CHARACTERS else line[: CHARACTERS - 1].rstrip() + "…"
