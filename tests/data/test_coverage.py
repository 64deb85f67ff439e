import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from gotd_jax.data import coverage
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.coverage import measure_coverage, warnings
from gotd_jax.data.tokens import load_tokenizer


@pytest.fixture
def tokenizer(tiny_model):
    return load_tokenizer(tiny_model)


def test_tokens_beyond_the_limit_and_unknown_ones_are_counted_without_special_ones(tokenizer):
    texts = ["wave " * 10, "wave ship", "huh wave hm", "huh hm", "\u200b"]
    found = measure_coverage(tokenizer, Corpus.from_texts(texts), 6)
    assert found.tokens.tolist() == [10, 2, 3, 2, 0]
    assert found.read.tolist() == [4, 2, 3, 2, 0]
    assert found.unknown.tolist() == [0, 0, 2, 2, 0]
    assert found.mostly_unknown.tolist() == [False, False, True, True, True]
    assert found.unreadable.tolist() == [False, False, False, True, True]
    assert found.summary() == {
        "texts": 5, "read_in_part": 1, "tokens": 17, "tokens_not_read": 6, "unknown_tokens": 4, "mostly_unknown": 3,
        "unreadable": 2,
    }  # fmt: skip


def test_a_tenth_of_known_tokens_is_next_to_nothing(tokenizer):
    found = measure_coverage(tokenizer, Corpus.from_texts(["huh " * 9 + "wave", "huh " * 8 + "wave"]), 64)
    assert found.unreadable.tolist() == [True, False]


def test_pairs_have_their_own_special_tokens_and_a_prompt_counts(tokenizer):
    pair = Corpus.from_records([{"text": "wave ship", "pair": "court"}, {"text": "wave"}])
    assert measure_coverage(tokenizer, pair, 64).tokens.tolist() == [3, 1]
    assert measure_coverage(tokenizer, Corpus.from_texts(["wave"]), 64, prompt="good bad ").tokens.tolist() == [3]


def test_blocks_change_nothing(tokenizer, monkeypatch):
    corpus = Corpus.from_texts(["wave " * count for count in range(1, 20)])
    whole = measure_coverage(tokenizer, corpus, 8)
    monkeypatch.setattr(coverage, "TEXTS_PER_BLOCK", 4)
    np.testing.assert_array_equal(measure_coverage(tokenizer, corpus, 8).tokens, whole.tokens)


def test_byte_pairs_know_all_even_where_the_end_token_is_called_unknown(tmp_path):
    backend = Tokenizer(models.BPE({"<end>": 0, "a": 1, "b": 2}, []))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<end>", eos_token="<end>").save_pretrained(tmp_path)
    assert measure_coverage(load_tokenizer(tmp_path), Corpus.from_texts(["a <end> b"]), 16).unknown.tolist() == [0]


def test_there_is_a_warning_above_a_share(subtests):
    counts = {"texts": 100, "read_in_part": 0, "tokens": 1000, "tokens_not_read": 0, "unknown_tokens": 0, "mostly_unknown": 0}
    cases = [
        ({}, []),
        ({"read_in_part": 5}, []),  # a twentieth is not above a twentieth
        ({"read_in_part": 6}, ["6 of the 100 chunks are read in part"]),
        ({"read_in_part": 1, "tokens_not_read": 60}, ["1 of the 100 chunks are read in part"]),
        ({"unknown_tokens": 60}, ["6% of the tokens read of the 100 chunks are unknown tokens"]),
        ({"mostly_unknown": 6, "read_in_part": 100}, ["100 of the 100", "in 6 they are more than half"]),
    ]
    for changes, said in cases:
        with subtests.test(changes=changes):
            counts = {
                "texts": 100,
                "read_in_part": 0,
                "tokens": 1000,
                "tokens_not_read": 0,
                "unknown_tokens": 0,
                "mostly_unknown": 0,
            }
            found = list(warnings(counts | changes, "chunks", 256))
            assert len(found) == len(said) and all(part in sentence for part, sentence in zip(said, found))
