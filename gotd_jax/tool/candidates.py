"""What of a pool may be chosen: no text of an evaluation split, and one of those that say nearly the same."""

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
from gotd_jax.tool.request import Request
from gotd_jax.tool.sources import Texts


@dataclasses.dataclass(frozen=True, eq=False)
class Candidates:
    """The part of a pool of n chunks that can be chosen.

    Attributes:
      corpus: c chunks, mapped.
      rows: theirs in the pool, int64 [c], ascending.
      first: for every chunk of the pool the first of those that it says nearly the same as, int64 [n].
      leaking: which chunks are refused since they, or a near duplicate of theirs, hold a text to be tested on, bool [n].
      unreadable: which others are refused since the model cannot read them, or what they are near duplicates of, bool [n].
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

        A near duplicate has the value of the one that stands for it; what is refused has NaN.
        """
        whole = np.full(len(self.first), np.nan, np.float32)
        whole[self.rows] = values
        return whole[self.first]


def candidates(texts: Texts, request: Request, work: Path, unreadable: np.ndarray) -> Candidates:
    """Returns the candidates of the pool in `texts`, parted once and kept in `work`.

    Args:
      texts: of the request.
      request: what makes texts near duplicates.
      work: where candidates are kept.
      unreadable: the chunks of the pool that cannot be chosen since nothing tells them apart, bool [n].

    Raises:
      ValueError: none is left.
    """
    settings = {
        "pool": texts.pool.fingerprint_with_domains,
        "tested": texts.tested.fingerprint if texts.tested is not None else None,
        "similarity": request.near_duplicates,
        "seed": request.seed,
        "rule": RULE,
        "unreadable": hashlib.sha256(np.packbits(unreadable)).hexdigest() if unreadable.any() else None,
    }

    def make(folder: Path) -> None:
        first = near_duplicates(texts.pool, request.near_duplicates, seed=request.seed)
        leaking = np.zeros(len(texts.pool), bool)
        if texts.tested is not None:
            leaking = np.isin(first, np.unique(first[leaks(texts.pool, texts.tested)]))
        kept = (first == np.arange(len(first))) & ~leaking & ~unreadable
        if not kept.any():
            raise ValueError(
                f"None of the {len(kept):,} chunks of the pool can be chosen: {leaking.sum():,} hold text that is to be tested "
                f"on, and of {unreadable.sum():,} the tokeniser of {request.model} knows next to no token. "
                "Name another pool, leak check or model."
            )
        np.save(folder / "first.npy", first)
        np.save(folder / "leaking.npy", leaking)
        texts.pool.keep(kept, folder / "candidates.arrow")

    folder = stage(work / f"candidates-{fingerprint(settings)}", settings, make, kind="tool_candidates")
    first, leaking = np.load(folder / "first.npy"), np.load(folder / "leaking.npy")
    unreadable = unreadable[first] & ~leaking
    rows = np.flatnonzero((first == np.arange(len(first))) & ~leaking & ~unreadable)
    return Candidates(Corpus.open(folder / "candidates.arrow"), rows, first, leaking, unreadable)


def held(candidates: Candidates, target: Corpus, work: Path) -> int:
    """Returns how many texts of a target lie among the candidates, counted once and kept in `work`.

    A text does if half of its runs of 13 words do, by the rule of `gotd_jax.data.leaks`; a shorter one as a whole.
    """
    settings = {"candidates": candidates.corpus.fingerprint, "target": target.fingerprint, "rule": RULE}

    def make(folder: Path) -> None:
        write_json(folder / "held.json", search(candidates.corpus, target).held)

    return read_json(stage(work / f"held-{fingerprint(settings)}", settings, make, kind="tool_candidates") / "held.json")
