"""How vectors are scaled before they are compared: to length one, or by the mean and covariance of a pool."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from gotd_jax.ot.checks import check_finite
from gotd_jax.ot.pool import release_pages

# none: as the hidden states are pooled; own: of length one where the model's folder has a Normalize; unit: of length one;
# centred and whitened: see `PoolScaling`, of vectors as own has them, and of gradients of length one.
NORMALISATIONS = ("none", "own", "unit", "centred", "whitened")
RELATIVE = frozenset({"centred", "whitened"})  # to a pool
SHRINKAGE = 0.1  # ours
ROWS_AT_ONCE = 8192
LEAST_VARIANCE = 1e-6  # of the largest: less is rounding, in vectors kept as float32


def check_normalisation(name: str | None, shrinkage: float, directions: int | None) -> None:
    """Raises ValueError unless vectors can be scaled in the way called `name`, None standing for the model's default."""
    if name not in (None, *NORMALISATIONS):
        raise ValueError(f"There is no normalisation {name!r}. There are: {', '.join(NORMALISATIONS)}.")
    if not 0 <= shrinkage <= 1:
        raise ValueError(f"The shrinkage is {shrinkage}. It is a share of the covariance, from 0 to 1.")
    if directions is not None and name != "whitened":
        raise ValueError(f"Only whitened vectors are cut to their leading directions, and {directions} were asked for.")
    if directions is not None and directions < 1:
        raise ValueError(f"{directions} leading directions were asked for. Keep at least 1.")


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Returns `vectors` [rows, d] scaled to length one; those of length zero stay as they are."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)


@dataclasses.dataclass(frozen=True, eq=False)
class PoolScaling:
    """Vectors less the mean of a pool's, whitened or not, and then of length one.

    Less the mean alone, distances stay as they are: what it changes is the angles, and so the distances of vectors that are
    then scaled to length one (as Mu & Viswanath 2018, arXiv 1702.01417, compare them). Whitened, (x - mean) W has the
    identity for its covariance over the pool (Su et al. 2021, "Whitening sentence representations", arXiv 2103.15316); they
    too compare by cosine.

    Attributes:
      mean: of the pool, float64 [d].
      whitening: W, float64 [d, k]; None: vectors are centred only.
    """

    mean: np.ndarray
    whitening: np.ndarray | None

    def scale(self, vectors: np.ndarray) -> np.ndarray:
        """Returns the scaled vectors, float64 [rows, k], of float [rows, d]."""
        centred = np.asarray(vectors, np.float64) - self.mean
        return unit_length(centred if self.whitening is None else centred @ self.whitening)

    def write(self, vectors: np.ndarray, path: Path, dtype: str) -> None:
        """Writes the scaled vectors into the file `path`; of `vectors` [n, d], mapped or not, a block at a time is read."""
        width = len(self.mean) if self.whitening is None else self.whitening.shape[1]
        file = np.lib.format.open_memmap(path, "w+", dtype, (len(vectors), width))
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            file[start : start + ROWS_AT_ONCE] = self.scale(vectors[start : start + ROWS_AT_ONCE])
            release_pages(vectors)
        file.flush()

    def save(self, path: Path) -> None:
        """Writes it into the file `path`, `.npz`."""
        np.savez(path, mean=self.mean, whitening=np.zeros((0, 0)) if self.whitening is None else self.whitening)

    @classmethod
    def load(cls, path: Path) -> PoolScaling:
        """Returns what `save` wrote."""
        kept = np.load(path)
        return cls(kept["mean"], kept["whitening"] if kept["whitening"].size else None)


def centring(pool: np.ndarray) -> PoolScaling:
    """Returns the scaling that takes the mean of `pool`, float [n, d], away."""
    return PoolScaling(moments(pool)[0], None)


def whitening(pool: np.ndarray, *, shrinkage: float = SHRINKAGE, directions: int | None = None) -> PoolScaling:
    """Returns the scaling by the mean and covariance S of `pool`, float [n, d].

    S is first drawn toward a multiple of the identity, (1 - s) S + s (tr S / d) I, so that directions in which a pool hardly
    varies are not blown up (Ledoit & Wolf 2004 have such an s estimated; ours is given).

    Args:
      pool: may be memory-mapped.
      shrinkage: s.
      directions: the k directions of the largest variance are kept; None keeps all d.

    Raises:
      ValueError: the pool varies in fewer directions than are kept, or has fewer dimensions.
    """
    mean, covariance = moments(pool)
    dimensions = len(mean)
    kept = dimensions if directions is None else directions
    if not 1 <= kept <= dimensions:
        raise ValueError(f"Vectors have {dimensions} dimensions, and {kept} leading directions of them were asked for.")
    shrunk = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / dimensions * np.eye(dimensions)
    variances, axes = (part[..., ::-1][..., :kept] for part in np.linalg.eigh(shrunk))
    if not variances[-1] > LEAST_VARIANCE * variances[0]:
        held = int((variances > LEAST_VARIANCE * variances[0]).sum()) if variances[0] > 0 else 0
        raise ValueError(
            f"The pool's {len(pool):,} vectors vary in {held} directions, and {kept} are to be whitened. Keep fewer directions "
            "(directions), or set shrinkage above 0."
        )
    return PoolScaling(mean, axes / np.sqrt(variances))


def moments(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean, float64 [d], and the covariance, float64 [d, d], of vectors [n, d] that are read block by block.

    Raises:
      ValueError: there are none, or one of them is not finite.
    """
    if len(vectors) == 0:
        raise ValueError("There are no vectors to take a mean of. Name a pool with text in it.")
    check_finite(vectors, "pool")
    shift = np.asarray(vectors[:ROWS_AT_ONCE], np.float64).mean(axis=0)  # near the mean, so that squares do not cancel
    total, squares = np.zeros_like(shift), np.zeros((len(shift), len(shift)))
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        block = np.asarray(vectors[start : start + ROWS_AT_ONCE], np.float64) - shift
        total += block.sum(axis=0)
        squares += block.T @ block
        release_pages(vectors)
    offset = total / len(vectors)
    return shift + offset, squares / len(vectors) - np.outer(offset, offset)
