import json

import pytest

from gotd_jax.data import domain_tasks
from gotd_jax.evaluation.metrics import METRICS


@pytest.fixture
def data_dir(tmp_path):
    for task in ("mine", "chemprot", "imdb"):
        (tmp_path / task).mkdir()
        for size, split in ((4, "train"), (3, "dev"), (2, "test")):
            rows = [{"text": f"{split} {i}", "label": "BA"[i % 2], "metadata": ["x"]} for i in range(size)]
            (tmp_path / task / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "train.jsonl").write_text("")
    return tmp_path


def test_dev_is_validation_and_test_is_test(data_dir):
    task = domain_tasks.load("chemprot", data_dir)
    assert [len(task.train), len(task.validation), len(task.test)] == [4, 3, 2]
    assert task.validation.corpus.texts() == ["dev 0", "dev 1", "dev 2"]
    assert task.classes == ("A", "B")
    assert task.train.labels.tolist() == [1, 0, 1, 0]
    assert task.test_split == "test"


@pytest.mark.parametrize(("name", "metric"), [("chemprot", "micro_f1"), ("imdb", "macro_f1"), ("mine", "macro_f1")])
def test_the_first_metric_is_the_papers(data_dir, name, metric):
    assert domain_tasks.load(name, data_dir).metrics[0] == metric


def test_every_metric_named_exists():
    assert {metric for spec in domain_tasks.DOMAIN_TASKS.values() for metric in spec.metrics} <= set(METRICS)


def test_tasks_whose_three_files_are_there_are_available(data_dir):
    assert domain_tasks.available(data_dir) == ["chemprot", "imdb", "mine"]
    assert domain_tasks.available(data_dir / "none") == []


def test_missing_files_and_the_tasks_there_are_are_named(data_dir):
    with pytest.raises(
        ValueError, match=r"unfinished has no dev\.jsonl, test\.jsonl; the tasks in .* are: chemprot, imdb, mine"
    ):
        domain_tasks.load("unfinished", data_dir)


def test_a_label_that_the_training_file_lacks_is_named(data_dir):
    (data_dir / "mine" / "dev.jsonl").write_text('{"text": "a", "label": "C"}\n')
    with pytest.raises(ValueError, match=r"dev\.jsonl:1 has 'C', a label the task does not have; its classes are A, B"):
        domain_tasks.load("mine", data_dir)
