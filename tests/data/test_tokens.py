import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import count_tokens, load_tokenizer, tokenise

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d", "e"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    backend = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    folder = tmp_path_factory.mktemp("tokenizer")
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    PreTrainedTokenizerFast(tokenizer_object=backend, **names).save_pretrained(folder)
    return load_tokenizer(folder)


def test_offsets_cut_the_flat_ids_into_texts(tokenizer):
    tokens = tokenise(tokenizer, Corpus.from_texts(["a b", "", "c d e"]), 16)
    texts = [list(tokens.ids[i:j]) for i, j in zip(tokens.offsets, tokens.offsets[1:])]
    assert texts == [[2, 5, 6, 3], [2, 3], [2, 7, 8, 9, 3]]
    np.testing.assert_array_equal(tokens.lengths, [4, 2, 5])


def test_second_sentences_have_type_one(tokenizer):
    corpus = Corpus.from_records([{"text": "a", "pair": "b c"}, {"text": "d"}])
    tokens = tokenise(tokenizer, corpus, 16)
    np.testing.assert_array_equal(tokens.types, [0, 0, 0, 1, 1, 1, 0, 0, 0])


def test_texts_are_cut_to_the_longest_length_and_keep_their_last_special_token(tokenizer):
    tokens = tokenise(tokenizer, Corpus.from_texts(["a b c d e"]), 4)
    np.testing.assert_array_equal(tokens.ids, [2, 5, 6, 3])


def test_a_corpus_of_many_calls_is_the_same_as_its_parts(tokenizer, monkeypatch):
    corpus = Corpus.from_texts([" ".join("abcde"[: 1 + i % 5]) for i in range(23)])
    whole = tokenise(tokenizer, corpus, 16)
    monkeypatch.setattr("gotd_jax.data.tokens.TEXTS_PER_CALL", 5)
    parts = tokenise(tokenizer, corpus, 16)
    np.testing.assert_array_equal(whole.ids, parts.ids)
    np.testing.assert_array_equal(whole.offsets, parts.offsets)


def test_an_empty_corpus_has_no_tokens(tokenizer):
    assert len(tokenise(tokenizer, Corpus.from_texts([]), 16)) == 0


def test_rectangle_is_padded_cut_and_masked(tokenizer):
    tokens = tokenise(tokenizer, Corpus.from_texts(["a", "b c d e"]), 16)
    batch = tokens.pad([1, 0], 4, height=3, pad_id=9)
    np.testing.assert_array_equal(batch["ids"], [[2, 6, 7, 8], [2, 5, 3, 9], [9, 9, 9, 9]])
    np.testing.assert_array_equal(batch["mask"].sum(axis=1), [4, 3, 0])


def test_a_folder_without_tokeniser_is_refused(tmp_path):
    with pytest.raises(ValueError, match="There is no folder"):
        load_tokenizer(tmp_path / "none")
    with pytest.raises(ValueError, match="holds no tokeniser"):
        load_tokenizer(tmp_path)


def test_tokens_are_counted_to_the_end_and_without_special_ones_whatever_was_cut_before(tokenizer):
    corpus = Corpus.from_texts(["a b c d e a b", "", "c"])
    tokenise(tokenizer, corpus, 4)  # leaves the tokeniser cutting
    assert count_tokens(tokenizer, corpus).tolist() == [7, 0, 1]
