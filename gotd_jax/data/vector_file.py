"""A file of vectors, one for each text of a corpus, written once: each distinct text's to all its rows, block by block."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.coverage import Coverage
from gotd_jax.files import read_json, write_json

VECTORS, COVERAGE, DONE = "embeddings.npy", "coverage.npy", "done.json"
DTYPES = ("float32", "float16")


class VectorFile:
    """The vectors of a corpus as they are written, and how many tokens of each text were read.

    Args:
      folder: where they lie, as an earlier attempt left it.
      corpus: n texts.
      dimensions: of a vector.
      dtype: of the file, one of `DTYPES`.

    Attributes:
      texts: the distinct texts, in the order in which they are first met.
      done: how many of them have been written.
    """

    def __init__(self, folder: Path, corpus: Corpus, dimensions: int, dtype: str):
        self.texts, places = _distinct(corpus)
        self._rows = np.argsort(places, kind="stable")  # of the first text, of the second, and so on
        self._places = places[self._rows]
        self._note = folder / DONE
        self.done = read_json(self._note)["texts"] if self._note.exists() else 0
        mode, rows = ("r+" if self.done else "w+"), len(places)
        self._vectors = np.lib.format.open_memmap(folder / VECTORS, mode, dtype, (rows, dimensions))
        self._counts = np.lib.format.open_memmap(folder / COVERAGE, mode, np.int32, (rows, 3))

    def write(self, vectors: np.ndarray, read: Coverage) -> None:
        """Writes the vectors of the next distinct texts, float32 [k, d], and their coverage.

        Raises:
          RuntimeError: a number is too large for the file's dtype.
        """
        kept = _narrowed(vectors, self._vectors.dtype)
        span = slice(*np.searchsorted(self._places, [self.done, self.done + len(vectors)]))
        rows, places = self._rows[span], self._places[span] - self.done
        self._vectors[rows] = kept[places]
        self._counts[rows] = _columns(read)[places]
        self._vectors.flush()
        self._counts.flush()
        self.done += len(vectors)
        write_json(self._note, {"texts": self.done})

    def finish(self) -> None:
        """Removes the note of how many texts have been written."""
        self._note.unlink(missing_ok=True)


def keep_coverage(folder: Path, read: Coverage) -> None:
    """Writes the coverage of texts into `folder`, beside their vectors."""
    np.save(folder / COVERAGE, _columns(read))


def kept_coverage(folder: Path) -> Coverage:
    """Returns the coverage of the texts whose vectors lie in `folder`."""
    return Coverage(*np.load(folder / COVERAGE).astype(np.int64).T)


def _columns(read: Coverage) -> np.ndarray:
    return np.stack([read.tokens, read.read, read.unknown], axis=1).astype(np.int32)


def _narrowed(vectors: np.ndarray, dtype: np.dtype) -> np.ndarray:
    largest = np.abs(vectors).max(initial=0.0)
    if largest > np.finfo(dtype).max:
        raise RuntimeError(
            f"Embeddings reach {largest:.3g}, and {dtype} holds numbers up to {np.finfo(dtype).max:.3g}. Keep them as float32, "
            "or normalise them."
        )
    return vectors.astype(dtype)


def _distinct(corpus: Corpus) -> tuple[Corpus, np.ndarray]:
    """Returns the corpus of distinct texts and, for every row, its place there, int [n]."""
    _, first, inverse = np.unique(corpus.hashes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return corpus.take(first[order]), place[inverse]
