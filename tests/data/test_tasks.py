import json

import numpy as np
import pytest

from gotd_jax.data import domain_tasks
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tasks import Examples, Task, load_files


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture
def files(tmp_path):
    rows = [{"text": f"text {i}", "label": "no" if i % 3 else "yes"} for i in range(30)]
    return {"train": write(tmp_path / "train.jsonl", rows), "test": write(tmp_path / "test.jsonl", rows[:6])}


def test_classes_are_the_sorted_labels_of_the_training_split(files):
    task = load_files("mine", **files)
    assert task.classes == ("no", "yes")
    assert task.outputs == 2
    np.testing.assert_array_equal(task.train.labels[:4], [1, 0, 0, 1])
    assert task.validation is None
    assert task.target.texts()[:2] == ["text 0", "text 1"]


def test_label_that_the_training_split_lacks_is_named(files, tmp_path):
    files["test"] = write(tmp_path / "odd.jsonl", [{"text": "a", "label": "yes"}, {"text": "b", "label": "perhaps"}])
    with pytest.raises(ValueError, match=r"Example 2 of the test split of mine has the label 'perhaps'.*no, yes"):
        load_files("mine", **files)


def test_row_without_a_label_is_named(files, tmp_path):
    files["train"] = write(tmp_path / "odd.jsonl", [{"text": "a", "label": "yes"}, {"text": "b"}])
    with pytest.raises(ValueError, match=r"odd\.jsonl:2"):
        load_files("mine", **files)
    files["train"] = write(tmp_path / "odd.jsonl", [{"text": "a", "label": "yes"}, {"text": "b", "label": None}])
    with pytest.raises(ValueError, match=r"odd\.jsonl:2 has the label None"):
        load_files("mine", **files)


def test_task_of_one_class_is_refused(tmp_path):
    path = write(tmp_path / "one.jsonl", [{"text": "a", "label": 1}])
    with pytest.raises(ValueError, match="two classes or more"):
        load_files("mine", train=path, test=path)


def test_missing_files_name_the_flag():
    with pytest.raises(ValueError, match=r"no test files. Name them with --config\.task\.test="):
        load_files("mine", train="x.jsonl", test="")


def test_regression_has_numbers_and_one_output(tmp_path):
    path = write(tmp_path / "real.jsonl", [{"a": "x", "b": "y", "score": 2.5}, {"a": "x", "b": "z", "score": "4"}])
    fields = {"text_field": "a", "pair_field": "b", "label_field": "score", "kind": "regression", "metrics": ("pearson",)}
    task = load_files("mine", train=path, test=path, **fields)
    assert task.outputs == 1
    assert task.train.labels.dtype == np.float32
    assert task.train.labels.tolist() == [2.5, 4.0]
    assert task.train.corpus.pairs() == ["y", "z"]
    bad = write(tmp_path / "bad.jsonl", [{"a": "x", "b": "y", "score": "high"}])
    with pytest.raises(ValueError, match="'high'; a regression's are numbers"):
        load_files("mine", train=bad, test=path, **fields)


def test_labels_are_drawn_by_the_seed_and_not_the_first_rows(files):
    task = load_files("mine", **files)
    drawn = task.with_labels(10, seed=0)
    assert len(drawn.train) == 10
    assert drawn.train.corpus.ids != task.train.corpus.ids[:10]
    assert drawn.train.corpus.ids == task.with_labels(10, seed=0).train.corpus.ids
    assert drawn.train.corpus.ids != task.with_labels(10, seed=1).train.corpus.ids
    assert len(task.with_labels(None, seed=0).train) == len(task.with_labels(99, seed=0).train) == 30
    with pytest.raises(ValueError, match="0 labelled examples"):
        task.with_labels(0, seed=0)


def test_labels_stay_with_their_texts(files):
    task = load_files("mine", **files).with_labels(10, seed=3)
    for text, label in zip(task.train.corpus.texts(), task.train.labels):
        assert label == (int(text.split()[1]) % 3 == 0)


def test_examples_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="1 texts and 2 labels"):
        Examples(Corpus.from_texts(["a"]), np.zeros(2, np.int32))


def test_unknown_kind_is_refused(files):
    examples = load_files("mine", **files).train
    with pytest.raises(ValueError, match=r"kind 'ranking'\. There are: classification, regression"):
        Task("mine", "ranking", (), ("accuracy",), examples, None, examples, "test")


def test_dont_stop_pretraining_layout_is_read_with_the_papers_metric(tmp_path):
    rows = [{"text": f"t{i}", "label": "AB"[i % 2], "metadata": []} for i in range(6)]
    for folder in ("chemprot", "mine"):
        for split in ("train", "dev", "test"):
            write(tmp_path / folder / f"{split}.jsonl", rows)
    chemprot, mine = (domain_tasks.load(name, tmp_path) for name in ("chemprot", "mine"))
    assert (chemprot.metrics, mine.metrics) == (("micro_f1",), ("macro_f1",))
    assert len(mine.validation) == 6
    assert mine.test_split == "test"


def test_task_that_lies_nowhere_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(ValueError, match=r"lacks train.jsonl, dev.jsonl, test.jsonl"):
        domain_tasks.load("nothing", tmp_path)
    with pytest.raises(ValueError, match="name its files"):
        domain_tasks.load("nothing", None)
