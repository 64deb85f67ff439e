"""The paper's tables as data: nothing is lost in reading, and the notes say what the numbers say."""

import re

import pytest

from gotd_jax.data.domain_tasks import DOMAIN_TASKS
from gotd_jax.data.glue import GLUE
from gotd_jax.methods import METHODS
from gotd_jax.report import column_names, paper, paper_domains, paper_glue
from gotd_jax.report.paper_detox import UTILITY_TASKS
from gotd_jax.report.paper_glue import TASKS

OTHERS = tuple(task for task in TASKS if task not in ("RTE", "MRPC"))


GLUE_METHODS = {"none", "dsir", "tapt_c", "got_d"}
WRONG_AVERAGES = {"table_4_5k": ("dsir", "tapt_c", "got_d"), "table_3": ("dsir", "tapt_c", "got_d")}


def found(name):
    (table,) = paper.find(name)
    return table


def test_every_table_is_of_methods_that_exist_here_and_can_be_named(subtests):
    for name in paper.TABLES:
        with subtests.test(name=name):
            table = found(name)
            assert set(table.scores) <= set(METHODS) & set(table.names)
            assert len({frozenset(scores) for scores in table.scores.values()}) == 1


def test_every_glue_table_has_four_methods_on_eight_tasks_that_exist_here(subtests):
    for name in paper_glue.TABLES:
        with subtests.test(name=name):
            table = found(name)
            assert set(table.scores) == set(table.printed_averages) == GLUE_METHODS
            for scores in table.scores.values():
                assert set(scores) == set(TASKS) <= set(GLUE)
                assert all(50 < mean < 100 and 0 < spread < 3 for mean, spread in scores.values())


def test_scores_are_those_printed():
    cases = [
        ("table_4_all", "none", "MRPC", (81.37, 1.92)),
        ("table_4_all", "got_d", "CoLA", (57.01, 0.36)),
        ("table_4_5k", "dsir", "RTE", (77.25, 0.77)),
        ("table_4_5k", "tapt_c", "QNLI", (83.65, 0.16)),
        ("table_12", "got_d", "STS-B", (87.69, 0.16)),
        ("table_12", "tapt_c", "MNLI", (65.83, 0.56)),
        ("table_2", "none", "hyperpartisan_news", (91.80, 0.47)),
        ("table_2", "all_domains", "amazon", (69.16, 1.12)),
        ("table_2", "got_d", "rct-20k", (87.21, 0.15)),
        ("table_3", "tapt_c", "sciie", (81.76, 0.61)),
        ("table_3", "got_d", "imdb", (92.16, 0.03)),
        ("table_1_10k", "contrast", column_names.TP_NONTOXIC, (0.11, None)),
        ("table_1_20k", "got_d", column_names.TP_TOXIC, (0.28, None)),
        ("table_1_20k", "dsir", column_names.PERPLEXITY, (30.4, None)),
        ("table_6_10k", "rtp", column_names.by_second(column_names.EMT_NONTOXIC), (0.31, None)),
        ("table_6_20k", "got_d", column_names.by_second(column_names.EMT_TOXIC), (0.33, None)),
        ("table_7_10k", "rtp", "boolq ↑", (42.7, None)),
        ("table_7_20k", "random", "lambada ↑", (32.3, None)),
        ("table_16_40k", "got_d", "ag_news ↑", (63.4, None)),
        ("table_17_tokens_5k", "got_d", "ag_news ↑", (50.3, None)),
        ("table_18", "dsir", "boolq ↑", (53.3, None)),
    ]
    for name, method, task, expected in cases:
        assert found(name).scores[method][task] == expected, (name, method, task)


def test_vanilla_is_the_same_in_both_tables_of_5k_labels():
    assert paper.TABLES["table_4_5k"].scores["none"] == paper.TABLES["table_12"].scores["none"]


def test_only_the_averages_named_in_a_note_do_not_add_up():
    """A slip of a digit in reading any row of the other tables would show here."""
    tolerances = dict.fromkeys(paper_glue.TABLES, 0.02) | dict.fromkeys(paper_domains.TABLES, 0.0101)
    wrong = {
        (name, method)
        for name, table in paper.TABLES.items()
        for method in table.printed_averages
        if abs(table.average(method) - table.printed_averages[method]) > tolerances.get(name, 0.1)
    }
    assert wrong == {(name, method) for name, methods in WRONG_AVERAGES.items() for method in methods}


@pytest.mark.parametrize("name", WRONG_AVERAGES)
def test_the_note_on_averages_has_the_right_numbers(name):
    table, methods = paper.TABLES[name], WRONG_AVERAGES[name]
    note = next(note for note in table.notes if "add up" in note)
    expected = [table.printed_averages[method] for method in methods] + [table.average(method) for method in methods]
    assert [float(number) for number in re.findall(r"\d+\.\d+", note)] == pytest.approx(expected, abs=0.0051)


def test_the_domain_tables_are_of_the_tasks_that_exist_here_in_their_order():
    for table in (paper.TABLES["table_2"], paper.TABLES["table_3"]):
        assert all(tuple(scores) == tuple(DOMAIN_TASKS) for scores in table.scores.values())
        assert table.printed_spreads.keys() == table.printed_averages.keys() == table.scores.keys()
        assert all(60 < mean < 95 and 0 < spread < 7 for scores in table.scores.values() for mean, spread in scores.values())


def test_vanilla_is_the_same_in_both_domain_tables_on_the_four_tasks_of_few_labels_as_the_note_says():
    full, few = (paper.TABLES[name].scores["none"] for name in ("table_2", "table_3"))
    same = [DOMAIN_TASKS[task].title for task in full if full[task] == few[task]]
    assert same == ["ChemProt", "ACL-ARC", "Sci-ERC", "HyperPartisan"]
    assert any(f"{', '.join(same[:3])} and {same[3]} have fewer" in note for note in paper.TABLES["table_3"].notes)


@pytest.mark.parametrize("name", paper_domains.TABLES)
def test_every_pre_fine_tuned_row_is_below_vanilla_on_hyperpartisan_as_the_note_says(name):
    table = paper.TABLES[name]
    means = {method: scores["hyperpartisan_news"][0] for method, scores in table.scores.items()}
    assert all(mean < means["none"] for method, mean in means.items() if method != "none")
    assert any("65 articles" in note for note in table.notes)


@pytest.mark.parametrize(("name", "methods"), [("table_2", ("dapt", "got_d")), ("table_3", ("got_d",))])
def test_the_note_on_spreads_names_those_that_no_average_can_have(name, methods):
    """The standard deviation of a mean is at most the mean of the standard deviations."""
    table = paper.TABLES[name]
    most = {method: sum(spread for _, spread in scores.values()) / len(scores) for method, scores in table.scores.items()}
    beyond = tuple(method for method in most if table.printed_spreads[method] > most[method] + 0.01)
    assert beyond == methods
    note = next(note for note in table.notes if "printed spreads" in note)
    numbers = [float(number) for number in re.findall(r"\d+\.\d+", note)]
    expected = [table.printed_spreads[method] for method in methods] + [most[method] for method in methods]
    assert numbers[: len(expected)] == pytest.approx(expected, abs=0.0051)


def test_the_notes_on_gains_over_vanilla_in_table_2_have_the_right_numbers():
    table = paper.TABLES["table_2"]
    gain = table.printed_averages["got_d"] - table.printed_averages["none"]
    assert gain == pytest.approx(table.printed_spreads["got_d"]) == paper.TABLES["table_3"].printed_spreads["got_d"]
    others = [task for task in DOMAIN_TASKS if task != "citation_intent"]
    without = table.average("got_d", others) - table.average("none", others)
    spread, whole, left = (float(number) for number in re.findall(r"\d+\.\d+", table.notes[-1]))
    assert (spread, whole) == (table.scores["none"]["citation_intent"][1], pytest.approx(gain))
    assert left == pytest.approx(without, abs=0.0051)


@pytest.mark.parametrize("name", ["table_4_all", "table_4_5k"])
def test_the_note_on_mnli_has_the_right_gains(name):
    table = paper.TABLES[name]
    note = next(note for note in table.notes if "MNLI" in note)
    gains = [table.average(method, OTHERS) - table.average("none", OTHERS) for method in ("got_d", "dsir", "tapt_c")]
    assert [float(number) for number in re.findall(r"0\.\d+", note)] == pytest.approx(gains, abs=0.0051)


def test_an_unknown_table_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'table_4'.*table_4_all, table_4_5k, table_12"):
        paper.find("table_4")


@pytest.mark.parametrize("size", ["10k", "20k"])
def test_utility_of_table_1_is_the_average_of_table_7(size):
    one, seven = paper.TABLES[f"table_1_{size}"], paper.TABLES[f"table_7_{size}"]
    assert {method: scores[column_names.UTILITY][0] for method, scores in one.scores.items()} == seven.printed_averages


@pytest.mark.parametrize("size", ["10k", "20k"])
def test_the_note_on_boolq_has_the_right_averages_and_range(size):
    table = paper.TABLES[f"table_7_{size}"]
    (note,) = table.notes
    others = [column_names.accuracy(task) for task in UTILITY_TASKS if task != "boolq"]
    methods = ("none", "got_d", "contrast", "rtp", "dsir", "random")
    least, most, *averages = [float(number) for number in re.findall(r"\d+\.\d+", note)]
    assert averages == pytest.approx([table.average(method, others) for method in methods], abs=0.0051)
    boolq = [scores["boolq ↑"][0] for name in ("table_7_10k", "table_7_20k") for scores in paper.TABLES[name].scores.values()]
    assert (least, most) == (min(boolq), max(boolq))


def test_contrast_is_printed_alike_at_both_budgets_as_the_note_says_and_no_other_method_is():
    small, large = (paper.TABLES[f"table_6_{size}"] for size in ("10k", "20k"))
    assert {method for method in small.scores if small.scores[method] == large.scores[method]} == {"none", "contrast"}
    assert any("contrast are identical" in note for note in small.notes)


def test_the_note_on_embeddings_has_the_numbers_of_tables_16_and_17():
    note = next(note for note in paper.TABLES["table_16_5k"].notes if "Table 17" in note)
    column = "ag_news ↑"
    names = ("table_17_sentences_5k", "table_17_sentences_20k")
    expected = [paper.TABLES[name].scores["got_d"][column][0] for name in names]
    expected += [paper.TABLES[name].scores["tapt_c"][column][0] for name in ("table_16_5k", "table_16_20k")]
    assert [float(number) for number in re.findall(r"\d+\.\d+", note)] == expected


def test_several_tables_are_found_by_names_with_commas_between():
    assert [table.budget for table in paper.find("table_16_5k, table_16_40k")] == [5_000, 40_000]
    assert paper.find("") == []
