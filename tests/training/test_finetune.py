import dataclasses
import json

import jax
import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tasks import Examples, Task
from gotd_jax.evaluation.predictions import evaluate
from gotd_jax.models.model import initialise
from gotd_jax.training.finetune import _train_and_validation, finetune
from gotd_jax.training.recipe import Recipe
from tests.training.small import CONFIG, save_tokenizer

WORDS = [f"w{place}" for place in range(35)]
RECIPE = Recipe(batch_size=16, max_length=10, epochs=8, learning_rate=5e-3, dropout=False)
SIZES = {"batch_size": RECIPE.batch_size, "max_length": RECIPE.max_length}


class Unseen:
    """A test split that must not be looked at."""

    def __getattribute__(self, name):
        raise LookupError(f"the test split was asked for its {name}")


def examples(count, seed, kind):
    """Texts in which the share of low words decides: the class is whether most are low, the number is their share."""
    random = np.random.default_rng(seed)
    low = random.integers(0, 8, count)
    texts = [random.permutation([*random.choice(WORDS[:17], few), *random.choice(WORDS[17:], 7 - few)]) for few in low]
    labels = (low > 3).astype(np.int32) if kind == "classification" else (low / 7).astype(np.float32)
    return Examples(Corpus.from_texts([" ".join(text) for text in texts]), labels)


def task_of(kind, validation=True, train=160):
    classes, metrics = (("few", "many"), ("accuracy",)) if kind == "classification" else ((), ("pearson",))
    validation = examples(80, 1, kind) if validation else None
    task = Task("low words", kind, classes, metrics, examples(train, 0, kind), validation, examples(8, 3, kind), "test")
    return unseen(task, "test")


def unseen(task, split):
    """Puts a split that must not be looked at into a task, past the checks that look at it."""
    object.__setattr__(task, split, Unseen())
    return task


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return save_tokenizer(tmp_path_factory.mktemp("model"), WORDS)


@pytest.fixture
def model(source):
    return lambda kind: dataclasses.replace(initialise(CONFIG, "classifier", outputs=task_of(kind).outputs), source=source)


@pytest.mark.parametrize("kind, chance", [("classification", 0.5), pytest.param("regression", 0.0, marks=pytest.mark.slow)])
def test_a_task_is_learnt(model, kind, chance):
    task, start = task_of(kind), model(kind)
    params = finetune(start, task, RECIPE, seed=0)
    metric = task.metrics[0]
    fresh = examples(100, 2, kind)
    assert evaluate(start, params, fresh, [metric], **SIZES)[metric] > 0.8 > chance + 0.25
    assert evaluate(start, start.params, fresh, [metric], **SIZES)[metric] < 0.8


def test_the_last_epoch_is_chosen_without_looking_at_the_validation_split(model):
    task = unseen(task_of("classification"), "validation")
    finetune(model("classification"), task, dataclasses.replace(RECIPE, epochs=1), seed=0)


def test_the_best_epoch_has_the_highest_validation_score(model, tmp_path):
    task, start = task_of("classification"), model("classification")
    recipe = dataclasses.replace(RECIPE, choose="best", epochs=6)
    params = finetune(start, task, recipe, seed=0, folder=tmp_path)
    entries = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    scores = [entry["validation"] for entry in entries if "validation" in entry]
    assert len(scores) == 6 and len(set(scores)) > 1
    assert evaluate(start, params, task.validation, ["accuracy"], **SIZES)["accuracy"] == pytest.approx(max(scores), abs=1e-9)


def test_without_a_validation_split_a_share_of_the_training_examples_is_held_out_and_not_trained_on():
    task = task_of("classification", validation=False)
    recipe = dataclasses.replace(RECIPE, held_out_share=0.25)
    train, held_out = _train_and_validation(task, recipe, seed=0)
    assert (len(train), len(held_out)) == (120, 40)
    assert sorted(train.corpus.ids + held_out.corpus.ids) == sorted(task.train.corpus.ids)
    for part in (train, held_out):
        np.testing.assert_array_equal(part.labels, task.train.labels[[int(row) for row in part.corpus.ids]])
    assert _train_and_validation(task, recipe, seed=0)[1].corpus.ids == held_out.corpus.ids
    assert _train_and_validation(task, recipe, seed=1)[1].corpus.ids != held_out.corpus.ids


def test_a_task_too_small_to_hold_anything_out_is_refused(model):
    task = task_of("classification", validation=False, train=4)
    with pytest.raises(ValueError, match=r"A share of 0\.1 holds out 0 of 4 examples"):
        finetune(model("classification"), task, dataclasses.replace(RECIPE, choose="best"), seed=0)


def test_a_fine_tuning_resumed_equals_an_uninterrupted_one(model, tmp_path):
    task, start = task_of("classification", validation=False), model("classification")
    recipe = dataclasses.replace(RECIPE, epochs=2, choose="best")

    def stop(entry):
        if entry["step"] == 13:
            raise OSError("stopped")

    with pytest.raises(OSError, match="stopped"):
        finetune(start, task, recipe, seed=0, folder=tmp_path, save_every=4, log=stop)
    resumed = finetune(start, task, recipe, seed=0, folder=tmp_path, save_every=4)
    jax.tree.map(np.testing.assert_array_equal, resumed, finetune(start, task, recipe, seed=0))
