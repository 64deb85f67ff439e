"""The DSIR package: `data-selection` 1.0.3 on PyPI, by Sang Michael Xie and others, MIT licence.

The reference for the importance weights of `gotd_jax.methods.dsir`, with NLTK 3.10 or later, on all texts: an older NLTK splits
with another regular-expression engine, which differs on combining marks, superscripts and fractions. Its resampling is no
reference: its noise has no seed.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def log_weights(
    pool: Sequence[str], target: Sequence[str], *, buckets: int = 10_000, ngrams: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the package's log importance weights of the `pool` texts toward `target`, and their lengths in tokens.

    Both float64 [n]. One process, the distribution of the pool fitted on all of it.
    """
    from data_selection import HashedNgramDSIR

    with tempfile.TemporaryDirectory() as folder:
        paths = [_write(Path(folder) / "pool.jsonl", pool), _write(Path(folder) / "target.jsonl", target)]
        package = HashedNgramDSIR(
            paths[:1], paths[1:], cache_dir=f"{folder}/cache", num_proc=1, ngrams=ngrams, num_buckets=buckets
        )
        package.fit_importance_estimator(num_tokens_to_fit="all")
        package.compute_importance_weights()
        return np.load(package.log_importance_weights_dir / "0.npy"), np.load(package.perexample_metadata_dir / "0.npy")


def _write(path: Path, texts: Sequence[str]) -> str:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return str(path)
