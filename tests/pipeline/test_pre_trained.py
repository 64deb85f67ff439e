"""Small language models that are pre-trained here, small as a test can have them."""

import numpy as np
import pytest
from transformers import AutoTokenizer

from gotd_jax import models
from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation.held_out_loss import held_out_loss
from gotd_jax.pipeline.pre_trained import PreTrained, Sizes, mixed
from gotd_jax.training.recipe import Recipe
from tests.conftest import sentence
from tests.marks import others_slow

RECIPE = Recipe(batch_size=16, max_length=32, learning_rate=3e-3, dropout=False)
TINY = {"vocabulary": 300, "width": 32, "layers": 2, "heads": 2, "positions": 32}


def corpus(domain, count, seed=0):
    draws = np.random.default_rng(seed)
    texts = [{"text": sentence(draws, domain, 30), "domain": domain, "id": f"{domain}:{i}"} for i in range(count)]
    return Corpus.from_records(texts)


@pytest.mark.parametrize("kind", others_slow("decoder", "encoder"))
def test_a_model_learns_the_texts_that_it_reads(kind, tmp_path):
    trained = PreTrained(corpus("food", 400), Sizes(kind, **TINY), RECIPE, seed=0).folder(tmp_path)
    model = models.load_language_model(trained)
    start = models.load_language_model(trained.parent / "start")
    own, other = corpus("food", 30, seed=1), corpus("law", 30, seed=1)
    loss = {
        name: [held_out_loss(each, name, max_length=32, seed=0).per_byte() for each in (start, model)] for name in (own, other)
    }
    assert loss[own][1] < 0.9 * loss[own][0]
    assert loss[own][1] / loss[own][0] < loss[other][1] / loss[other][0]


def test_it_is_a_folder_that_transformers_reads_and_it_is_made_once(tmp_path):
    made = PreTrained(corpus("food", 40), Sizes(**TINY), RECIPE, seed=0)
    folder = made.folder(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.decode(tokenizer("Ünknown bytes, and all.")["input_ids"]) == "Ünknown bytes, and all."
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert made.folder(tmp_path) == folder and (folder / "model.safetensors").stat().st_mtime_ns == written
    assert PreTrained(corpus("food", 40), Sizes(**TINY), RECIPE, seed=1).folder(tmp_path) != folder


def test_a_mixture_has_the_shares_that_are_stated():
    domains = {name: corpus(name, 2_000) for name in ("food", "law")}
    found = mixed(domains, {"food": 0.9, "law": 0.1}, 100_000, seed=0)
    characters = {name: sum(len(row["text"]) for row in found if row["domain"] == name) for name in domains}
    assert characters["food"] == pytest.approx(90_000, abs=300)  # a text
    assert characters["law"] == pytest.approx(10_000, abs=300)
    assert len(set(found.ids)) == len(found)
    again = mixed(domains, {"food": 0.9, "law": 0.1}, 100_000, seed=1)
    assert again.fingerprint != found.fingerprint


def test_a_mixture_that_cannot_be_made_is_refused():
    domains = {"food": corpus("food", 10), "law": corpus("law", 10)}
    with pytest.raises(ValueError, match=r"sum to 0\.9"):
        mixed(domains, {"food": 0.5, "law": 0.4}, 100, seed=0)
    with pytest.raises(ValueError, match="The domain law has"):
        mixed(domains, {"food": 0.1, "law": 0.9}, 10_000, seed=0)


def test_sizes_that_no_model_has_are_refused():
    with pytest.raises(ValueError, match="kind"):
        Sizes(kind="both")
    with pytest.raises(ValueError, match="room"):
        from gotd_jax.models import byte_pairs

        byte_pairs.learn(["text"], 200, None, masked=False)
