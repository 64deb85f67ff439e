"""Training of causal language models: packing, the objective, and that it learns and resumes."""

import dataclasses

import jax
import numpy as np
import pytest
from flax import nnx

from gotd_jax import models
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import Tokens
from gotd_jax.training.batches import PackedBatches
from gotd_jax.training.loop import train
from gotd_jax.training.objectives import CausalLanguageModel
from gotd_jax.training.pre_finetune import pre_finetune
from gotd_jax.training.recipe import Recipe
from tests.models.test_decoder import REFERENCES
from tests.training.small import random_tokens, save_tokenizer

RECIPE = Recipe(batch_size=4, max_length=16, epochs=2, learning_rate=3e-3)


@pytest.fixture(scope="module")
def model():
    config = dataclasses.replace(models.load(REFERENCES / "llama").config, end_ids=(1,), initializer_range=0.1)
    return models.initialise(config)


def tokens_of(*texts):
    return Tokens(
        np.concatenate(texts).astype(np.int32), np.zeros(sum(map(len, texts)), np.uint8), np.cumsum([0, *map(len, texts)])
    )


def test_blocks_are_the_texts_in_order_with_an_end_behind_each():
    tokens = tokens_of([5, 6, 7], [8], [9, 10, 11, 12, 13])
    batches = PackedBatches(tokens, 1, dataclasses.replace(RECIPE, max_length=4), seed=0)
    assert batches.blocks.tolist() == [[5, 6, 7, 1], [8, 1, 9, 10], [11, 12, 13, 1]]
    assert PackedBatches(tokens, 1, dataclasses.replace(RECIPE, max_length=5), seed=0).blocks.shape == (2, 5)
    assert PackedBatches(tokens, 1, dataclasses.replace(RECIPE, max_length=50), seed=0).blocks.shape == (1, 12)


def test_every_epoch_has_every_block_once_in_an_order_of_its_own():
    batches = PackedBatches(random_tokens(60), 1, RECIPE, seed=3)
    epochs = [
        [tuple(row) for step in steps for row, real in zip(batches[step]["ids"], batches[step]["mask"]) if real[0]]
        for steps in np.split(np.arange(len(batches)), RECIPE.epochs)
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(map(tuple, batches.blocks))
    assert epochs[0] != epochs[1]


def test_loss_is_the_mean_cross_entropy_of_next_tokens(model):
    ids = np.random.default_rng(0).integers(5, 89, (3, 10)).astype(np.int32)
    mask = np.ones_like(ids, bool)
    mask[1, 6:] = False
    mask[2] = False
    loss, _ = CausalLanguageModel(model.definition)(model.params, {"ids": ids, "mask": mask}, None)
    logits = np.asarray(nnx.merge(model.definition, model.params)(ids, mask), np.float64)
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    losses = [-logs[row, place, ids[row, place + 1]] for row, length in ((0, 10), (1, 6)) for place in range(length - 1)]
    assert float(loss) == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.slow
def test_training_learns_what_follows_what_and_resumes_bitwise(model, tmp_path):
    texts = [np.arange(start, start + 12) % 30 + 5 for start in range(120)]
    batches = PackedBatches(tokens_of(*texts), 1, RECIPE, seed=0)
    objective = CausalLanguageModel(model.definition)

    def loss(params):
        return float(objective(params, batches[0], None)[0])

    whole = train(objective, model.params, batches, RECIPE, seed=0)
    assert loss(whole) < 0.6 * loss(model.params)

    class Stop(Exception):
        pass

    def stop(entry):
        if entry["step"] == 20:
            raise Stop

    with pytest.raises(Stop):
        train(objective, model.params, batches, RECIPE, seed=0, folder=tmp_path, save_every=15, log=stop)
    resumed = train(objective, model.params, batches, RECIPE, seed=0, folder=tmp_path, save_every=15)
    assert jax.tree.all(jax.tree.map(np.array_equal, whole, resumed))


def test_pre_fine_tuning_takes_a_causal_model_from_its_folder(model, tmp_path):
    words = [f"w{number}" for number in range(60)]
    models.save(tmp_path / "model", model, tokenizer_from=save_tokenizer(tmp_path / "tokenizer", words))
    loaded = models.load(tmp_path / "model")
    rows = ({"id": str(row), "text": " ".join(words[row % 40 :][:20])} for row in range(40))
    params = pre_finetune(loaded, Corpus.from_records(rows), RECIPE, seed=0)
    assert not np.array_equal(params["decoder"]["words"]["table"], loaded.params["decoder"]["words"]["table"])
    endless = dataclasses.replace(loaded, config=dataclasses.replace(loaded.config, end_ids=()))
    with pytest.raises(ValueError, match="names no eos_token_id"):
        pre_finetune(endless, Corpus.from_records([{"id": "1", "text": "w1"}]), RECIPE, seed=0)
