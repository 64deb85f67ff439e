"""The candidates of a table: its pool without what is tested on, by the one rule of `gotd_jax.data.leaks`."""

from __future__ import annotations

from pathlib import Path

from gotd_jax.data.corpus import Corpus
from gotd_jax.pipeline import candidates as candidates_of


def candidates(pool: Corpus, tested: Corpus, workdir: Path) -> Corpus:
    """Returns the chunks of `pool` that hold no text of `tested`; raises ValueError where none is left."""
    return candidates_of.find(pool, tested, workdir).corpus


def counts(pool: Corpus, tested: Corpus, workdir: Path) -> dict[str, int]:
    """Returns what a row of results says of that: how many texts are tested on, and how many chunks were left out for them."""
    left_out = candidates_of.find(pool, tested, workdir).counts["leaking"]
    return {"tested_texts": len(tested), "left_out_for_tested_text": left_out}
