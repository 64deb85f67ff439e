"""The paper's tables as data: nothing is lost in reading, and the notes say what the numbers say."""

import re

import pytest

from gotd_jax.data.glue import GLUE
from gotd_jax.methods import METHODS
from gotd_jax.report import paper

OTHERS = tuple(task for task in paper.TASKS if task not in ("RTE", "MRPC"))


@pytest.mark.parametrize("name", paper.TABLES)
def test_every_table_has_four_methods_on_eight_tasks_that_exist_here(name):
    table = paper.find(name)
    assert set(table.scores) == set(table.printed_averages) == set(paper.LABELS) <= set(METHODS)
    for scores in table.scores.values():
        assert set(scores) == set(paper.TASKS) <= set(GLUE)
        assert all(50 < mean < 100 and 0 < spread < 3 for mean, spread in scores.values())


@pytest.mark.parametrize(
    ("name", "method", "task", "expected"),
    [
        ("table_4_all", "none", "MRPC", (81.37, 1.92)),
        ("table_4_all", "got_d", "CoLA", (57.01, 0.36)),
        ("table_4_5k", "dsir", "RTE", (77.25, 0.77)),
        ("table_4_5k", "tapt_c", "QNLI", (83.65, 0.16)),
        ("table_12", "got_d", "STS-B", (87.69, 0.16)),
        ("table_12", "tapt_c", "MNLI", (65.83, 0.56)),
    ],
)
def test_scores_are_those_printed(name, method, task, expected):
    assert paper.find(name).scores[method][task] == expected


def test_vanilla_is_the_same_in_both_tables_of_5k_labels():
    assert paper.TABLES["table_4_5k"].scores["none"] == paper.TABLES["table_12"].scores["none"]


def test_only_the_averages_named_in_a_note_do_not_add_up():
    """A slip of a digit in reading any row of the other tables would show here."""
    wrong = {
        (name, method)
        for name, table in paper.TABLES.items()
        for method in table.scores
        if abs(table.average(method) - table.printed_averages[method]) > 0.02
    }
    assert wrong == {("table_4_5k", method) for method in ("dsir", "tapt_c", "got_d")}


def test_the_note_on_averages_has_the_right_numbers():
    table = paper.TABLES["table_4_5k"]
    note = next(note for note in table.notes if "add up" in note)
    methods = ("dsir", "tapt_c", "got_d")
    expected = [table.printed_averages[method] for method in methods] + [table.average(method) for method in methods]
    assert [float(number) for number in re.findall(r"\d+\.\d+", note)] == pytest.approx(expected, abs=0.0051)


@pytest.mark.parametrize("name", ["table_4_all", "table_4_5k"])
def test_the_note_on_mnli_has_the_right_gains(name):
    table = paper.TABLES[name]
    note = next(note for note in table.notes if "MNLI" in note)
    gains = [table.average(method, OTHERS) - table.average("none", OTHERS) for method in ("got_d", "dsir", "tapt_c")]
    assert [float(number) for number in re.findall(r"0\.\d+", note)] == pytest.approx(gains, abs=0.0051)


def test_an_unknown_table_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'table_4'.*table_4_all, table_4_5k, table_12"):
        paper.find("table_4")
