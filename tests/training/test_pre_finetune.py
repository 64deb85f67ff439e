import dataclasses
import json

import jax
import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.models.model import initialise
from gotd_jax.training.pre_finetune import pre_finetune, train_head
from gotd_jax.training.recipe import Recipe
from tests.training.small import CONFIG, save_tokenizer

# The opening of the Declaration of Independence, 1776.
TEXT = """When in the Course of human events it becomes necessary for one people to dissolve the political bands which have
connected them with another and to assume among the powers of the earth the separate and equal station to which the Laws of
Nature and of Nature s God entitle them a decent respect to the opinions of mankind requires that they should declare the
causes which impel them to the separation We hold these truths to be self evident that all men are created equal that they
are endowed by their Creator with certain unalienable Rights that among these are Life Liberty and the pursuit of Happiness"""
WORDS = TEXT.split()
CORPUS = Corpus.from_texts([" ".join(WORDS[start : start + 14]) for start in range(0, len(WORDS) - 14, 3)])
RECIPE = Recipe(batch_size=8, max_length=16, epochs=60, learning_rate=1e-2, warmup_share=0.1, dropout=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    vocabulary = sorted(set(WORDS))
    config = dataclasses.replace(CONFIG, vocab_size=5 + len(vocabulary))
    return dataclasses.replace(
        initialise(config, "masked_lm"), source=save_tokenizer(tmp_path_factory.mktemp("model"), vocabulary), fresh=("head",)
    )


def losses(folder):
    return [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_the_loss_on_a_real_text_falls(model, tmp_path):
    pre_finetune(model, CORPUS, RECIPE, seed=0, folder=tmp_path)
    course = losses(tmp_path)
    assert course[0] == pytest.approx(np.log(model.config.vocab_size), rel=0.15)  # it knows nothing yet
    assert np.mean(course[-10:]) < 0.7 * np.mean(course[:10])


def test_warming_up_a_head_lowers_the_loss_and_leaves_the_body_bitwise_as_it_was(model, tmp_path):
    params = train_head(model, CORPUS, RECIPE, seed=0, folder=tmp_path)
    course = losses(tmp_path)
    assert np.mean(course[-10:]) < 0.95 * np.mean(course[:10])
    jax.tree.map(np.testing.assert_array_equal, params["encoder"], model.params["encoder"])


def test_a_published_head_is_left_alone(model):
    assert train_head(dataclasses.replace(model, fresh=()), CORPUS, RECIPE, seed=0) is model.params
