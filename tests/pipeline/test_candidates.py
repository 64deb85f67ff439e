"""How many near duplicates are candidates."""

import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.near_duplicates import near_duplicates
from gotd_jax.methods import Problem, select
from gotd_jax.pipeline import candidates

SAID = ["the court heard the appeal of the judge in full and at length on that day", "a cell is made of proteins that fold"]
POOL = Corpus.from_texts([f"{SAID[row % 2]}{' again' * (row // 8)}" if row % 5 else f"text {row} alone" for row in range(40)])
TESTED = Corpus.from_texts(["another text that nobody in this pool has ever said, not even in part"])


def found(tmp_path, most_alike, **options):
    return candidates.find(POOL, TESTED, tmp_path, similarity=0.5, most_alike=most_alike, **options)


@pytest.mark.parametrize("most", [1, 2, 5, 100])
def test_of_each_group_the_first_few_are_candidates(tmp_path, most):
    groups = near_duplicates(POOL, 0.5)
    expected = [row for row in range(40) if np.sum(groups[:row] == groups[row]) < most]
    assert found(tmp_path, most).rows.tolist() == expected
    assert found(tmp_path, most).counts["near_duplicates"] == 40 - len(expected)
    assert np.unique(groups, return_counts=True)[1].max() > 10


def test_no_method_chooses_more_of_a_group(tmp_path):
    corpus = found(tmp_path, 3).corpus
    problem = Problem(corpus, Corpus.from_texts([SAID[0]]), embed=None)
    chosen = corpus.take(select("ngram_classifier", problem, 8, seed=0).rows)
    assert sum(SAID[0] in text for text in chosen.texts()) == 3


def test_a_candidate_has_its_own_value_and_the_near_duplicates_left_out_that_of_the_first(tmp_path):
    two = found(tmp_path, 2)
    whole = two.over_pool(np.arange(len(two.rows), dtype=np.float32))
    assert whole[two.rows].tolist() == list(range(len(two.rows)))
    out = np.setdiff1d(np.arange(40), two.rows)
    assert len(out) and whole[out].tolist() == whole[two.first[out]].tolist()


def test_none_of_a_group_is_refused(tmp_path):
    with pytest.raises(ValueError, match="most_alike is 0"):
        found(tmp_path, 0)
