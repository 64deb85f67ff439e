"""The pool's losses before and after light training on the target, as a stage that selections are made from."""

import json

import numpy as np
import pytest

from experiments import cell, config_fields, stages
from experiments.cell_data import CellData
from gotd_jax import models
from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation import text_losses
from tests.experiments.test_cells import ending, made_in


@pytest.fixture
def config(config):
    config.method = "loss_difference"
    config.target_model.learning_rate, config.target_model.epochs = 1e-2, 4
    return config


def made(config, workdir):
    data = CellData(config, workdir)
    return data.losses.before_and_after(data.pool, data.target, config.task.name)


def selected(config, workdir):
    return stages.selected(ending(config, workdir))


def only(folder):
    (found,) = folder.iterdir()
    return found


def test_nothing_is_trained_or_read_before_the_losses_are_asked_for(config, tmp_path):
    cell.check(config, tmp_path)
    given = ending(config, tmp_path).problem
    assert len(given.pool) > len(given.target)
    assert not {"heads", "losses", "target_models"} & {path.name for path in tmp_path.iterdir()}


@pytest.mark.slow
def test_the_targets_own_domain_gains_the_most(config, tmp_path):
    before, after = made(config, tmp_path)
    domains = CellData(config, tmp_path).pool.domains
    gains = {name: np.mean((before - after)[domains == name]) for name in ("sea", "law", "food")}
    assert gains["food"] > max(gains["sea"], gains["law"]) + 0.05
    rows = np.load(selected(config, tmp_path) / "rows.npy")
    assert np.sum(domains[rows] == "food") >= 20


@pytest.mark.slow
def test_after_is_of_the_model_that_is_kept_and_before_of_the_one_it_began_as(config, tmp_path, tiny_decoder):
    config.model = str(tiny_decoder)
    found = made(config, tmp_path)
    pool = CellData(config, tmp_path).pool
    for numbers, folder in zip(found, (tiny_decoder, only(tmp_path / "target_models") / "model"), strict=True):
        expected = text_losses.losses(models.load(folder), pool, max_length=32, seed=0)
        np.testing.assert_allclose(numbers, expected, atol=1e-5)
    own = pool.domains == "food"
    assert np.mean((found[1] - found[0])[own]) < -0.1 < np.mean((found[1] - found[0])[~own])


@pytest.mark.slow
def test_a_missing_head_is_warmed_up_before_both(config, tmp_path):
    before, _ = made(config, tmp_path)
    head = models.load_language_model(only(tmp_path / "heads") / "model", compute_dtype="float32")
    assert head.fresh == ()
    expected = text_losses.losses(head, CellData(config, tmp_path).pool, max_length=32, seed=0)
    np.testing.assert_allclose(before, expected, atol=1e-5)


@pytest.mark.slow
def test_budgets_share_one_pair_of_models_and_so_do_seeds_of_one_task_and_pool(config, tmp_path):
    config.evaluation, config.task.seed, config.pool.seed = "selection", 0, 0
    first = cell.run(config, tmp_path)
    made_before = {path for path in made_in(tmp_path) if {"losses", "target_models", "heads"} & {*path.parts}}
    config.seed, config.budget = 1, 12
    second = cell.run(config, tmp_path)
    made_now = {path for path in made_in(tmp_path) if {"losses", "target_models", "heads"} & {*path.parts}}
    assert made_now == made_before
    assert sum(first["selected"].values()) == 2 * sum(second["selected"].values()) == 24


@pytest.mark.parametrize(
    "change",
    [
        {"target_model.learning_rate": 1e-3},
        {"target_model.max_length": 16},
        {"target_model.max_steps": 3},
        {"task.seed": 1},
        {"pool.seed": 1},
        {"head.chunks": 16},
        {"compute_dtype": "bfloat16"},
    ],
)
def test_losses_depend_on_the_recipe_the_model_and_its_head(config, tmp_path, change):
    pool = Corpus.from_texts(["a text"])
    one, other = (CellData(of, tmp_path).losses.settings(pool) for of in (config, config_fields.replaced(config, change)))
    assert one != other


def test_selections_by_losses_depend_on_the_recipe_and_others_do_not(config, tmp_path):
    names = {}
    for method in ("loss_difference", "dsir"):
        config.method = method
        for rate in (1e-2, 1e-3):
            config.target_model.learning_rate = rate
            folder = selected(config, tmp_path)
            names.setdefault(method, set()).add(folder.name)
    assert {method: len(folders) for method, folders in names.items()} == {"loss_difference": 2, "dsir": 1}
    settings = json.loads((folder / "settings.json").read_text())
    assert "losses" not in settings


def test_a_run_stopped_before_the_second_model_reads_the_pool_with_the_first_no_more(config, tmp_path, monkeypatch):
    whole = made(config, tmp_path / "whole")
    calls, real = [], text_losses.losses

    def stop_at_second(*arguments, **options):
        calls.append(len(calls))
        if calls == [0, 1]:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(text_losses, "losses", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        made(config, tmp_path / "stopped")
    again = made(config, tmp_path / "stopped")
    assert calls == [0, 1, 2]
    np.testing.assert_array_equal(again, whole)


def test_a_model_that_is_only_read_is_opened_before_any_long_work(config, tmp_path):
    config.evaluation, config.model = "selection", "nowhere/model"
    with pytest.raises(ValueError, match="nowhere/model"):
        cell.check(config, tmp_path)
    config.method = "got_d"
    cell.check(config, tmp_path)
