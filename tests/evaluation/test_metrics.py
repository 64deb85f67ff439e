import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from gotd_jax.evaluation.metrics import METRICS, score


def random_classes(classes, count=200, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(classes, size=count).astype(np.int32)
    predictions = random.normal(size=(count, classes)).astype(np.float32)
    predictions[np.arange(count), labels] += 1.0
    return predictions, labels, predictions.argmax(1)


REFERENCES = {
    "accuracy": sklearn.metrics.accuracy_score,
    "macro_f1": lambda labels, predicted: sklearn.metrics.f1_score(labels, predicted, average="macro"),
    "micro_f1": lambda labels, predicted: sklearn.metrics.f1_score(labels, predicted, average="micro"),
    "matthews": sklearn.metrics.matthews_corrcoef,
}


def test_metrics_of_classes_equal_those_of_scikit_learn(subtests):
    for name in REFERENCES:
        for classes in [2, 3, 7]:
            with subtests.test(name=name, classes=classes):
                predictions, labels, predicted = random_classes(classes)
                assert score([name], predictions, labels)[name] == pytest.approx(REFERENCES[name](labels, predicted), abs=1e-12)


def test_f1_is_that_of_class_one():
    predictions, labels, predicted = random_classes(2)
    assert score(["f1"], predictions, labels)["f1"] == pytest.approx(sklearn.metrics.f1_score(labels, predicted), abs=1e-12)
    assert score(["f1"], predictions[:, ::-1], 1 - labels)["f1"] != pytest.approx(
        sklearn.metrics.f1_score(labels, predicted), abs=1e-3
    )


def test_correlations_equal_those_of_scipy():
    random = np.random.default_rng(0)
    labels = random.integers(0, 11, 200).astype(np.float32) / 2  # with ties, as STS-B has
    predictions = (labels + random.normal(size=200)).astype(np.float32)[:, None]
    scores = score(["pearson", "spearman"], predictions, labels)
    assert scores["pearson"] == pytest.approx(scipy.stats.pearsonr(predictions[:, 0], labels).statistic, abs=1e-6)
    assert scores["spearman"] == pytest.approx(scipy.stats.spearmanr(predictions[:, 0], labels).statistic, abs=1e-12)


def test_right_and_wrong_by_hand():
    predictions = np.array([[2.0, 1.0], [0.0, 1.0], [0.0, 1.0], [3.0, 1.0]], np.float32)  # classes 0 1 1 0
    labels = np.array([0, 1, 0, 1], np.int32)
    scores = score(["accuracy", "f1", "macro_f1", "micro_f1", "matthews"], predictions, labels)
    assert scores == {"accuracy": 0.5, "f1": 0.5, "macro_f1": 0.5, "micro_f1": 0.5, "matthews": 0.0}


@pytest.mark.parametrize("name", ["matthews", "pearson", "spearman"])
def test_correlation_with_something_constant_is_zero(name):
    outputs = 2 if name == "matthews" else 1
    labels = np.array([0, 1, 1, 0], np.int32 if outputs == 2 else np.float32)
    constant = np.tile(np.arange(outputs, dtype=np.float32) + 1, (4, 1))
    varied = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 2.0], [3.0, 0.0]], np.float32)[:, :outputs]
    assert score([name], constant, labels) == {name: 0.0}
    assert score([name], varied, np.ones_like(labels)) == {name: 0.0}


def test_f1_is_zero_where_class_one_is_neither_there_nor_predicted():
    assert score(["f1"], np.array([[1.0, 0.0]] * 3, np.float32), np.zeros(3, np.int32)) == {"f1": 0.0}


def test_a_class_that_is_neither_there_nor_predicted_does_not_count_in_macro_f1():
    predictions = np.eye(3, dtype=np.float32)[[0, 1, 0]]
    assert score(["macro_f1"], predictions, np.array([0, 1, 0], np.int32)) == {"macro_f1": 1.0}


def test_unknown_metrics_are_refused_with_those_there_are():
    with pytest.raises(ValueError, match=f"no metric bleu. There are: {', '.join(METRICS)}"):
        score(["accuracy", "bleu"], np.zeros((1, 2)), np.zeros(1))


@pytest.mark.parametrize("predictions, labels", [((0, 2), 0), ((3, 2), 4)])
def test_one_prediction_for_each_of_some_examples_is_demanded(predictions, labels):
    with pytest.raises(ValueError, match=f"{predictions[0]} predictions and {labels} labels"):
        score(["accuracy"], np.zeros(predictions), np.zeros(labels))


def test_predictions_that_are_not_finite_are_an_error_and_not_a_score():
    with pytest.raises(RuntimeError, match="2 of 3 predictions are not finite"):
        score(["accuracy"], np.array([[0, 1], [np.nan, 0], [0, np.inf]], np.float32), np.zeros(3, np.int32))
