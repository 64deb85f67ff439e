import sys

import numpy as np
import pytest

from gotd_jax.report import figures, heatmap


def row(epsilon, budget, value, seed=0, method="got_d", task="films", column="purity ↑"):
    measures = {column: {"value": value, "what": "share of its own domain, %"}}
    return {"task": task, "method": method, "seed": seed, "epsilon": epsilon, "budget": budget, "measures": measures}


GRID = [row(epsilon, budget, 100 * epsilon + budget) for epsilon in (0.1, 0.02) for budget in (50, 5)]


def test_a_map_has_numbers_in_their_order_and_every_value_in_its_place():
    (made,) = heatmap.make(GRID, "epsilon", "budget")
    assert (made.lines, made.columns) == (("0.02", "0.1"), ("5", "50"))
    np.testing.assert_allclose(made.means, [[7, 52], [15, 60]])
    assert made.heading == "films: share of its own domain, % (higher is better)"


def test_a_method_without_the_field_is_a_line_of_its_own_below_those_with_it():
    rows = [row(None, 5, 1.0, method="random"), row("published", 5, 3.0), row(0.1, 5, 2.0)]
    (made,) = heatmap.make(rows, "epsilon", "budget")
    assert made.lines == ("got_d 0.1", "got_d published", "random")
    np.testing.assert_allclose(made.means[:, 0], [2, 3, 1])


def test_selecting_nothing_is_every_methods_budget_of_0():
    rows = [row(None, 0, 1.0, method="none"), row(0.1, 5, 2.0), row(0.2, 5, 3.0), row(None, 5, 4.0, method="random")]
    (made,) = heatmap.make(rows, "epsilon", "budget")
    assert (made.lines, made.columns) == (("got_d 0.1", "got_d 0.2", "random"), ("0", "5"))
    np.testing.assert_allclose(made.means, [[1, 2], [1, 3], [1, 4]])
    (made,) = heatmap.make(rows[:2] + rows[3:], "method", "budget")
    assert (made.lines, made.columns) == (("got_d", "random"), ("0", "5"))
    np.testing.assert_allclose(made.means, [[1, 2], [1, 4]])


def test_selecting_nothing_has_the_other_fields_own_values():
    rows = [row(labels, 0, labels, method="none") for labels in (8, 9)] + [row(labels, 5, 2.0) for labels in (8, 9)]
    (made,) = heatmap.make(rows, "epsilon", "budget")
    assert made.lines == ("8", "9")
    np.testing.assert_allclose(made.means, [[8, 2], [9, 2]])


def test_methods_can_be_the_lines():
    rows = [row(None, budget, budget, method=method) for method in ("random", "got_d") for budget in (1, 2)]
    (made,) = heatmap.make(rows, "method", "budget")
    assert made.lines == ("random", "got_d")


def test_a_cell_is_the_mean_over_seeds_and_one_that_was_not_run_is_empty():
    (made,) = heatmap.make([row(0.1, 5, 1.0), row(0.1, 5, 2.0, seed=1), row(0.2, 6, 9.0)], "epsilon", "budget")
    assert made.means[0, 0] == 1.5
    assert made.cell(0, 1) == made.cell(1, 0) == ""
    assert made.heading.endswith("(higher is better; mean over 2 seeds)")


def test_two_results_of_one_place_and_seed_are_refused():
    with pytest.raises(ValueError, match=r"both 0\.1 with budget 5 and seed 0"):
        heatmap.make([row(0.1, 5, 1.0), row(0.1, 5, 2.0)], "epsilon", "budget")


def test_tasks_and_measures_have_maps_of_their_own_and_scores_are_times_100():
    score = {"metric": "accuracy", "score": 0.5, "evaluated_on": "test"}
    scored = {key: value for key, value in row(0.1, 5, 0.0, task="news").items() if key != "measures"} | score
    maps = heatmap.make([row(0.1, 5, 1.0), scored], "epsilon", "budget")
    assert [made.heading for made in maps] == [
        "films: share of its own domain, % (higher is better)",
        "news: accuracy on test, times 100 (higher is better)",
    ]
    assert maps[1].means[0, 0] == 50


def test_decimals_show_a_thousandth_of_the_range(subtests):
    cases = [
        ((93.31, 93.34), ("93.3100", "93.3400")),
        ((5.5, 98.6), ("5.5", "98.6")),
        ((2.0, 38.0), ("2", "38")),
        ((0.5, 0.5), ("0.50", "0.50")),
    ]
    for values, printed in cases:
        with subtests.test(values=values):
            (made,) = heatmap.make([row(0.1, budget, value) for budget, value in enumerate(values)], "epsilon", "budget")
            assert (made.cell(0, 0), made.cell(0, 1)) == printed


def test_text_and_markdown_are_blocks_with_a_line_for_each_value():
    maps = heatmap.make(GRID, "epsilon", "budget")
    assert heatmap.text(maps).splitlines()[1:] == [
        r"epsilon \ budget   5  50",
        "0.02               7  52",
        "0.1               15  60",
    ]
    assert "| 0.02 | 7 | 52 |\n" in heatmap.markdown(maps)


def brightness(panel, value):
    (image,) = panel.images
    return sum(image.cmap(image.norm(value))[:3])


@pytest.mark.parametrize(("column", "best", "worst"), [("purity ↑", 60, 7), ("cost ↓", 7, 60)])
def test_picture_prints_the_numbers_and_brighter_is_better(column, best, worst):
    maps = heatmap.make([{**old, "measures": {column: old["measures"]["purity ↑"]}} for old in GRID], "epsilon", "budget")
    panel = heatmap.plot(maps).axes[0]
    assert {text.get_text() for text in panel.texts} == {"7", "52", "15", "60"}
    assert (panel.get_ylabel(), panel.get_xlabel()) == ("epsilon, share of the mean cost", "budget, chunks")
    assert brightness(panel, best) > brightness(panel, worst)


def test_figure_is_written_as_text_and_pictures(tmp_path):
    said = figures.write(GRID, tmp_path, ("heatmap", "epsilon", "budget"))
    assert said == heatmap.text(heatmap.make(GRID, "epsilon", "budget")) + "\n\n"
    assert {path.name for path in tmp_path.iterdir()} == {"heatmaps.md", "heatmaps.png", "heatmaps.pdf"}
    assert (tmp_path / "heatmaps.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "heatmaps.pdf").read_bytes().startswith(b"%PDF")


def test_no_figure_asked_for_writes_nothing(tmp_path):
    assert figures.write(GRID, tmp_path, ()) == ""
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_there_is_the_text_and_how_to_get_pictures(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = figures.write(GRID, tmp_path, ("heatmap", "epsilon", "budget"))
    assert "0.02" in said
    assert said.endswith("pip install 'gotd_jax[figures]'.\n\n")
    assert [path.name for path in tmp_path.iterdir()] == ["heatmaps.md"]


def test_a_figure_that_cannot_be_drawn_is_refused(subtests):
    cases = [
        (("pie", "epsilon"), "no figure 'pie'. There are: heatmap, shares"),
        (("heatmap", "epsilon"), r"takes 2 swept fields \(down, across\) and was given epsilon"),
        (("heatmap", "epsilon", "seed"), "Swept are: epsilon, budget"),
    ]
    for figure, message in cases:
        with subtests.test(figure=figure):
            with pytest.raises(ValueError, match=message):
                figures.check(figure, ("epsilon", "budget"))
            figures.check(("heatmap", "epsilon", "budget"), ("epsilon", "budget"))
            figures.check((), ())


def test_a_task_that_is_a_field_is_in_no_title_and_lines_need_no_method():
    rows = [row(0.1, 5, share, task=task) | {"line": line} for line, task, share in (("a", "films", 1), ("b", "law", 2))]
    rows.append(row(0.1, 5, 3.0, method="random", task="law") | {"line": "c"})
    (made,) = heatmap.make(rows, "line", "task")
    assert (made.lines, made.columns) == (("a", "b", "c"), ("films", "law"))
    assert made.heading.startswith("share of its own domain")
