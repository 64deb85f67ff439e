import numpy as np
import pytest

from gotd_jax.data.chunks import chunk, chunk_records
from gotd_jax.data.corpus import Corpus


def corpus_of(*texts: str) -> Corpus:
    return Corpus.from_records({"id": chr(ord("a") + i), "text": text, "domain": f"d{i}"} for i, text in enumerate(texts))


def contents(corpus: Corpus) -> dict[str, str]:
    return dict(zip(corpus.ids, corpus.texts()))


def random_corpus(seed: int) -> Corpus:
    rng = np.random.default_rng(seed)
    alphabet = np.array(list("abc é中😀\n"))
    return corpus_of(*("".join(rng.choice(alphabet, length)) for length in rng.integers(1, 45, 200)))


def test_kept_and_split_chunks_put_together_are_the_corpus(subtests):
    for seed in range(3):
        with subtests.test(seed=seed):
            corpus = random_corpus(seed)
            chunks = chunk(corpus, 10, short="keep", long="split")
            assert "".join(chunks.texts()) == "".join(corpus.texts())
            assert max(map(len, chunks.texts())) == 10


def test_dropped_and_cut_chunks_are_the_beginnings_of_the_long_texts(subtests):
    for seed in range(3):
        with subtests.test(seed=seed):
            corpus = random_corpus(seed)
            chunks = chunk(corpus, 10, short="drop", long="cut")
            long = [row for row, text in enumerate(corpus.texts()) if len(text) >= 10]
            assert chunks.texts() == [corpus.texts()[row][:10] for row in long]
            assert chunks.ids == [corpus.ids[row] for row in long]
            np.testing.assert_array_equal(chunks.domains, corpus.domains[long])


def test_all_joined_chunks_but_the_last_have_the_full_length(subtests):
    for long in ["split", "cut"]:
        for seed in range(3):
            with subtests.test(long=long, seed=seed):
                lengths = [len(text) for text in chunk(random_corpus(seed), 10, short="join", long=long).texts()]
                assert set(lengths[:-1]) == {10}
                assert 0 < lengths[-1] <= 10


def test_split_text_of_a_multiple_of_the_length_leaves_no_empty_chunk():
    assert contents(chunk(corpus_of("0123456789"), 5)) == {"a#0": "01234", "a#1": "56789"}
    assert contents(chunk(corpus_of("01234"), 5)) == {"a": "01234"}


def test_short_rest_of_a_split_text_is_treated_as_a_short_text():
    corpus = corpus_of("0123456", "xyz", "uvw")
    assert contents(chunk(corpus, 5, short="keep")) == {"a#0": "01234", "a#1": "56", "b": "xyz", "c": "uvw"}
    assert contents(chunk(corpus, 5, short="drop")) == {"a#0": "01234"}
    assert contents(chunk(corpus, 5, short="join")) == {"a#0": "01234", "a#1+1": "56xyz", "c": "uvw"}


def test_short_texts_are_joined_without_separator_and_what_is_over_is_lost():
    chunks = chunk(corpus_of("one", "two", "three", "four", "five"), 8, short="join")
    assert contents(chunks) == {"a+2": "onetwoth", "d+1": "fourfive"}
    assert list(chunks.domains) == ["d0", "d3"]


def test_separator_goes_between_joined_texts_and_counts():
    assert chunk(corpus_of("one", "two", "six"), 7, short="join", separator=" ").texts() == ["one two", "six"]


def test_text_of_full_length_between_short_ones_is_not_joined():
    assert contents(chunk(corpus_of("one", "0123456789", "two"), 10, short="join")) == {"b": "0123456789", "a+1": "onetwo"}


def test_target_shorter_than_one_chunk_still_has_a_text():
    assert contents(chunk(corpus_of("tiny"), 1000, short="join")) == {"a": "tiny"}


def test_pairs_become_one_text():
    corpus = Corpus.from_records([{"text": "who", "pair": "me"}, {"text": "alone"}, {"text": "empty", "pair": ""}])
    for characters in (None, 0, 100):
        chunks = chunk(corpus, characters)
        assert chunks.texts() == ["who me", "alone", "empty"]
        assert not chunks.is_paired


def test_no_length_cuts_nothing():
    corpus = corpus_of("a" * 5000, "b", "")
    assert chunk(corpus, None, short="drop", long="cut") is corpus
    assert chunk(corpus, 0, long="cut") is corpus


def test_chunks_of_a_stream_are_those_of_the_corpus(tmp_path):
    corpus = random_corpus(0)
    streamed = Corpus.from_records(chunk_records(iter(corpus), 7, short="join"), tmp_path / "chunks.arrow")
    assert streamed.fingerprint == chunk(corpus, 7, short="join").fingerprint


def test_empty_texts_make_no_chunk():
    assert chunk(corpus_of("", "x", ""), 3).ids == ["b"]


def test_default_is_a_thousand_characters():
    assert [len(text) for text in chunk(corpus_of("x" * 2500)).texts()] == [1000, 1000, 500]


def test_corpus_without_a_long_enough_text_is_an_error():
    with pytest.raises(ValueError, match="None of the 2 texts has 1,000 characters"):
        chunk(corpus_of("one", "two"), short="drop")
    with pytest.raises(ValueError, match="None of the 0 texts"):
        chunk(corpus_of())


def test_unknown_options_are_refused(subtests):
    cases = [
        ({"characters": -1}, "-1 characters"),
        ({"short": "pad"}, "'pad'.*keep, drop, join"),
        ({"long": "keep"}, "'keep'.*split, cut"),
    ]
    for options, message in cases:
        with subtests.test(options=options), pytest.raises(ValueError, match=message):
            chunk(corpus_of("text"), **options)
