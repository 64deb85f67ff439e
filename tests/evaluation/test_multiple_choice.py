"""Rules of multiple choice, each against its definition on whole texts; texts as tokens; the summary."""

import numpy as np
import pytest

from gotd_jax import models
from gotd_jax.data.choice_tasks import ChoiceItem
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import load_tokenizer
from gotd_jax.evaluation import multiple_choice
from gotd_jax.evaluation.context_pairs import encode, encode_pair, prefix_id
from gotd_jax.evaluation.multiple_choice import RULES, score_choices
from gotd_jax.evaluation.perplexity import perplexity
from tests.evaluation.helpers import BEGIN, language_model
from tests.evaluation.test_likelihood import whole

ITEMS = [
    ChoiceItem("sky", "Question: is it blue?", ("Yes", "No"), 0, "Answer:"),
    ChoiceItem("sea", "Question: is it dry?", ("Yes", "No"), 1, "Answer:"),
    ChoiceItem("tea", "The tea is", ("hot", "a bird", "under the sea"), 0, "It is"),
]


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    folder = language_model(tmp_path_factory.mktemp("models") / "gpt2", "gpt2")
    return models.load(folder), load_tokenizer(folder)


@pytest.fixture(scope="module")
def llama_tokenizer(tmp_path_factory):
    return load_tokenizer(language_model(tmp_path_factory.mktemp("models") / "llama", "llama"))


def log_probabilities(model, tokenizer, context, option):
    """Of the context's tokens after the first, and of the option's, from one forward pass over the whole text."""
    context, text = tokenizer.encode(context), tokenizer.encode(f"{context} {option}")
    ((begin, steps, _),) = whole(model, [(text[: len(context)], text[len(context) :])])
    return steps[:begin], steps[begin:]


@pytest.mark.slow
def test_every_rule_is_its_definition_on_the_whole_text(gpt2):
    found = score_choices(*gpt2, ITEMS)
    for item, row in zip(ITEMS, found.items):
        assert (row["id"], row["answer"], row["options"]) == (item.id, item.answer, list(item.options))
        for place, option in enumerate(item.options):
            before, after = log_probabilities(*gpt2, item.context, option)
            _, alone = log_probabilities(*gpt2, item.calibration, option)
            expected = {
                "sum": after.sum(),
                "per_character": after.sum() / len(option),
                "instance": np.exp(-(before.sum() + after.sum()) / (1 + len(before) + len(after))),
                "calibrated": after.sum() - alone.sum(),
            }
            assert {rule: row[rule][place] for rule in RULES} == pytest.approx(expected, rel=1e-4)
        assert row["chosen"] == {
            "sum": np.argmax(row["sum"]),
            "per_character": np.argmax(row["per_character"]),
            "instance": np.argmin(row["instance"]),
            "calibrated": np.argmax(row["calibrated"]),
        }


@pytest.mark.slow
def test_items_in_another_order_are_scored_the_same(gpt2):
    found, turned = (score_choices(*gpt2, items) for items in (ITEMS, ITEMS[::-1]))
    for row, again in zip(found.items, turned.items[::-1]):
        for rule in RULES:
            assert row[rule] == pytest.approx(again[rule], rel=1e-5)
    assert turned.summary == found.summary


def test_of_equal_scores_the_first_is_chosen():
    found = multiple_choice._row(ITEMS[2], {rule: np.array([2.0, 2.0, 2.0]) for rule in RULES})
    assert found["chosen"] == dict.fromkeys(RULES, 0)


def test_contexts_too_long_for_the_model_lose_their_beginning_and_are_counted(gpt2):
    long = ChoiceItem("long", "the sea is as the sea was, " * 5 + "is it blue?", ("Yes", "No"), 0, "Answer:")
    assert score_choices(*gpt2, [long]).summary["cut"] == 1
    assert score_choices(*gpt2, ITEMS).summary["cut"] == 0


def row_of(answer, chosen, options=("Yes", "No")):
    return {"answer": answer, "options": list(options), "chosen": dict.fromkeys(RULES, chosen)}


def test_the_summary_counts_what_is_right_and_what_always_the_same_would_be():
    found = multiple_choice._summary([row_of(1, 1), row_of(1, 0), row_of(0, 0), row_of(1, 0)], cut=2)
    assert (found["items"], found["cut"]) == (4, 2)
    assert (found["majority"], found["majority_label"]) == (0.75, "No")
    for rule in RULES:
        assert found[rule]["accuracy"] == 0.5
        assert found[rule]["standard_error"] == pytest.approx(np.std([1, 0, 1, 0], ddof=1) / 2)
        assert found[rule]["shares"] == {"Yes": 0.75, "No": 0.25}


def test_options_of_their_own_are_summed_up_by_letter():
    found = multiple_choice._summary([row_of(0, 2, ("x", "y", "z")), row_of(1, 0, ("v", "w"))], cut=0)
    assert found["sum"]["shares"] == {"A": 0.5, "B": 0.0, "C": 0.5}
    assert multiple_choice._summary([row_of(0, 0)], cut=0)["sum"]["standard_error"] is None


def test_no_items_are_refused(gpt2):
    with pytest.raises(ValueError, match="There are no items"):
        score_choices(*gpt2, [])


def test_white_space_between_context_and_continuation_is_the_continuations(gpt2, llama_tokenizer):
    for tokenizer in (gpt2[1], llama_tokenizer):
        assert encode_pair(tokenizer, "the sky ", "is") == encode_pair(tokenizer, "the sky", " is")
        context, continuation = encode_pair(tokenizer, "the sky", " is")
        assert context + continuation == tokenizer.encode("the sky is")


@pytest.mark.parametrize("context", ["", " "])
def test_without_a_context_the_prefix_stands_for_it(gpt2, llama_tokenizer, context):
    for tokenizer, prefix in ((gpt2[1], 0), (llama_tokenizer, 1)):
        assert prefix_id(tokenizer) == prefix
        plain = tokenizer.encode(f"{context}the sky", add_special_tokens=False)
        assert encode_pair(tokenizer, context, "the sky") == ([prefix], plain)
    if not context:
        assert encode_pair(llama_tokenizer, "", f"{BEGIN}the sky") == ([1], plain)


def test_a_beginning_that_is_there_is_not_added_again(llama_tokenizer):
    assert encode(llama_tokenizer, "the sky")[:2] == [1, encode(llama_tokenizer, "the", special=False)[0]]
    assert encode(llama_tokenizer, f"{BEGIN}the sky") == encode(llama_tokenizer, "the sky")


def test_a_continuation_of_no_token_is_refused(gpt2):
    with pytest.raises(ValueError, match="'' adds no token to 'the sky'"):
        encode_pair(gpt2[1], "the sky", "")


def test_perplexity_of_a_corpus_is_that_of_its_tokens(gpt2):
    model, tokenizer = gpt2
    texts = ["the sky is blue", "the sea is old"]
    tokens = [tokenizer.encode(text) for text in texts]
    assert perplexity(model, Corpus.from_texts(texts)) == perplexity(model, tokens, prefix=0)
