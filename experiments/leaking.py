"""The candidates of a table: its pool without what is tested on, by the one rule of `gotd_jax.data.leaks`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.leaks import RULE, leaks
from gotd_jax.files import read_json, write_json

COUNTS = "counts.json"


def candidates(pool: Corpus, tested: Corpus, workdir: Path) -> Corpus:
    """Returns the chunks of `pool` that hold no text of `tested`, told apart once and kept in the workdir.

    Raises:
      ValueError: none is left.
    """
    folder = _parted(pool, tested, workdir)
    kept = folder / "pool.arrow"
    return Corpus.open(kept) if kept.exists() else pool  # nothing was left out


def counts(pool: Corpus, tested: Corpus, workdir: Path) -> dict[str, int]:
    """Returns what a row of results says of that: how many texts are tested on, and how many chunks were left out for them."""
    return read_json(_parted(pool, tested, workdir) / COUNTS)


def _parted(pool: Corpus, tested: Corpus, workdir: Path) -> Path:
    settings = {"pool": pool.fingerprint_with_domains, "tested": tested.fingerprint, "rule": RULE}

    def make(folder: Path) -> None:
        leaking = leaks(pool, tested)
        if leaking.all():
            raise ValueError(
                f"All {len(pool):,} chunks of the pool hold text of the {len(tested):,} that are tested on: no candidate is "
                "left. Name another pool."
            )
        if leaking.any():
            pool.keep(~leaking, folder / "pool.arrow")
        write_json(folder / COUNTS, {"tested_texts": len(tested), "left_out_for_tested_text": int(np.sum(leaking))})

    return stage(workdir / f"candidates-{fingerprint(settings)}", settings, make, kind="candidates")
