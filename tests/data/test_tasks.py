import itertools
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.labelled_examples import load_files
from gotd_jax.data.tasks import Examples, Task, draw, hold_out, target_corpus
from gotd_jax.evaluation.metrics import METRICS


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def rows(labels):
    return [{"text": f"text {number} is {label}", "label": label} for number, label in enumerate(labels)]


@pytest.fixture
def files(tmp_path):
    labels = ["yes", "no", "no"] * 10
    return {"train": write(tmp_path / "train.jsonl", rows(labels)), "test": write(tmp_path / "test.jsonl", rows(labels[:6]))}


def examples(counts, dtype=np.int32):
    labels = np.repeat(np.arange(len(counts)), counts).astype(dtype)
    return Examples(Corpus.from_texts([f"{row} of {label}" for row, label in enumerate(labels)]), labels)


def test_classes_are_the_sorted_labels_of_the_training_file(files):
    task = load_files("mine", **files)
    assert (task.kind, task.classes, task.outputs, task.test_split) == ("classification", ("no", "yes"), 2, "test")
    assert task.train.labels.tolist()[:4] == [1, 0, 0, 1]
    assert task.train.corpus.ids[:2] == ["train.jsonl:1", "train.jsonl:2"]
    assert task.validation is None
    assert len(task.test) == 6


def test_whole_numbers_as_labels_are_sorted_by_their_size(tmp_path):
    path = write(tmp_path / "a.jsonl", rows([10, 9, 2]))
    assert load_files("mine", path, path).classes == ("2", "9", "10")


def test_given_classes_keep_their_order_and_may_be_more_than_the_labels(files):
    task = load_files("mine", **files, classes=("yes", "no", "perhaps"))
    assert task.train.labels.tolist()[:3] == [0, 1, 1]
    assert task.outputs == 3


def test_a_parquet_file_gives_the_same_examples_as_json_lines(files, tmp_path):
    content = [json.loads(line) for line in files["train"].read_text().splitlines()]
    pq.write_table(pa.Table.from_pylist([row | {"unread": 1} for row in content]), tmp_path / "train.parquet")
    ours = load_files("mine", tmp_path / "train.parquet", files["test"]).train
    theirs = load_files("mine", **files).train
    assert ours.corpus.texts() == theirs.corpus.texts()
    assert ours.labels.tolist() == theirs.labels.tolist()


def test_pairs_and_numbers_make_a_regression_of_pairs(tmp_path):
    path = write(tmp_path / "a.jsonl", [{"a": "x", "b": "y", "score": 2.5, "id": "q"}, {"a": "x", "b": "z", "score": "4"}])
    task = load_files("mine", path, path, path, text_field="a", pair_field="b", label_field="score", kind="regression")
    assert (task.classes, task.outputs, task.metrics) == ((), 1, ("pearson", "spearman"))
    assert task.train.labels.dtype == np.float32
    assert task.validation.labels.tolist() == [2.5, 4.0]
    assert (task.train.corpus.pairs(), task.train.corpus.ids) == (["y", "z"], ["q", "a.jsonl:2"])


def test_default_metrics_exist(files):
    assert set(load_files("mine", **files).metrics) <= set(METRICS)


def test_faulty_labels_are_told_with_their_place(files, tmp_path, subtests):
    cases = [
        (rows(["yes", "maybe"]), r"odd\.jsonl:2 has 'maybe', a label the task does not have; its classes are no, yes"),
        ([{"text": "a"}], r"odd\.jsonl:1 has no field 'label'; its fields: text\..*label_field"),
        ([{"text": "a", "label": None}], r"None of the rows from .*odd\.jsonl:1 on has both a label and a text"),
        ([{"text": "a", "label": ["no"]}], r"odd\.jsonl:1 has the label \['no'\], neither text nor number"),
        ([], "test split of mine is empty"),
    ]
    for test_rows, message in cases:
        with subtests.test(test_rows=test_rows), pytest.raises(ValueError, match=message):
            load_files("mine", files["train"], write(tmp_path / "odd.jsonl", test_rows))


def test_a_regressions_label_that_is_no_finite_number_is_told_with_its_place(tmp_path):
    for label in ("high", "inf", "1,5", "1_0", "１", float("inf"), True):
        path = write(tmp_path / "a.jsonl", rows([1.5, label]))
        with pytest.raises(ValueError, match=rf"a\.jsonl:2 has the label '{label}', not a finite number"):
            load_files("mine", path, path, kind="regression")


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_row_without_a_gold_label_is_no_class_and_is_left_out_with_a_count(ending, tmp_path, caplog, subtests):
    for mark in [-1, "-1", -1.0, float("nan"), "NaN", None, "", "  ", "-", "<NA>"]:
        with subtests.test(mark=mark):
            caplog.clear()
            labels = ["0", "1", mark, "2", mark] if isinstance(mark, str) else [0, 1, mark, 2, mark]
            path = write(tmp_path / "a.jsonl", rows(labels))
            if ending == "parquet":
                pq.write_table(pa.Table.from_pylist(rows(labels)), path := tmp_path / "a.parquet")
            task = load_files("mine", path, path)
            assert task.classes == ("0", "1", "2") and task.train.labels.tolist() == [0, 1, 2]
            assert task.train.corpus.ids == [f"a.{ending}:1", f"a.{ending}:2", f"a.{ending}:4"]
            assert f"2 of 5 rows have no gold label, the first of them {path}:3, and are left out." in caplog.messages


def test_minus_one_is_a_class_where_it_is_named_and_refused_where_it_may_be_one(tmp_path, caplog):
    path = write(tmp_path / "a.jsonl", rows([1, -1, 0]))
    with pytest.raises(ValueError, match=r"a\.jsonl:2 has the label -1, which beside 0 and 1 may be a class"):
        load_files("mine", path, path)
    assert load_files("mine", path, path, classes=("-1", "0", "1")).train.labels.tolist() == [2, 0, 1]
    assert not caplog.messages


def test_minus_one_is_a_number_of_a_regression_and_missing_ones_are_left_out(tmp_path, caplog):
    path = write(tmp_path / "a.jsonl", rows([-1, None, float("nan"), 2.5, "-", "1e2"]))
    assert load_files("mine", path, path, kind="regression").train.labels.tolist() == [-1, 2.5, 100]
    assert caplog.messages[0].startswith("3 of 6 rows have no gold label")


def test_a_whole_number_is_one_class_however_it_is_written(tmp_path):
    train = write(tmp_path / "train.jsonl", rows([0.0, 1.0, None, "1.0", " 0 ", "10"]))
    test = write(tmp_path / "test.jsonl", rows([1, 0, "1 ", 10.0]))
    task = load_files("mine", train, test)
    assert task.classes == ("0", "1", "10")
    assert task.train.labels.tolist() == [0, 1, 1, 0, 2] and task.test.labels.tolist() == [1, 0, 1, 2]
    named = load_files("mine", train, test, classes=("1.0", "0.0", "10"))
    assert named.train.labels.tolist() == [1, 0, 0, 1, 2]


def test_a_row_without_a_text_or_half_of_its_pair_is_no_example(tmp_path, caplog, subtests):
    for field in ["a", "b"]:
        for text in [None, "", " \n", float("nan")]:
            with subtests.test(field=field, text=text):
                caplog.clear()
                records = [{"a": f"x {number}", "b": "y", "label": number % 2} for number in range(4)]
                records[1][field] = text
                path = write(tmp_path / "a.jsonl", records)
                task = load_files("mine", path, path, text_field="a", pair_field="b")
                assert task.train.corpus.texts() == ["x 0", "x 2", "x 3"] and task.train.labels.tolist() == [0, 0, 1]
                assert f"1 of 4 rows have no text, the first of them {path}:2, and are left out." in caplog.messages


def test_files_that_are_not_there_or_of_no_known_format_are_refused(files, tmp_path):
    with pytest.raises(ValueError, match="There is no file"):
        load_files("mine", tmp_path / "none.jsonl", files["test"])
    (tmp_path / "a.csv").write_text("text,label\n")
    with pytest.raises(ValueError, match=r"a\.csv is of no supported format"):
        load_files("mine", tmp_path / "a.csv", files["test"])
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet has no field 'label'"):
        load_files("mine", tmp_path / "a.parquet", files["test"])


def test_labels_that_do_not_fit_the_texts_are_refused(subtests):
    cases = [
        (np.zeros(2, np.int32), "1 texts and 2 labels"),
        (np.zeros(1, np.int64), r"int64 \[1\]\. Give int32"),
        (np.zeros((1, 1), np.float32), r"float32 \[1, 1\]"),
    ]
    for labels, message in cases:
        with subtests.test(labels=labels), pytest.raises(ValueError, match=message):
            Examples(Corpus.from_texts(["a"]), labels)


def test_tasks_that_contradict_themselves_are_refused(subtests):
    cases = [
        ({"kind": "ranking"}, "kind is 'ranking'. A task is a classification or a regression"),
        ({"classes": ("a",)}, "has the classes a. Give two or more"),
        ({"classes": ("a", "a")}, "Give two or more, each once"),
        ({"kind": "regression"}, r"regression and has the classes a, b. Give \(\)"),
        ({"kind": "regression", "classes": ()}, "train labels of mine, a regression, are int32"),
        ({"metrics": ()}, "mine has no metric"),
        ({"test": examples([2, 1, 1])}, "Row 3 of the test split of mine has the label 2; its classes are 0 to 1: a, b"),
        ({"validation": examples([2, 2], np.float32)}, "validation labels of mine, a classification, are float32"),
    ]
    for change, message in cases:
        with subtests.test(change=change):
            fields = dict(name="mine", kind="classification", classes=("a", "b"), metrics=("accuracy",), validation=None)
            good = fields | {"train": examples([3, 3]), "test": examples([2, 2])}
            Task(**good)
            with pytest.raises(ValueError, match=message):
                Task(**good | change)


def test_drawn_labels_stay_with_their_texts_in_their_order():
    drawn = draw(examples([70, 30]), 20, seed=3)
    numbers = [int(text.split()[0]) for text in drawn.corpus.texts()]
    assert numbers == sorted(numbers)
    assert [int(text.split()[2]) for text in drawn.corpus.texts()] == drawn.labels.tolist()


def test_a_draw_keeps_the_shares_of_the_classes(subtests):
    for seed in range(5):
        with subtests.test(seed=seed):
            drawn = draw(examples([70, 20, 10]), 50, seed)
            assert np.bincount(drawn.labels).tolist() == [35, 10, 5]


def test_a_draw_is_of_the_seed_and_not_of_the_first_rows():
    whole = examples([50, 50])
    ids = {seed: draw(whole, 10, seed).corpus.ids for seed in range(3)}
    assert ids[0] == draw(whole, 10, 0).corpus.ids
    assert ids[0] != ids[1] != ids[2] != ids[0]
    assert all(ids[seed] != whole.corpus.ids[:10] for seed in ids)


def test_a_draw_holds_every_smaller_draw_of_its_seed(subtests):
    for dtype in [np.int32, np.float32]:
        with subtests.test(dtype=dtype):
            whole = examples([13, 5, 2], dtype)
            draws = [set(draw(whole, n, seed=1).corpus.ids) for n in range(1, 21)]
            assert [len(ids) for ids in draws] == list(range(1, 21))
            assert all(small < large for small, large in itertools.pairwise(draws))


def test_as_many_as_there_are_or_none_given_is_all():
    whole = examples([3, 2])
    assert draw(whole, None, 0) is draw(whole, 5, 0) is draw(whole, 99, 0) is whole
    with pytest.raises(ValueError, match="0 examples were asked for"):
        draw(whole, 0, 0)


def test_held_out_examples_and_the_rest_are_all_of_them_each_once():
    whole = examples([70, 30])
    train, validation = hold_out(whole, 0.1, seed=0)
    assert np.bincount(validation.labels).tolist() == [7, 3]
    assert sorted(train.corpus.ids + validation.corpus.ids) == sorted(whole.corpus.ids)
    assert validation.corpus.ids != hold_out(whole, 0.1, seed=1)[1].corpus.ids


def test_a_share_that_leaves_one_side_empty_is_refused(subtests):
    for share in [0.0, 0.01, 0.99, 1.0, -0.5]:
        with subtests.test(share=share), pytest.raises(ValueError, match=re.escape(f"A share of {share} holds out")):
            hold_out(examples([5, 5]), share, seed=0)


def test_the_target_is_the_training_texts(files):
    task = load_files("mine", **files)
    assert target_corpus(task).texts() == task.train.corpus.texts()
