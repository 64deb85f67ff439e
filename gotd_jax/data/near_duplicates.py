"""Which texts say nearly the same: MinHash finds candidate pairs, and each pair is compared exactly."""

from __future__ import annotations

import zlib

import numpy as np

from gotd_jax.data.corpus import ROWS_PER_BATCH, Corpus
from gotd_jax.data.text_normalisation import words
from gotd_jax.progress import progress

WORDS_PER_SHINGLE = 5  # Lee et al. 2022 (arXiv 2107.06499); FineWeb
PERMUTATIONS = 128
FOUND = 0.95  # of the pairs just as similar as asked for; of more similar ones, more
PAIRS_PER_BLOCK = 4096


def near_duplicates(corpus: Corpus, similarity: float, *, seed: int = 0) -> np.ndarray:
    """Returns for every row the first row of the texts that say nearly the same, itself where it is the first, int64 [n].

    Two texts are near duplicates if the Jaccard similarity |A & B| / |A | B| of their sets of shingles is at least
    `similarity`. A shingle is a run of 5 words in their normal form (`gotd_jax.data.text_normalisation`); a text of fewer
    words is one shingle. Texts without any word are duplicates only where they are copies, as equal texts always are.

    Pairs are found by MinHash, in bands of its 128 numbers such that 95 % of the pairs just at `similarity` share a band,
    and each pair found is compared exactly: none is a duplicate by an estimate, a few may be missed.

    The relation is closed: if a is a near duplicate of b and b of c, all three are one group, however a and c compare.

    Args:
      corpus: n texts; of pairs, the first sentences are compared.
      similarity: above 0, at most 1. At 1 only copies are duplicates, and no text is read.
      seed: of MinHash's permutations.

    Raises:
      ValueError: `similarity` is out of range.
    """
    if not 0 < similarity <= 1:
        raise ValueError(f"The similarity of near duplicates is {similarity}. Give a number above 0, at most 1.")
    _, first, places = np.unique(corpus.hashes, return_index=True, return_inverse=True)
    copies = first.astype(np.int64)[places]
    if similarity == 1 or len(first) < 2:
        return copies
    rows, signatures = _signatures(corpus, np.sort(first), seed)
    pairs = rows[_pairs(signatures, similarity)]
    alike = pairs[_jaccards(corpus, pairs) >= similarity]
    return _first_of_group(np.concatenate([np.stack([copies, np.arange(len(corpus))], axis=1), alike]), len(corpus))


def shingles(text: str) -> set[str]:
    """Returns the runs of 5 words of `text`, in normal form; all its words where they are fewer; nothing without words."""
    own = words(text)
    if not own:
        return set()
    return {" ".join(own[start : start + WORDS_PER_SHINGLE]) for start in range(max(1, len(own) - WORDS_PER_SHINGLE + 1))}


def bands(similarity: float) -> tuple[int, int]:
    """Returns (bands, numbers in each): the longest bands of which two texts of this similarity share one in 95 % of cases.

    Bands of r numbers agree with probability s^r, so that one of b does with 1 - (1 - s^r)^b (Leskovec et al., Mining of
    Massive Datasets, 3.4). Longer bands bring together fewer texts that are not alike.
    """
    for length in range(PERMUTATIONS, 0, -1):
        count = PERMUTATIONS // length
        if 1 - (1 - similarity**length) ** count >= FOUND:
            return count, length
    return PERMUTATIONS, 1


def _signatures(corpus: Corpus, rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns those of `rows` that have words, int64 [k], and their MinHash, uint32 [k, PERMUTATIONS]."""
    from datasketch import MinHash

    signatures = np.empty((len(rows), PERMUTATIONS), np.uint32)
    has_words = np.zeros(len(rows), bool)
    with progress(total=len(rows), unit="texts", step="near duplicates") as bar:
        for start in range(0, len(rows), ROWS_PER_BATCH):
            texts = corpus.texts(rows[start : start + ROWS_PER_BATCH])
            encoded = ([shingle.encode("utf-8", "surrogatepass") for shingle in shingles(text)] for text in texts)
            hashed = MinHash.generator(encoded, num_perm=PERMUTATIONS, seed=seed, hashfunc=zlib.crc32)
            for place, sketch in enumerate(hashed, start):
                signatures[place], has_words[place] = sketch.hashvalues, not sketch.is_empty()
            bar.update(len(texts))
    return rows[has_words], signatures[has_words]


def _pairs(signatures: np.ndarray, similarity: float) -> np.ndarray:
    """Returns pairs of places, of the first text with a band and of a later one with it, each pair once, int64 [p, 2]."""
    count, length = bands(similarity)
    found = [np.empty((0, 2), np.int64)]
    for band in np.split(signatures[:, : count * length], count, axis=1):
        whole = np.ascontiguousarray(band).view(f"V{band.itemsize * length}")[:, 0]
        _, first, places = np.unique(whole, return_index=True, return_inverse=True)
        pairs = np.stack([first[places], np.arange(len(signatures))], axis=1)
        found.append(pairs[pairs[:, 0] != pairs[:, 1]])
    return np.unique(np.concatenate(found), axis=0)


def _jaccards(corpus: Corpus, pairs: np.ndarray) -> np.ndarray:
    """Returns the Jaccard similarity of the shingles of each pair of rows, float64 [p]."""
    similarities = np.empty(len(pairs))
    with progress(total=len(pairs), unit="pairs", step="comparing") as bar:
        for start in range(0, len(pairs), PAIRS_PER_BLOCK):
            block = pairs[start : start + PAIRS_PER_BLOCK]
            rows, places = np.unique(block, return_inverse=True)
            sets = [shingles(text) for text in corpus.texts(rows)]
            for number, (one, other) in enumerate(places.reshape(block.shape), start):
                shared = len(sets[one] & sets[other])
                similarities[number] = shared / (len(sets[one]) + len(sets[other]) - shared)
            bar.update(len(block))
    return similarities


def _first_of_group(links: np.ndarray, rows: int) -> np.ndarray:
    """Returns the first row of each row's group, int64 [rows]: `links`, int64 [l, 2], join rows into groups."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(links), bool), (links[:, 0], links[:, 1])), shape=(rows, rows))
    _, group = connected_components(graph, directed=False)
    return np.unique(group, return_index=True)[1].astype(np.int64)[group]
