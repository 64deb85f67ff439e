"""Cells that train nothing, on a tiny model and tiny texts: the selection itself is measured."""

import json

import numpy as np
import pytest

from configs import common
from experiments import cell, exact_transport
from experiments.cell_data import CellData
from experiments.endings import held_out_domains
from experiments.sweep import cells_of
from gotd_jax.evaluation import selection_judges
from gotd_jax.methods.problem import lowest
from gotd_jax.report import column_names, table
from tests.experiments.test_cells import ending, made_in
from third_party.pot_solvers import exact_cost, exact_duals


@pytest.fixture
def config(tiny_model, texts):
    config = common.get_config()
    config.evaluation = "selection"
    config.pool.domains = {name: str(texts / f"{name}.jsonl") for name in ("sea", "law", "food")}
    config.pool.characters = 80
    config.budget = 24
    config.task.name, config.task.home = "taste", ("food",)
    config.task.train, config.task.test = str(texts / "train.jsonl"), str(texts / "test.jsonl")
    config.embed.model, config.embed.finetuned, config.embed.max_length = str(tiny_model), False, 32
    config.model = "nowhere/model"  # none is read
    return config


@pytest.fixture
def of_domains(config):
    config.task.train = config.task.test = ""
    config.task.home = config.target.domains = ("sea", "food")
    config.pool.long = "cut"
    config.target.most = config.selection.held_out = 20
    return config


def values(row):
    return {column: measure["value"] for column, measure in row["measures"].items()}


@pytest.mark.parametrize("method", ["random", "dsir", "tapt_c", "got_d"])
def test_a_selection_is_measured_without_training_and_nothing_is_made_twice(config, tmp_path, method):
    config.method = method
    cell.check(config, tmp_path)
    row = cell.run(config, tmp_path)
    assert not (tmp_path / "pre_finetuned").exists()
    assert row["seconds"]["pre_finetune"] == 0
    columns = column_names.EXACT, column_names.HELD_OUT, column_names.DIVERGENCE, column_names.COVERAGE, column_names.SERVED
    assert {*columns, column_names.HOME} <= set(values(row))
    assert (column_names.MARGINAL in values(row)) == (method == "got_d")
    json.dumps(row)
    before = made_in(tmp_path)
    assert cell.run(config, tmp_path) == row
    assert made_in(tmp_path) == before
    assert table.make([row]).lines[0].label == method


def test_measures_are_those_of_the_selection(config, tmp_path):
    config.method, config.ot.epsilon = "got_d", 0.05
    row = cell.run(config, tmp_path)
    measured = ending(config, tmp_path)
    given = measured.problem
    rows = np.load(next((tmp_path / "selections").glob("*/rows.npy")))
    x, held_out = given.candidates, measured.data.embedded(measured.held_out)
    exact = lowest(exact_duals(x, given.targets)[0], 24)
    pool, mixed = np.full(len(x), 1 / len(x)), np.full(len(x), 0.8 / len(x))
    mixed[rows] += 0.2 / 24
    found = values(row)
    assert found[column_names.EXACT] == pytest.approx(100 * len(set(rows) & set(exact)) / 24)
    assert 0 < found[column_names.EXACT] < 100
    assert found[column_names.HELD_OUT] == pytest.approx(100 * exact_cost(x, held_out, mixed) / exact_cost(x, held_out, pool))
    judged = selection_judges.judge(x, np.arange(len(x)), x[rows], rows, held_out)
    assert found[column_names.DIVERGENCE] == pytest.approx(100 * judged.divergence, rel=1e-3)
    assert found[column_names.COVERAGE] == pytest.approx(100 * judged.coverage)
    assert found[column_names.SERVED] == pytest.approx(judged.served)
    assert found[column_names.HOME] == pytest.approx(100 * np.mean(given.pool.domains[rows] == "food"))
    assert found[column_names.MARGINAL] == pytest.approx(100 * row["selection"]["marginal_error"])


def test_got_d_at_a_small_epsilon_is_the_exact_selection_and_random_is_not(config, tmp_path):
    found = {}
    for method in ("random", "got_d"):
        config.method, config.ot.epsilon = method, 0.002
        found[method] = values(cell.run(config, tmp_path))
    assert found["got_d"][column_names.EXACT] >= 95 > found["random"][column_names.EXACT]
    assert found["got_d"][column_names.HELD_OUT] < found["random"][column_names.HELD_OUT]


def test_exact_values_off_the_sample_are_the_duals_of_the_whole_where_the_sample_is_the_whole():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(61, 4)).astype(np.float32), rng.normal(size=(9, 4)).astype(np.float32) + 1
    duals, _, _ = exact_duals(x, y)
    np.testing.assert_allclose(exact_transport.exact_values(x, y, np.arange(61)), duals, atol=1e-9)
    sampled = exact_transport.exact_values(x, y, np.arange(0, 61, 2))
    np.testing.assert_allclose(sampled[::2], exact_duals(x[::2], y)[0], atol=1e-9)


def test_effective_cost_of_no_mass_is_the_pools_and_of_all_mass_the_selections():
    rng = np.random.default_rng(0)
    pool, chosen, held_out = (rng.normal(size=(rows, 3)) + shift for rows, shift in ((20, 0), (5, 1), (6, 1)))
    costs = [exact_transport.effective_cost(pool, chosen, held_out, mass) for mass in (0.0, 0.5, 1.0)]
    assert costs[0] == pytest.approx(exact_cost(pool, held_out, np.full(20, 1 / 20)))
    assert costs[2] == pytest.approx(exact_cost(chosen, held_out, np.full(5, 1 / 5)))
    assert costs[2] < costs[1] < costs[0]


def test_a_large_pool_is_measured_on_a_sample(config, tmp_path):
    config.method, config.selection.exact = "got_d", 50
    row = cell.run(config, tmp_path)
    assert row["scores"]["exact_solved_on"] == 50
    assert "on 50 candidates" in row["measures"][column_names.EXACT]["what"]
    assert 0 < values(row)[column_names.EXACT] < 100


def test_a_target_of_domains_is_held_out_of_the_pool(of_domains, tmp_path):
    parts = held_out_domains.split_pool(CellData(of_domains, tmp_path))
    assert parts.target.count_domains() == parts.held_out.count_domains() == {"sea": 10, "food": 10}
    assert parts.pool.count_domains() == {"sea": 40, "law": 60, "food": 40}
    ids = [set(part.ids) for part in (parts.pool, parts.target, parts.held_out)]
    assert len(set.union(*ids)) == sum(map(len, ids)) == 180


def test_no_candidate_holds_a_text_that_is_measured_on(of_domains, tmp_path):
    held_out = held_out_domains.split_pool(CellData(of_domains, tmp_path)).held_out.texts()[0]
    path = tmp_path / "again.jsonl"
    path.write_text(json.dumps({"text": f"again {held_out}"}) + "\n")
    of_domains.pool.domains.again = str(path)
    assert "again" in held_out_domains.split_pool(CellData(of_domains, tmp_path)).pool.count_domains()
    assert "again" not in ending(of_domains, tmp_path).problem.pool.count_domains()


def test_shares_of_several_own_domains_stand_each_for_itself(of_domains, tmp_path):
    of_domains.method = "got_d"
    cell.check(of_domains, tmp_path)
    row = cell.run(of_domains, tmp_path)
    found = values(row)
    assert found[column_names.HOME] == pytest.approx(found["from sea, %"] + found["from food, %"])
    assert found["from sea, %"] == pytest.approx(100 * row["selected"].get("sea", 0) / 24)
    assert row["target_domains"] == {"sea": 10, "food": 10}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "none"}, "The method none selects nothing"),
        ({"selection.mass": 0.0}, r"selection\.mass is 0\.0"),
        ({"method": "dapt", "task.home": ()}, r"dapt reads the names.*: --config\.task\.home"),
        ({"target.domains": ("sea",), "pool.long": "split"}, r"Set --config\.pool\.long=cut"),
        ({"target.domains": ("sea",), "pool.long": "cut", "embed.finetuned": True}, "no labels to fine-tune the encoder"),
        ({"target.domains": ("sky",), "pool.long": "cut"}, r"domain 'sky' are held out of the pool, and it has 0"),
        ({"target.domains": ("sea",), "pool.long": "cut", "evaluation": "finetune"}, "no labels to train on"),
    ],
)
def test_what_cannot_work_is_refused_before_any_long_work(check_refused, tiny_model, change, message):
    check_refused({"model": str(tiny_model)} | change, message)


def test_epsilon_is_swept_for_methods_that_read_it_with_the_published_call_as_a_line(config):
    config.with_published = True
    with pytest.raises(ValueError, match="to a sweep over epsilon, and there is none"):
        list(cells_of(config))
    config.sweep.method, config.sweep.epsilon = ("random", "got_d"), (0.1,)
    cells = list(cells_of(config))
    assert [(swept["method"], swept["epsilon"]) for _, swept in cells] == [
        ("random", None),
        ("got_d", "published"),
        ("got_d", 0.1),
    ]
    assert [(of.ot.published, of.ot.epsilon) for of, _ in cells[1:]] == [(True, 0.01), (False, 0.1)]
