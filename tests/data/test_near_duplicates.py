import itertools

import numpy as np
import pytest

from gotd_jax.data import near_duplicates as module
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.near_duplicates import bands, near_duplicates, shingles
from gotd_jax.data.pools import load_domain

WORDS = " ".join(f"word{number}" for number in range(100))


def first_rows(*texts, similarity=0.8, **options):
    return near_duplicates(Corpus.from_texts(texts), similarity, **options).tolist()


def changed(words, *places):
    return " ".join("other" if place in places else word for place, word in enumerate(words.split()))


def jaccard(one, other):
    one, other = shingles(one), shingles(other)
    return len(one & other) / len(one | other)


def test_a_text_with_few_changes_joins_the_first_and_another_stays_alone():
    assert first_rows("something else altogether", WORDS, changed(WORDS, 50), WORDS.upper().replace(" ", ", ")) == [0, 1, 1, 1]


def test_texts_that_differ_in_what_is_not_seen_are_near_duplicates_and_stay_as_they_are(subtests):
    cases = [WORDS.replace("o", "o\u00ad"), WORDS.replace("word", "ｗｏｒｄ"), WORDS.replace(" ", "\u200b ")]
    for otherwise in cases:
        with subtests.test(otherwise=otherwise):
            corpus = Corpus.from_texts([WORDS, otherwise])
            assert near_duplicates(corpus, 0.99).tolist() == [0, 0]
            assert near_duplicates(corpus, 1).tolist() == [0, 1] and corpus.texts() == [WORDS, otherwise]


def test_the_similarity_asked_for_is_exact():
    similarity = jaccard(WORDS, changed(WORDS, 50))
    assert similarity == 91 / 101
    assert first_rows(WORDS, changed(WORDS, 50), similarity=similarity) == [0, 0]
    assert first_rows(WORDS, changed(WORDS, 50), similarity=similarity + 1e-9) == [0, 1]


def test_near_duplicates_of_near_duplicates_are_one_group():
    chain = [changed(WORDS, *range(10, 10 + count)) for count in (0, 6, 12)]
    assert jaccard(chain[0], chain[2]) < 0.8 < jaccard(chain[0], chain[1])
    assert first_rows(*chain, similarity=0.8) == [0, 0, 0]


def test_texts_shorter_than_a_shingle_are_near_duplicates_where_their_words_are_the_same():
    cases = [
        ("Good film.", "good film", True),
        ("good film", "good old film", False),
        ("Yes", "yes!", True),
        ("!!!", "!!!", True),
        ("!!!", "???", False),
        ("", "!!!", False),
        ("这部电影非常好看。", "这部电影非常好看!", True),
    ]
    for one, other, same in cases:
        assert first_rows("unrelated words", one, other) == [0, 1, 1 if same else 2], (one, other)


def test_at_similarity_1_only_copies_are_duplicates():
    assert first_rows("Good film.", "good film", "Good film.", "x", similarity=1) == [0, 1, 0, 3]


def test_all_pairs_of_real_texts_with_changes_are_found_and_no_others():
    random = np.random.default_rng(0)
    originals = [record["text"][:600] for record in itertools.islice(load_domain("news"), 60)]
    copies = [changed(text, *random.integers(len(text.split()), size=2)) for text in originals]
    texts = [*originals, *copies]
    alike = [(one, other) for one, other in itertools.combinations(range(120), 2) if jaccard(texts[one], texts[other]) >= 0.7]
    expected = np.arange(120)
    for one, other in alike:
        expected[other] = min(expected[other], one)
    found = near_duplicates(Corpus.from_texts(texts), 0.7, seed=1)
    assert 30 < len(alike) < 60
    assert np.mean(found == expected) > 0.98
    assert set(np.flatnonzero(found != np.arange(120))) <= {other for _, other in alike}


def test_result_is_the_same_again_and_whatever_the_blocks(monkeypatch):
    random = np.random.default_rng(0)
    texts = [changed(WORDS, *random.integers(100, size=number % 9)) for number in range(40)]
    whole = first_rows(*texts, similarity=0.7, seed=3)
    monkeypatch.setattr(module, "ROWS_PER_BATCH", 7)
    monkeypatch.setattr(module, "PAIRS_PER_BLOCK", 3)
    assert first_rows(*texts, similarity=0.7, seed=3) == whole
    assert 10 < len(set(whole)) < 30


def test_bands_bring_together_95_percent_of_the_pairs_just_as_similar(subtests):
    for similarity in [0.05, 0.3, 0.5, 0.8, 0.95, 0.99]:
        with subtests.test(similarity=similarity):
            count, length = bands(similarity)
            assert count * length <= module.PERMUTATIONS
            assert 1 - (1 - similarity**length) ** count >= 0.95
            longer = length + 1
            assert length == module.PERMUTATIONS or 1 - (1 - similarity**longer) ** (module.PERMUTATIONS // longer) < 0.95


def test_rows_are_int64_and_an_empty_corpus_has_none():
    found = near_duplicates(Corpus.from_texts([]), 0.8)
    assert found.dtype == np.int64 and found.shape == (0,)


def test_a_similarity_out_of_range_is_refused(subtests):
    for similarity in [0, -0.5, 1.01]:
        with subtests.test(similarity=similarity), pytest.raises(ValueError, match="above 0, at most 1"):
            near_duplicates(Corpus.from_texts(["a"]), similarity)
