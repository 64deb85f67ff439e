"""DSIR (Xie et al. 2023): importance resampling of the pool toward the target, over hashed n-grams."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from collections.abc import Iterator

import numpy as np
import regex

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods.dsir_quality import is_prose
from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection, drawn
from gotd_jax.progress import progress

# NLTK's WordPunctTokenizer, as the package gets it since NLTK 3.10: in the engine of the package `regex`, where a combining
# mark belongs to its word and a superscript or a fraction does not. Python's own `re`, NLTK's engine before, has both the
# other way, so that the weights of the paper's time are another text's wherever there are such characters.
TOKEN = regex.compile(r"\w+|[^\w\s]+")
SMOOTHING = 1e-8  # the package's, added to every bucket's share
TEXTS_PER_BLOCK = 4096
CACHED_NGRAMS = 5_000_000  # some 600 MB of strings; the cache starts anew when it has as many


def select(
    problem: Problem,
    budget: int,
    *,
    seed: int,
    buckets: int = 10_000,
    ngrams: int = 2,
    min_tokens: int = 0,
    quality: bool = False,
) -> Selection:
    """Returns `budget` candidates sampled without replacement in proportion to their importance weights.

    A text is the counts c of its n-grams over hash buckets. With p and q the shares of the buckets in target and pool,
    log w = sum_b c_b (log(p_b + 1e-8) - log(q_b + 1e-8)) (Xie et al. 2023, Section 4), and the selection is the top of
    log w plus Gumbel(0, 1) noise; with noise=0, an option of all rankings, of log w alone (the package's `top_k`). It is a
    sum and not a mean, so it ranks texts of unequal lengths by length as well. The value of a candidate is -log w. Where
    the package counts q on the first 100,000 n-grams a bucket, here the whole pool is counted.

    Args:
      problem: pool and target; only their texts are read.
      budget: how many chunks to select.
      seed: draws the noise.
      buckets: how many hash buckets there are, at least 1; with 1 all weights are alike.
      ngrams: the longest n-gram counted, at least 1: 2 means single tokens and adjacent pairs.
      min_tokens: candidates of fewer tokens are left out; their value is infinite. The package leaves out those of
        fewer than 100. Here it is 0 and leaves none out, since chunks are of one length already.
      quality: True leaves out candidates that are no English prose by `gotd_jax.methods.dsir_quality`, as the authors do;
        their n-grams count for q all the same.

    Raises:
      ValueError: `buckets` or `ngrams` is below 1, target or pool has no token, or fewer than `budget` candidates have
        `min_tokens` tokens and, where that is asked for, the quality.
    """
    if buckets < 1 or ngrams < 1:
        raise ValueError(f"DSIR counts n-grams of 1 and more tokens in 1 bucket and more, not {ngrams} in {buckets}.")
    bucket_of = _BucketOf(buckets)
    with tempfile.TemporaryFile() as pool_file, tempfile.TemporaryFile() as target_file:
        target = _featurise(problem.target, "target", bucket_of, ngrams, target_file)
        pool = _featurise(problem.pool, "pool", bucket_of, ngrams, pool_file, judged=quality)
        log_ratio = np.log(_shares(target, buckets) + SMOOTHING) - np.log(_shares(pool, buckets) + SMOOTHING)
        values = -_sums(pool, log_ratio).astype(np.float32)
    long_enough = pool.tokens >= min_tokens
    eligible = long_enough & pool.prose if quality else long_enough
    if eligible.sum() < budget:
        prose = f", and {pool.prose.sum():,} pass the filter by quality" if quality else ""
        remedy = ", or set quality=False" if quality else ""
        raise ValueError(
            f"The budget is {budget:,} chunks, and {long_enough.sum():,} of {len(values):,} candidates have at least "
            f"min_tokens={min_tokens} tokens{prose}. Lower the budget or min_tokens{remedy}."
        )
    values = np.where(eligible, values, np.float32(np.inf))
    info = {"candidates_long_enough": int(long_enough.sum()), "tokens_per_candidate": float(pool.tokens.mean())}
    info |= {"candidates_of_quality": int(eligible.sum())} if quality else {}
    return Selection(drawn(values, budget, seed=seed), values, info)


METHOD = Method(select, reads={"target"})


@dataclasses.dataclass(frozen=True)
class _Features:
    """The bucket of every n-gram of every text of a corpus, in one flat array on disk.

    Attributes:
      flat: unsigned integers, all buckets of text 0, then of text 1, ...
      offsets: int64 [n+1]; text i has flat[offsets[i]:offsets[i+1]].
      tokens: int64 [n], how many tokens each text has.
      prose: bool [n], whether each passes the filter by quality; nothing where that is not asked for.
    """

    flat: np.ndarray
    offsets: np.ndarray
    tokens: np.ndarray
    prose: np.ndarray

    def blocks(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yields the first and one past the last text of each block, and the block's buckets."""
        for start in range(0, len(self.tokens), TEXTS_PER_BLOCK):
            stop = min(start + TEXTS_PER_BLOCK, len(self.tokens))
            yield start, stop, self.flat[self.offsets[start] : self.offsets[stop]]


class _BucketOf(dict):
    """The bucket of each n-gram met so far: SHA-256 of its UTF-8 bytes, modulo the number of buckets."""

    def __init__(self, buckets: int):
        super().__init__()
        self.buckets = buckets

    def __missing__(self, ngram: str) -> int:
        digest = hashlib.sha256(ngram.encode()).digest()
        bucket = self[ngram] = int.from_bytes(digest, "big") % self.buckets
        return bucket


def _featurise(corpus: Corpus, side: str, bucket_of: _BucketOf, ngrams: int, file, *, judged: bool = False) -> _Features:
    dtype = np.min_scalar_type(bucket_of.buckets - 1)
    tokens = np.zeros(len(corpus), np.int64)
    lengths = np.zeros(len(corpus), np.int64)
    prose = np.zeros(len(corpus), bool)
    for row, record in enumerate(progress(corpus, total=len(corpus), unit="texts", step=f"n-grams of the {side}")):
        text = record["text"] if record["pair"] is None else f"{record['text']} {record['pair']}"
        words = TOKEN.findall(text.lower())
        features = [bucket_of[word] for word in words]
        for size in range(2, ngrams + 1):
            shifted = (words[start:] for start in range(size))
            features += map(bucket_of.__getitem__, map(" ".join, zip(*shifted)))
        file.write(np.array(features, dtype).tobytes())
        tokens[row], lengths[row], prose[row] = len(words), len(features), judged and is_prose(words)
        if len(bucket_of) > CACHED_NGRAMS:
            bucket_of.clear()
    if not tokens.any():
        raise ValueError(f"None of the {len(corpus):,} texts of the {side} has a token. Check the field the text is read from.")
    file.flush()
    return _Features(np.memmap(file, dtype, "r"), np.concatenate([[0], np.cumsum(lengths)]), tokens, prose)


def _shares(features: _Features, buckets: int) -> np.ndarray:
    """Returns each bucket's share of all n-grams, float64 [buckets]."""
    counts = sum(np.bincount(flat, minlength=buckets) for _, _, flat in features.blocks())
    return counts / counts.sum()


def _sums(features: _Features, weights: np.ndarray) -> np.ndarray:
    """Returns for each text the sum of its n-grams' `weights` [buckets], float64 [n]."""
    sums = np.zeros(len(features.tokens))
    for start, stop, flat in features.blocks():
        text = np.repeat(np.arange(stop - start), np.diff(features.offsets[start : stop + 1]))
        sums[start:stop] = np.bincount(text, weights[flat], minlength=stop - start)
    return sums
