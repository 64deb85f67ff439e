"""What a source has beside what is trained stays with it: fine-tuning what was saved is fine-tuning the source, to the bit."""

import dataclasses
import functools
import json

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gotd_jax import models
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tasks import Examples, Task
from gotd_jax.models import initialise, load, save
from gotd_jax.training.base_model import BaseModel, keep_trained
from gotd_jax.training.finetune import finetune
from gotd_jax.training.pre_finetune import pre_finetune
from gotd_jax.training.recipe import Recipe
from tests.models.helpers import FAMILIES, assert_same_trees, edit_json
from tests.models.test_decoder import FAMILIES as DECODERS
from tests.models.test_decoder import REFERENCES
from tests.training.small import CONFIG, save_tokenizer

WORDS = [f"w{place}" for place in range(35)]
RECIPE = Recipe(batch_size=8, max_length=10, epochs=1, learning_rate=1e-2, dropout=False)
PREFIXES = {"bert": "bert.", "roberta": "roberta.", "distilbert": "distilbert."}
HEADS = {"body": (), "masked_lm": ("masked_lm",), "classifier": ("classifier",), "both": ("masked_lm", "classifier")}
POOLED = ("bert", "roberta")  # whose bodies are published with a pooler

each_source = pytest.mark.parametrize(("family", "kind"), [(family, kind) for family in FAMILIES for kind in HEADS])


def published_folder(folder, family, kind):
    """A folder as published: a body, its pooler where the family has one, and the heads of its kind, of three classes."""
    types = {"bert": 2, "roberta": 1, "distilbert": 0}[family]
    rates = {"classifier_dropout": 0.2} if family == "distilbert" else {}
    config = dataclasses.replace(CONFIG, model_type=family, type_vocab_size=types, norm_epsilon=1e-12, **rates)
    body = initialise(config, seed=1)
    tensors = {PREFIXES[family] + name: one for name, one in load_file(save(folder / "0", body) / "model.safetensors").items()}
    for place, head in enumerate(HEADS[kind]):
        whole = save(folder / f"{1 + place}", initialise(config, head, outputs=3, seed=2 + place))
        found = load_file(whole / "model.safetensors")
        tensors |= {name: tensor for name, tensor in found.items() if name not in tensors}
    if family in POOLED:
        random = np.random.default_rng(5)
        pooler = {"weight": random.normal(size=(32, 32)), "bias": random.normal(size=32)}
        tensors |= {f"{PREFIXES[family]}pooler.dense.{name}": 0.1 * one.astype(np.float32) for name, one in pooler.items()}
    if family == "bert" and kind == "both":  # as BERT itself was published
        tensors["cls.seq_relationship.weight"] = np.ones((2, 32), np.float32)
        tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"]
    source = save(folder / "source", body, tokenizer_from=save_tokenizer(folder / "tokenizer", WORDS))
    save_file(tensors, source / "model.safetensors")
    if "classifier" in HEADS[kind]:
        edit_json(source / "config.json", id2label={"0": "no", "1": "yes", "2": "so"}, label2id={"no": 0, "yes": 1, "so": 2})
    return source


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Returns a function from a family and a kind to such a folder, each made once."""
    return functools.cache(lambda family, kind: published_folder(tmp_path_factory.mktemp("published"), family, kind))


def texts(count, seed=0):
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, 6)) for _ in range(count)]


def task():
    examples = Examples(Corpus.from_texts(texts(16)), np.arange(16, dtype=np.int32) % 2)
    return Task("halves", "classification", ("one", "other"), ("accuracy",), examples, None, examples, "test")


def classifier(folder):
    return load(folder, "classifier", outputs=2, seed=3)


def zero_steps(folder, model):
    """The model as a stage keeps it after a training of no steps."""
    keep_trained(folder, model, lambda **_: model.params)
    return folder / "model"


def assert_nothing_is_lost(source, kept):
    """Both folders give the same classifier, and the same masked LM where the source has one, with the same parts fresh."""
    for ours, theirs in [
        (classifier(kept), classifier(source)),
        *((load(folder, head) for folder in (kept, source)) for head in heads_of(source)),
    ]:
        assert ours.fresh == theirs.fresh
        assert_same_trees(ours.params, theirs.params)


def heads_of(folder):
    names = load_file(folder / "model.safetensors")
    known = {"masked_lm": ("cls.predictions.bias", "lm_head.bias", "vocab_projector.bias"), "classifier": ("classifier.",)}
    return [head for head, starts in known.items() if any(name.startswith(starts) for name in names)]


@each_source
def test_a_masked_lm_saved_after_no_steps_is_its_source_for_every_head(published, family, kind, tmp_path):
    source = published(family, kind)
    once = zero_steps(tmp_path / "once", load(source, "masked_lm"))
    assert_nothing_is_lost(source, once)
    assert_nothing_is_lost(source, zero_steps(tmp_path / "twice", load(once, "masked_lm")))
    pooler = f"{PREFIXES[family]}pooler.dense.weight"
    assert family not in POOLED or (load_file(once / "model.safetensors")[pooler] == pooler_of(source, pooler)).all()


def pooler_of(folder, name):
    return load_file(folder / "model.safetensors")[name]


@each_source
def test_a_bare_body_saved_after_no_steps_is_its_source_for_every_head(published, family, kind, tmp_path):
    source = published(family, kind)
    assert_nothing_is_lost(source, zero_steps(tmp_path / "kept", load(source)))


@each_source
def test_a_classifier_saved_after_no_steps_keeps_the_masked_lm_of_its_source(published, family, kind, tmp_path):
    source = published(family, kind)
    model = classifier(source)
    kept = zero_steps(tmp_path / "kept", model)
    assert_same_trees(load(kept, "classifier").params, model.params)
    ours, theirs = (load(folder, "masked_lm", seed=7) for folder in (kept, source))
    assert ours.fresh == theirs.fresh
    assert_same_trees(ours.params, theirs.params)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_fine_tuning_what_was_saved_is_fine_tuning_the_source_to_the_bit(published, family, tmp_path):
    source = published(family, "masked_lm")
    tune = functools.partial(finetune, task=task(), recipe=RECIPE, seed=0)
    expected = tune(classifier(source))
    moved = jax.tree.map(
        lambda one, other: bool((one != other).any()), expected["encoder"], classifier(source).params["encoder"]
    )
    assert any(jax.tree.leaves(moved))
    kept = {head: zero_steps(tmp_path / f"kept-{head}", load(source, head)) for head in (None, "masked_lm")}
    kept["classifier"] = zero_steps(tmp_path / "kept-classifier", classifier(source))
    for folder in kept.values():
        assert_same_trees(tune(classifier(folder)), expected)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_head_warmed_up_and_a_training_after_it_keep_the_rest_of_the_source(published, family, tmp_path):
    source = published(family, "classifier")
    pool = Corpus.from_texts(texts(16, seed=1))
    start = BaseModel(source, head=RECIPE, head_texts=8)
    model = start.load(pool, tmp_path / "work")
    assert model.fresh == () and model.source != source
    assert_nothing_is_lost(source, model.source)
    keep_trained(tmp_path / "trained", model, functools.partial(pre_finetune, model, pool, RECIPE, seed=0))
    trained = tmp_path / "trained" / "model"
    ours, theirs = classifier(trained), classifier(source)
    assert ours.fresh == theirs.fresh == ("head.output",)
    assert_same_trees(ours.params["head"], theirs.params["head"])
    assert not np.array_equal(*(model.params["encoder"]["embeddings"]["words"]["table"] for model in (ours, theirs)))
    assert load(trained, "masked_lm").fresh == ()


def test_the_labels_of_a_classifier_stay_with_it(published, tmp_path):
    source = published("bert", "both")
    for head, count in (("masked_lm", None), ("classifier", None)):
        kept = zero_steps(tmp_path / head, load(source, head, outputs=count))
        assert json.loads((kept / "config.json").read_text())["id2label"] == {"0": "no", "1": "yes", "2": "so"}
    other = zero_steps(tmp_path / "other", load(source, "classifier", outputs=2))
    assert json.loads((other / "config.json").read_text())["id2label"] == {"0": "LABEL_0", "1": "LABEL_1"}


def test_a_copy_of_the_word_embeddings_is_not_kept_from_before_the_training(published, tmp_path):
    source = published("bert", "both")
    model = load(source, "masked_lm")
    trained = jax.tree.map(lambda leaf: leaf + 1, model.params)
    kept = save(tmp_path / "kept", model, trained)
    assert "cls.predictions.decoder.weight" not in load_file(kept / "model.safetensors")
    assert_same_trees(load(kept, "masked_lm").params, trained)


@pytest.mark.parametrize("family", DECODERS)
def test_a_decoder_saved_after_no_steps_is_its_source(family, tmp_path):
    source = models.load(REFERENCES / family)
    once = zero_steps(tmp_path / "once", source)
    twice = zero_steps(tmp_path / "twice", models.load_language_model(once))
    for folder in (once, twice):
        assert models.load(folder).config == source.config
        assert_same_trees(models.load(folder).params, source.params)
