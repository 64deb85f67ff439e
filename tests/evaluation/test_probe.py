"""Probes of frozen states."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gotd_jax import models
from gotd_jax.data.labelled_examples import examples_of
from gotd_jax.data.tasks import Task
from gotd_jax.evaluation.probe import PENALTY, probe, probe_by_labels
from gotd_jax.models.embedding import embed
from tests.conftest import sentence


def task():
    draws, classes = np.random.default_rng(0), ("law", "food")
    splits = {}
    for split, count in (("train", 60), ("test", 40)):
        labels = draws.integers(2, size=count)
        rows = [
            {"id": f"{split}{i}", "text": sentence(draws, classes[label], 12), "label": classes[label], "place": str(i)}
            for i, label in enumerate(labels)
        ]
        splits[split] = examples_of(rows, kind="classification", classes=classes)
    return Task("kinds", "classification", classes, ("accuracy", "macro_f1"), validation=None, **splits)


def test_it_is_logistic_regression_of_standardised_states(tiny_model, tmp_path):
    model, given = models.load(tiny_model), task()
    found = probe(model, given, tmp_path / "probe", max_length=32)
    train, test = (np.asarray(embed(each.corpus, model, tmp_path / name, max_length=32)) for name, each in
                   (("train", given.train), ("test", given.test)))  # fmt: skip
    scaled = [(part - train.mean(axis=0)) / train.std(axis=0) for part in (train, test)]
    expected = (
        LogisticRegression(C=PENALTY, max_iter=1_000).fit(scaled[0], given.train.labels).score(scaled[1], given.test.labels)
    )
    assert found["accuracy"] == pytest.approx(expected)
    assert found["accuracy"] > 0.8  # domains differ by most of their words
    assert found["log_loss"] < np.log(2)


def test_a_task_of_numbers_is_refused(tiny_model, tmp_path):
    rows = [{"id": str(i), "text": "a text", "label": float(i), "place": str(i)} for i in range(4)]
    examples = examples_of(rows, kind="regression", classes=())
    numbers = Task("likeness", "regression", (), ("pearson",), examples, None, examples)
    with pytest.raises(ValueError, match="probe classifies"):
        probe(models.load(tiny_model), numbers, tmp_path, max_length=32)


def test_more_labels_tell_more_and_the_draws_are_those_of_any_model(tiny_model, tmp_path, monkeypatch):
    model, given, drawn = models.load(tiny_model), task(), []
    fit = LogisticRegression.fit
    monkeypatch.setattr(LogisticRegression, "fit", lambda self, x, y: (drawn.append(list(y)), fit(self, x, y))[1])
    options = {"max_length": 32, "counts": (4, 40), "draws": 6}
    found = probe_by_labels(model, given, tmp_path / "one", seed=3, **options)
    assert [len(of_draws) for of_draws in found[4].values()] == [6, 6, 6]
    assert np.mean(found[40]["log_loss"]) < np.mean(found[4]["log_loss"])
    assert [len(labels) for labels in drawn] == 6 * [4] + 6 * [40] and all(len(set(labels)) == 2 for labels in drawn)
    assert len({tuple(labels) for labels in drawn[6:]}) == 6
    other = models.save(tmp_path / "model", models.initialise(model.config, seed=5), tokenizer_from=tiny_model)
    probe_by_labels(models.load(other), given, tmp_path / "other", seed=3, **options)
    assert drawn[12:] == drawn[:12]


def test_more_labels_than_there_are_and_labels_of_one_class_are_refused(tiny_model, tmp_path):
    model, given = models.load(tiny_model), task()
    options = {"max_length": 32, "draws": 1, "seed": 0}
    with pytest.raises(ValueError, match="60 training examples, and 61 labels"):
        probe_by_labels(model, given, tmp_path, counts=(61,), **options)
    alone = dataclasses.replace(given, train=given.train.take(np.flatnonzero(np.array(given.train.labels) == 0)))
    with pytest.raises(ValueError, match="all of one class"):
        probe_by_labels(model, alone, tmp_path, counts=(2,), **options)
