"""A tokeniser with tokens that the model has no embedding for."""

import json
import shutil

import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation.text_losses import losses
from gotd_jax.models import embed, load, load_language_model, tokenizer_of
from gotd_jax.tool.pre_finetuning import warm
from gotd_jax.training.pre_finetune import pre_finetune
from gotd_jax.training.recipe import Recipe

MESSAGE = r"has 49 tokens and the model's table of embeddings 48 rows: token 48, '\[NAME\]', is the first of 1 past it"


@pytest.fixture
def outgrown(tiny_model, tmp_path):
    """The tiny model, with a tokeniser of one added token that its embeddings were not resized for."""
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    content = json.loads((folder / "tokenizer.json").read_text())
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    number = len(content["model"]["vocab"])
    content["added_tokens"].append({"id": number, "content": "[NAME]", **flags})
    (folder / "tokenizer.json").write_text(json.dumps(content))
    return folder


def test_a_tokeniser_that_fits_is_the_folders(tiny_model):
    assert len(tokenizer_of(load(tiny_model))) == 48


def test_tokens_past_the_table_are_refused_by_name_wherever_a_model_reads_text(outgrown, tmp_path):
    texts = Corpus.from_texts(["the wave and the ship", "the [NAME] of the sea"])
    read = [
        lambda: embed(texts, load(outgrown), tmp_path / "embeddings"),
        lambda: losses(load_language_model(outgrown), texts, max_length=16, seed=0, folder=tmp_path),
        lambda: pre_finetune(load_language_model(outgrown), texts, Recipe(max_length=16), seed=0),
    ]
    for attempt in read:
        with pytest.raises(ValueError, match=MESSAGE):
            attempt()


def test_a_warm_up_is_refused_before_anything_is_made(outgrown, texts, tmp_path):
    with pytest.raises(ValueError, match=MESSAGE):
        warm(outgrown, texts / "sea.jsonl", tmp_path / "warmed", max_length=16)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
