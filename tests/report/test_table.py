import csv

import numpy as np
import pytest

from gotd_jax.report import comparison, comparison_table, grouping, paper, rendering, table


def row(task="CoLA", method="got_d", seed=0, score=0.5, **fields):
    metric = "matthews" if task == "CoLA" else "accuracy"
    return {
        "task": task,
        "method": method,
        "budget": 500,
        "seed": seed,
        "metric": metric,
        "score": score,
        "evaluated_on": "dev",
        "seconds": {"embed": 1.0, "finetune": 2.4},
        **fields,
    }


def cells(made, label):
    line = next(line for line in made.lines if line.label == label)
    return dict(zip(made.columns, map(str, line.cells)))


COMPLETE = [
    row(task, method, seed, score)
    for method, scores in (("none", ((0.1, 0.2, 0.6), (0.7, 0.5, 0.6))), ("got_d", ((0.2, 0.3, 0.4), (0.8, 0.8, 0.8))))
    for task, of_task in zip(("CoLA", "RTE"), scores)
    for seed, score in enumerate(of_task)
]


def test_a_cell_is_the_mean_and_sample_deviation_over_seeds():
    made = table.make(COMPLETE)
    assert made.columns == ("CoLA", "RTE", "average")
    assert cells(made, "none") == {"CoLA": "30.00_26.46", "RTE": "60.00_10.00", "average": "45.00_13.23"}
    assert cells(made, "got_d") == {"CoLA": "30.00_10.00", "RTE": "80.00_0.00", "average": "55.00_5.00"}


def test_the_average_is_of_the_means_and_its_spread_over_seeds():
    cell = table.make(COMPLETE).lines[0].cells[-1]
    assert cell.mean == pytest.approx(np.mean([30, 60]))
    assert cell.spread == pytest.approx(np.std([40, 35, 60], ddof=1))


def test_one_task_has_no_average():
    assert table.make([row()]).columns == ("CoLA",)


def test_one_seed_has_no_spread():
    made = table.make([row(), row("RTE")])
    assert cells(made, "got_d") == {"CoLA": "50.00", "RTE": "50.00", "average": "50.00"}
    assert "1 seed, so without a spread" in made.notes[0]


def test_a_cell_with_seeds_missing_says_so():
    rows = [each for each in COMPLETE if not (each["method"] == "got_d" and each["task"] == "RTE" and each["seed"] > 0)]
    found = cells(table.make(rows), "got_d")
    assert found == {"CoLA": "30.00_10.00", "RTE": "80.00 (1 of 3 seeds)", "average": "50.00 (1 of 3 seeds)"}


def test_a_cell_with_no_seed_says_so_and_leaves_no_average():
    rows = [each for each in COMPLETE if not (each["method"] == "got_d" and each["task"] == "RTE")]
    assert cells(table.make(rows), "got_d") == {"CoLA": "30.00_10.00", "RTE": "0 of 3 seeds", "average": "0 of 3 seeds"}


def test_a_measure_that_a_method_does_not_have_is_not_missing():
    def measured(method, *columns, task="films"):
        measures = {name: {"value": 1.0, "error": None, "count": None, "unit": "", "what": "passes"} for name in columns}
        return {"task": task, "method": method, "budget": 5, "seed": 0, "measures": measures}

    made = table.make([measured("got_d", "share", "passes"), measured("random", "share")])
    assert cells(made, "random") == {"share": "1.00", "passes": ""}
    assert made.notes[0] == "1 seed, so without a spread."
    later = table.make([measured("got_d", "share", "passes"), measured("random", "share", task="news")])
    assert cells(later, "random") == {"share": "1.00", "passes": "0 of 1 seeds"}  # on films it may have it


def test_tasks_and_methods_stand_in_the_order_of_the_rows():
    made = table.make([row("RTE", "random"), row("RTE", "dsir"), row("CoLA", "random"), row("CoLA", "dsir")])
    assert made.columns == ("RTE", "CoLA", "average")
    assert [line.label for line in made.lines] == ["random", "dsir"]


def test_budgets_are_lines_of_their_own():
    made = table.make([row(budget=500), row(budget=20_000, score=0.6), row(method="none")])
    assert [(line.label, str(line.cells[0])) for line in made.lines] == [
        ("got_d, budget 500", "50.00"),
        ("got_d, budget 20,000", "60.00"),
        ("none", "50.00"),
    ]


def test_other_fields_make_lines_when_named():
    rows = [row(epsilon=epsilon, score=epsilon) for epsilon in (0.01, 0.1)]
    made = table.make(rows, by=("method", "epsilon"))
    assert [(line.label, str(line.cells[0])) for line in made.lines] == [
        ("got_d, epsilon 0.01", "1.00"),
        ("got_d, epsilon 0.1", "10.00"),
    ]


def test_two_scores_of_one_seed_are_an_error_and_not_averaged():
    with pytest.raises(ValueError, match="both got_d on CoLA with seed 0"):
        table.make([row(epsilon=0.01), row(epsilon=0.1)])


def test_no_rows_are_an_error():
    with pytest.raises(ValueError, match="no results"):
        table.make([])


def test_the_papers_line_stands_beneath_ours_of_the_same_method():
    made = table.make([row(method=method) for method in ("none", "random", "got_d")], paper="table_12")
    assert [line.label for line in made.lines] == ["none", "BERT vanilla (paper)", "random", "got_d", "GOT-D (paper)"]
    assert cells(made, "GOT-D (paper)") == {"CoLA": "55.46_0.43"}
    assert "20,000 chunks selected, 3 seeds" in made.notes[1]
    assert set(paper.TABLES["table_12"].notes) < set(made.notes)


def test_the_papers_average_is_over_the_tasks_shown():
    made = table.make([row(), row("RTE")], paper="table_4_5k")
    assert cells(made, "GOT-D (paper)")["average"] == f"{(55.20 + 77.97) / 2:.2f}"


def test_tasks_and_methods_that_the_paper_lacks_stay_empty():
    made = table.make([row(), row("sst-5")], paper="table_12")
    assert cells(made, "GOT-D (paper)") == {"CoLA": "55.46_0.43", "sst-5": "", "average": ""}
    assert [line.source for line in table.make([row("sst-5")], paper="table_12").lines] == ["ours"]


def test_an_unknown_published_table_is_an_error():
    with pytest.raises(ValueError, match="no 'table_5'"):
        table.make([row()], paper="table_5")


def test_metrics_and_splits_are_in_the_notes():
    assert "over 3 seeds. CoLA: matthews on dev; RTE: accuracy on dev." in table.make(COMPLETE).notes[0]


def test_write_leaves_four_files_and_returns_the_text(tmp_path):
    text = table.write(COMPLETE, tmp_path, paper="table_12")
    made, compared = table.make(COMPLETE, paper="table_12"), comparison.compare(COMPLETE)
    assert text == f"{rendering.text(made)}\n\n{comparison_table.text(compared)}"
    assert {file.name for file in tmp_path.iterdir()} == {"table.md", "table.csv", "table.tex", "statistics.csv"}
    assert (
        tmp_path / "table.md"
    ).read_text() == f"{rendering.markdown(made)}\n```text\n{comparison_table.text(compared)}\n```\n"
    assert (tmp_path / "table.tex").read_text() == rendering.latex(made)
    assert (tmp_path / "statistics.csv").read_text() == comparison_table.csv(compared)


def test_a_table_of_one_line_has_no_comparisons(tmp_path):
    made = table.make([row()])
    assert table.write([row()], tmp_path) == rendering.text(made)
    assert (tmp_path / "table.md").read_text() == rendering.markdown(made)


def test_protocol_sentences_are_notes_each_once():
    rows = [row(method=method, protocol=["The paper has 5 seeds.", f"{method} differs."]) for method in ("none", "got_d")]
    expected = ("The paper has 5 seeds.", "none differs.", "got_d differs.")
    assert table.make(rows, paper="table_12").notes[1:4] == expected
    assert table.make([{**measured(emt=0.5), "protocol": ["Other prompts."]}]).notes[-1] == "Other prompts."


def test_a_field_that_a_method_does_not_read_is_not_in_its_label():
    rows = [row(epsilon=0.01), row(epsilon=0.1), row(method="random", epsilon=None)]
    assert [line.label for line in table.make(rows, by=("method", "epsilon")).lines][-1] == "random"


def test_text_is_aligned():
    lines = rendering.text(table.make(COMPLETE)).splitlines()
    assert len({len(line) for line in lines[:4]}) == 1
    assert lines[0].split() == ["method", "CoLA", "RTE", "average"]
    assert lines[2].split() == ["none", "30.00_26.46", "60.00_10.00", "45.00_13.23"]


def test_markdown_has_a_cell_for_each_column():
    lines = rendering.markdown(table.make([row("a|b"), row("RTE")])).splitlines()
    assert lines[0] == r"| method | a\|b | RTE | average |"
    assert lines[1] == "| --- | ---: | ---: | ---: |"
    assert lines[2] == "| got_d | 50.00 | 50.00 | 50.00 |"
    assert lines[4].startswith("- Scores")


def test_csv_has_a_line_a_cell_with_full_numbers(tmp_path):
    table.write([*COMPLETE, row("CoLA", "random", 0, 1 / 3)], tmp_path, paper="table_12")
    with open(tmp_path / "table.csv", newline="") as file:
        found = {(line["line"], line["task"]): line for line in csv.DictReader(file)}
    assert len(found) == 5 * 3
    assert found["random", "CoLA"] == {
        "source": "ours", "line": "random", "method": "random", "budget": "500", "task": "CoLA",
        "mean": "33.333333", "spread": "", "seeds": "1", "seeds_expected": "3", "error": "", "items": "",
    }  # fmt: skip
    assert found["random", "RTE"]["mean"] == ""
    assert found["GOT-D (paper)", "RTE"]["mean"] == "61.010000"


def test_latex_escapes_what_it_would_read_as_commands():
    assert rendering.latex_text(r"a_b & 5% #1 {x} ~^\ $") == (
        r"a\_b \& 5\% \#1 \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{} \$"
    )


def test_latex_has_subscripts_and_rows_of_equal_length():
    lines = rendering.latex(table.make([*COMPLETE, row("RTE", "random", 1)])).splitlines()
    rows = [line for line in lines if line.endswith(r"\\")]
    assert {line.count(" & ") for line in rows} == {3}
    assert r"got\_d & $30.00_{10.00}$ & $80.00_{0.00}$ & $55.00_{5.00}$ \\" in rows
    assert r"random & 0 of 3 seeds & 50.00 (1 of 3 seeds) & 0 of 3 seeds \\" in rows


def test_a_row_is_described_in_one_line():
    assert table.describe(row(budget=50_000, score=0.5678)) == "CoLA got_d 50,000 seed 0: matthews 56.78 on dev (3 s)"


def measured(method="got_d", seed=0, budget=500, **values):
    """A row with the measures `values`, each a number or (number, error, count)."""
    measures = {}
    for name, value in values.items():
        number, error, count = value if isinstance(value, tuple) else (value, None, None)
        column = {"emt": "EMT toxic ↓", "ppl": "PPL ↓"}[name]
        measures[column] = {"value": number, "error": error, "count": count, "unit": "prompts", "what": f"what {name} is"}
    return {"task": "writing", "method": method, "budget": budget, "seed": seed, "measures": measures, "seconds": {"a": 2.4}}


def test_measures_are_columns_as_they_are_and_have_no_average():
    made = table.make([measured(emt=0.45, ppl=33.0), measured("none", emt=0.62, ppl=34.2)])
    assert made.columns == ("EMT toxic ↓", "PPL ↓")
    assert cells(made, "none") == {"EMT toxic ↓": "0.62", "PPL ↓": "34.20"}


def test_one_seeds_standard_errors_and_counts_are_in_the_notes_and_in_the_csv():
    made = table.make([measured(emt=(0.45, 0.031, 24), ppl=30.0), measured("none", emt=(0.62, 0.04, 24), ppl=34.2)])
    assert made.notes[1:] == (
        "EMT toxic ↓: what emt is, over 24 prompts. Standard errors over them: got_d 0.031, none 0.04.",
        "PPL ↓: what ppl is.",
    )
    assert "ours,got_d,got_d,500,EMT toxic ↓,0.450000,,1,1,0.031000,24" in rendering.csv(made).splitlines()


def test_measures_over_seeds_have_a_spread_and_no_standard_error():
    made = table.make([measured(seed=seed, emt=(emt, 0.1, 24)) for seed, emt in enumerate((0.2, 0.4))])
    assert cells(made, "got_d") == {"EMT toxic ↓": "0.30_0.14"}
    assert "Standard errors" not in " ".join(made.notes)


def test_rows_of_several_tasks_share_a_line_and_each_fills_its_columns():
    rows = [measured(emt=0.5), {**measured(ppl=30.0), "task": "another"}]
    assert cells(table.make(rows), "got_d") == {"EMT toxic ↓": "0.50", "PPL ↓": "30.00"}


def test_baselines_are_a_line_of_their_own():
    rows = [{**measured(emt=0.5, ppl=3.0), "baselines": {"majority class": {"EMT toxic ↓": 62.0}}}, measured("none", emt=0.6)]
    made = table.make(rows)
    assert cells(made, "majority class") == {"EMT toxic ↓": "62.00", "PPL ↓": ""}
    assert [line.source for line in made.lines] == ["baseline", "ours", "ours"]


def test_the_papers_measures_stand_beneath_ours():
    made = table.make([measured(method, emt=0.5, ppl=30.0) for method in ("none", "got_d")], paper="table_1_10k")
    assert cells(made, "GPT-2 base (paper)") == {"EMT toxic ↓": "0.62", "PPL ↓": "34.20"}
    assert cells(made, "GOT-D_clean (paper)") == {"EMT toxic ↓": "0.45", "PPL ↓": "33.00"}
    assert "Paper: Table 1, Perspective, 10k, 10,000 chunks selected, 1 run." in made.notes


def test_several_published_tables_are_told_by_their_titles_and_repeat_no_line_of_no_selection():
    rows = [
        {**row("x", method), "measures": {"ag_news ↑": {"value": 50.0, "what": "accuracy"}}} for method in ("none", "got_d")
    ]
    made = table.make(rows, paper="table_16_5k,table_16_10k")
    assert [line.label for line in made.lines] == [
        "none",
        "no selection (paper, Table 16, GPT-2 XL, 5,000)",
        "got_d",
        "GOT-D (paper, Table 16, GPT-2 XL, 5,000)",
        "GOT-D (paper, Table 16, GPT-2 XL, 10,000)",
    ]
    assert len(made.notes) == len(set(made.notes))


def test_arrows_are_commands_in_latex():
    assert rendering.latex_text("PPL ↓, utility ↑") == r"PPL $\downarrow$, utility $\uparrow$"


def test_a_row_of_measures_is_described_by_its_first():
    assert table.describe(measured(emt=0.451, ppl=30)) == "writing got_d 500 seed 0: EMT toxic ↓ 0.45, PPL ↓ 30.00 (2 s)"


def test_tasks_of_one_column_are_told_apart():
    measures = {"purity ↑": {"value": 1.0, "count": None, "unit": "", "error": None, "what": "share"}}
    rows = [row(task, measures=measures) for task in ("CoLA", "RTE")]
    assert grouping.share_columns(rows) and not grouping.share_columns(COMPLETE)
    made = table.make(rows, by=("task", "method"))
    assert [line.label for line in made.lines] == ["CoLA, got_d", "RTE, got_d"]


def test_a_measure_that_a_line_of_one_task_does_not_have_is_not_missing():
    purity, passes = ({"value": 1.0, "count": None, "unit": "", "error": None, "what": "share"} for _ in range(2))
    rows = [row(task, "random", measures={"purity ↑": purity}) for task in ("CoLA", "RTE")]
    rows += [row(task, measures={"purity ↑": purity, "passes ↓": passes}) for task in ("CoLA", "RTE")]
    assert cells(table.make(rows, by=("task", "method")), "CoLA, random")["passes ↓"] == ""


def test_a_line_with_a_name_is_called_by_it():
    made = table.make([row(line="unit"), row(line="raw", method="random")], by=("method", "line"))
    assert [line.label for line in made.lines] == ["unit", "raw"]
