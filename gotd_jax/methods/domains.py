"""The rows of each domain in a pool."""

from __future__ import annotations

import numpy as np

from gotd_jax.data.corpus import Corpus


def rows_by_domain(pool: Corpus) -> dict[str, np.ndarray]:
    """Returns the rows of each domain, int64, in pool order; the domains in order of first appearance."""
    domains = pool.column("domain").combine_chunks().dictionary_encode()
    codes = np.asarray(domains.indices)
    rows = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[rows], np.arange(1, len(domains.dictionary)))
    return dict(zip(domains.dictionary.to_pylist(), np.split(rows, starts)))
