"""The target texts that a chosen text serves, with their shares: its row of the transport plan."""

from __future__ import annotations

import dataclasses

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.ot import Potentials


@dataclasses.dataclass(frozen=True)
class Served:
    """A text of a target that a chosen text serves.

    Attributes:
      share: of the chosen text's mass that the plan moves to it, copies included, from 0 to 1.
      id: of the first target text with these words.
      text: of the target.
    """

    share: float
    id: str
    text: str


def most_served(potentials: Potentials, embedding: np.ndarray, target: Corpus, most: int) -> tuple[Served, ...]:
    """Returns at most `most` different texts of a target, those that a chosen text serves most.

    Args:
      potentials: of the m texts of the target.
      embedding: of the chosen text, float [d].
      target: m texts.
      most: how many.
    """
    _, first, places = np.unique(target.hashes, return_index=True, return_inverse=True)
    shares = np.bincount(places, potentials.explain(np.asarray(embedding, np.float32)))
    best = np.argsort(-shares, kind="stable")[:most]
    return tuple(Served(float(share), text["id"], text["text"]) for share, text in zip(shares[best], target.take(first[best])))
