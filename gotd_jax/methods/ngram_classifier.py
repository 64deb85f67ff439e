"""A linear classifier of hashed n-grams, target against pool: the density ratio of the texts, without a model."""

from __future__ import annotations

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.sampling import drawn
from gotd_jax.data.text_normalisation import words
from gotd_jax.methods.log_odds import fitted
from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection, lowest
from gotd_jax.progress import progress

TEXTS_PER_BLOCK = 4096


def select(
    problem: Problem,
    budget: int,
    *,
    seed: int,
    buckets: int = 1 << 18,
    ngrams: int = 2,
    sample: int = 20_000,
    penalty: float = 1.0,
) -> Selection:
    """Returns the `budget` candidates that logistic regression of n-grams holds most likely to be of the target.

    A text is the counts of its runs of up to `ngrams` words over hash buckets, scaled to length one, so that a long text has
    no larger vector than a short one. (Words are those of `gotd_jax.data.text_normalisation`, the hash scikit-learn's.)
    The regression is fitted to the target's texts against a sample of the pool, both sides of equal weight in all, so that
    its log-odds estimate log(target density / pool density) up to a constant. The value of a candidate is minus its
    log-odds.

    It is what `dsir` estimates by counting each n-gram for itself, as if they were independent: there a text's weight is a
    sum, which grows with its length, and in which n-grams that go together count as often as they are. `classifier` does the
    same with embeddings.

    Args:
      problem: pool and target; only their texts are read.
      budget: how many chunks to select.
      seed: draws the sample where the pool is larger; equal candidates stand in pool order.
      buckets: how many hash buckets there are, at least 1.
      ngrams: the longest n-gram counted, at least 1: 2 means single words and adjacent pairs.
      sample: candidates that stand for the pool, at most; 1 or more.
      penalty: of the squared weights, above 0: scikit-learn's 1/C.

    Raises:
      ValueError: an option is out of range.
      RuntimeError: the regression did not converge.
    """
    if buckets < 1 or ngrams < 1 or sample < 1:
        raise ValueError(f"ngrams is {ngrams:,}, buckets {buckets:,} and sample {sample:,}. Each is 1 or more.")
    from sklearn.feature_extraction.text import HashingVectorizer

    count = HashingVectorizer(
        tokenizer=words, token_pattern=None, lowercase=False, ngram_range=(1, ngrams), n_features=buckets, alternate_sign=False
    )
    rows = drawn(len(problem.pool), sample, seed)
    sides = (count.transform(whole_texts(corpus)) for corpus in (problem.pool.take(rows), problem.target))
    weights, constant = fitted(*sides, penalty)
    values = np.empty(len(problem.pool), np.float32)
    with progress(total=len(values), unit="texts", step="log-odds") as bar:
        for start in range(0, len(values), TEXTS_PER_BLOCK):
            block = np.arange(start, min(start + TEXTS_PER_BLOCK, len(values)))
            values[block] = -(count.transform(whole_texts(problem.pool.take(block))) @ weights + constant)
            bar.update(len(block))
    return Selection(lowest(values, budget), values, {"pool_sample": len(rows)})


METHOD = Method(select, reads={"target"})


def whole_texts(corpus: Corpus) -> list[str]:
    """Returns every text of `corpus`, of a pair both sentences, one after the other."""
    return [text if pair is None else f"{text} {pair}" for text, pair in zip(corpus.texts(), corpus.pairs())]
