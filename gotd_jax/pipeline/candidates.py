"""The chunks of a pool that may be chosen: none that holds tested text, and of near duplicates one, or a few."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.leaks import RULE, leaks, search
from gotd_jax.data.near_duplicates import near_duplicates
from gotd_jax.files import read_json, write_json


@dataclasses.dataclass(frozen=True, eq=False)
class Candidates:
    """The part of a pool of n chunks that can be chosen.

    Attributes:
      corpus: c chunks.
      rows: their rows in the pool, int64 [c], ascending.
      first: for every chunk of the pool the first of its near duplicates, which may be itself, int64 [n].
      leaking: which chunks are refused since they, or a near duplicate of theirs, hold tested text, bool [n].
      unreadable: which other chunks are refused since they, or the first of their near duplicates, cannot be read, bool [n].
    """

    corpus: Corpus
    rows: np.ndarray
    first: np.ndarray
    leaking: np.ndarray
    unreadable: np.ndarray

    @property
    def counts(self) -> dict[str, int]:
        """How many chunks of the pool are candidates, and how many are not, by reason."""
        refused = {"leaking": int(self.leaking.sum()), "unreadable": int(self.unreadable.sum())}
        near = len(self.first) - sum(refused.values()) - len(self.rows)
        return {"pool": len(self.first), "candidates": len(self.rows), **refused, "near_duplicates": near}

    def status(self) -> np.ndarray:
        """Returns for every chunk of the pool 'candidate', 'near_duplicate', 'leaking' or 'unreadable', str [n]."""
        status = np.full(len(self.first), "near_duplicate", dtype=object)
        status[self.rows] = "candidate"
        status[self.leaking] = "leaking"
        status[self.unreadable] = "unreadable"
        return status

    def over_pool(self, values: np.ndarray) -> np.ndarray:
        """Returns `values` of the candidates, float32 [c], as those of the whole pool, [n].

        A near duplicate that is no candidate has the value of the first; a refused chunk has NaN.
        """
        whole = np.full(len(self.first), np.nan, np.float32)
        whole[self.rows] = values
        return np.where(np.isnan(whole), whole[self.first], whole)


def find(
    pool: Corpus,
    tested: Corpus | None,
    work: Path,
    *,
    similarity: float | None = None,
    most_alike: int = 1,
    seed: int = 0,
    unreadable: np.ndarray | None = None,
) -> Candidates:
    """Returns the candidates of `pool`, found once and kept in `work`.

    Args:
      pool: n chunks.
      tested: texts that must not be chosen (`gotd_jax.data.leaks`); None: there are none.
      work: where the rows of the candidates are kept.
      similarity: the least of near duplicates (`gotd_jax.data.near_duplicates`); None: even copies are none.
      most_alike: of each group of near duplicates, as many are candidates, the first of the pool: so no method chooses more.
      seed: of the search for near duplicates.
      unreadable: the chunks that an encoder cannot tell apart, bool [n]; None: there are none.

    Raises:
      ValueError: no candidate is left, or `most_alike` is below 1.
    """
    if most_alike < 1:
        raise ValueError(f"most_alike is {most_alike}. Of each group of near duplicates 1 or more can be candidates.")
    unreadable = np.zeros(len(pool), bool) if unreadable is None else unreadable
    settings = {
        "pool": pool.fingerprint_with_domains,
        "tested": tested.fingerprint if tested is not None else None,
        "similarity": similarity,
        "most_alike": most_alike,
        "seed": seed,
        "rule": RULE,
        "unreadable": hashlib.sha256(np.packbits(unreadable)).hexdigest() if unreadable.any() else None,
    }

    def make(folder: Path) -> None:
        first = np.arange(len(pool)) if similarity is None else near_duplicates(pool, similarity, seed=seed)
        leaking = np.zeros(len(pool), bool)
        if tested is not None:
            leaking = np.isin(first, np.unique(first[leaks(pool, tested)]))
        kept = (_places(first) < most_alike) & ~leaking & ~unreadable
        if not kept.any():
            raise ValueError(
                f"None of the {len(kept):,} chunks of the pool can be chosen: {leaking.sum():,} hold text that is tested on, "
                f"and the tokeniser of the encoder knows next to no token of {unreadable.sum():,}. Name another pool, other "
                "tested texts or another encoder."
            )
        np.save(folder / "first.npy", first)
        np.save(folder / "leaking.npy", leaking)

    folder = stage(work / f"candidates-{fingerprint(settings)}", settings, make, kind="candidates")
    first, leaking = np.load(folder / "first.npy"), np.load(folder / "leaking.npy")
    unreadable = unreadable[first] & ~leaking
    rows = np.flatnonzero((_places(first) < most_alike) & ~leaking & ~unreadable)
    return Candidates(pool if len(rows) == len(pool) else pool.take(rows), rows, first, leaking, unreadable)


def _places(first: np.ndarray) -> np.ndarray:
    """Returns the place of every chunk among its near duplicates, in the pool's order, from 0, int64 [n].

    Args:
      first: the first of the near duplicates of each chunk, int64 [n].
    """
    order = np.argsort(first, kind="stable")
    starts = np.searchsorted(first[order], first[order])
    places = np.empty(len(first), np.int64)
    places[order] = np.arange(len(first)) - starts
    return places


def count_target_texts(candidates: Corpus, target: Corpus, work: Path) -> int:
    """Returns how many texts of a target lie among the candidates, counted once and kept in `work`.

    A text counts if half of its runs of 13 words lie there, by the rule of `gotd_jax.data.leaks`; a shorter one as a whole.
    """
    settings = {"candidates": candidates.fingerprint, "target": target.fingerprint, "rule": RULE}

    def make(folder: Path) -> None:
        write_json(folder / "held.json", search(candidates, target).held)

    return read_json(stage(work / f"held-{fingerprint(settings)}", settings, make, kind="candidates") / "held.json")
