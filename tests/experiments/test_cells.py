"""Whole runs of the pipeline on a tiny model and tiny texts, every part real."""

import json
import os
import pickle
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest

from experiments import cell, config_fields, running
from experiments.cell_data import CellData
from experiments.endings import ENDINGS, fine_tuning
from experiments.sweep import cells_of
from gotd_jax import models, provenance
from gotd_jax.files import read_json
from gotd_jax.training import base_model


def made_in(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def ending(config, workdir):
    """Returns how a cell of the config ends, as `cell.run` makes it."""
    return ENDINGS[config.evaluation](CellData(config, workdir))


@pytest.mark.parametrize(
    "method", ["none", "got_d", *(pytest.param(name, marks=pytest.mark.slow) for name in ("tapt_c", "dsir", "loss_difference"))]
)
def test_every_method_goes_from_texts_to_a_row_and_makes_nothing_twice(config, tmp_path, method):
    config.method = method
    row = cell.run(config, tmp_path)
    assert 0 <= row["score"] <= 1
    assert sum(row["selected"].values()) == (0 if method == "none" else 24)
    assert row["pool"].keys() == {"sea", "law", "food"}
    assert {"commit", "versions", "device", "seconds"} <= row.keys()
    json.dumps(row)
    before = made_in(tmp_path)
    assert cell.run(config, tmp_path) == row
    assert made_in(tmp_path) == before


def test_a_task_can_be_scored_on_a_part_of_its_test_split_and_says_so(config, tmp_path):
    whole = CellData(config, tmp_path).task.test
    config.task.tested = 12
    drawn = CellData(config, tmp_path).task
    assert len(whole) == 20 and len(drawn.test) == 12 and drawn.test_split == "12 of test"
    assert set(drawn.test.corpus.texts()) <= set(whole.corpus.texts())
    config.task.tested = 20
    assert CellData(config, tmp_path).task.test_split == "test"


def test_no_chunk_holds_text_of_the_test_split_however_it_was_cut_and_the_row_says_how_many_were_left_out(config, tmp_path):
    config.method, config.pool.characters, config.pool.short, config.task.tested = "none", 12, "keep", 5
    test = CellData(config_fields.replaced(config, {"task.tested": None}), tmp_path).task.test.corpus
    text = f"it is said that {test.texts()[-1].upper()} by some of them"
    path = tmp_path / "leaking.jsonl"
    path.write_text(json.dumps({"id": "x", "text": text}) + "\n")
    config.pool.domains.leaking = str(path)
    whole, kept = CellData(config, tmp_path).pool, ending(config, tmp_path).problem.pool
    begin, end = 16, 16 + len(test.texts()[-1])
    expected = [place for place in range(-(-len(text) // 12)) if 12 * place < end and 12 * (place + 1) > begin]
    assert len(expected) > 3
    assert set(whole.ids) - set(kept.ids) == {f"x#{place}" for place in expected}
    row = cell.run(config, tmp_path)
    assert (row["tested_texts"], row["left_out_for_tested_text"]) == (len(test), len(expected)) == (20, len(expected))


def test_got_d_selects_from_the_targets_own_domain(config, tmp_path):
    selected = {}
    for method in ("random", "got_d"):
        config.method = method
        selected[method] = cell.run(config, tmp_path)["selected"].get("food", 0)
    assert selected["got_d"] >= 20 > selected["random"]


def test_chosen_texts_are_the_pools_rows(config, tmp_path):
    config.method = "got_d"
    cell.run(config, tmp_path)
    (folder,) = (tmp_path / "selections").iterdir()
    lines = [json.loads(line) for line in (folder / "selected.jsonl").read_text().splitlines()]
    pool = CellData(config, tmp_path).pool
    assert [line["text"] for line in lines] == pool.texts(np.load(folder / "rows.npy"))
    values = np.load(folder / "values.npy")
    assert np.all(np.diff(values[np.load(folder / "rows.npy")]) >= 0)


def test_pre_finetuned_model_is_a_hugging_face_folder_that_differs_from_the_published_one(config, tmp_path, tiny_model):
    config.method = "random"
    config.pre_finetune.learning_rate = 1e-3
    cell.run(config, tmp_path)
    (folder,) = (tmp_path / "pre_finetuned").iterdir()
    warmed, base = models.load(folder / "model", "masked_lm"), models.load(tiny_model)
    assert warmed.fresh == ()
    before, after = base.params["embeddings"]["words"], warmed.params["encoder"]["embeddings"]["words"]
    assert not np.allclose(*(np.asarray(next(iter(tree.values()))) for tree in (before, after)))


def test_models_are_not_kept_where_that_is_asked_for(config, tmp_path):
    config.method, config.keep_models = "random", False
    row = cell.run(config, tmp_path)
    assert list((tmp_path / "pre_finetuned").iterdir()) == []
    assert cell.run(config, tmp_path) == row


def test_head_is_warmed_up_once_for_all_methods(config, tmp_path):
    for method in ("random", "dsir"):
        config.method = method
        cell.run(config, tmp_path)
    assert len(list((tmp_path / "heads").iterdir())) == 1


@pytest.mark.slow
def test_encoder_can_be_finetuned_on_the_task_first(config, tmp_path):
    config.method, config.embed.finetuned = "got_d", True
    row = cell.run(config, tmp_path)
    assert sum(row["selected"].values()) == 24
    assert len(list((tmp_path / "encoders").iterdir())) == 1


def test_published_solver_setting_is_one_option(config, tmp_path):
    config.method, config.ot.published = "got_d", True
    assert cell.run(config, tmp_path)["selection"]["epsilon"] == pytest.approx(0.1)


def test_run_stopped_before_its_score_goes_on_to_the_same_score(config, tmp_path, monkeypatch):
    config.method = "random"
    whole = cell.run(config, tmp_path / "whole")

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fine_tuning, "evaluate", stop)
        with pytest.raises(KeyboardInterrupt):
            cell.run(config, tmp_path / "stopped")
    again = cell.run(config, tmp_path / "stopped")
    assert again["scores"] == whole["scores"]
    weights = [read_weights(tmp_path / name) for name in ("whole", "stopped")]
    assert weights[0] == weights[1]


def read_weights(workdir):
    (path,) = workdir.glob("pre_finetuned/*/model/model.safetensors")
    return path.read_bytes()


@pytest.mark.slow
def test_pair_tasks_and_regressions_run(config, tmp_path):
    rows = [{"a": "good bread", "b": "old stew", "score": float(i % 5)} for i in range(24)]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config.task.train = config.task.test = str(path)
    config.task.text_field, config.task.pair_field, config.task.label_field = "a", "b", "score"
    config.task.kind, config.task.metrics = "regression", ("pearson", "spearman")
    config.method = "dsir"
    assert cell.run(config, tmp_path / "work").keys() >= {"score", "scores"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "best"}, r"no method 'best'\. There are: all_domains, classifier"),
        ({"budget": 5000}, r"budget of 5,000 chunks exceeds the pool of \d+"),
        ({"budget": 0}, "budget is 0 chunks"),
        ({"pool.domains.sea": "nowhere/*.jsonl"}, "nowhere"),
        ({"pool.characters": 5000}, "5,000 characters"),
        ({"pool.text_field": "body"}, "'body'"),
        ({"task.label_field": "class"}, "'class'"),
        ({"task.train": "", "task.name": "nothing"}, "no task 'nothing'"),
        ({"model": "nowhere/model"}, "nowhere/model"),
    ],
)
def test_what_cannot_work_is_refused_before_any_long_work(check_refused, change, message):
    check_refused(change, message)


def test_no_pool_at_all_says_how_to_name_one(config, tmp_path):
    config.pool.domains = {}
    with pytest.raises(ValueError, match=r"No pool is named\. Set --config\.pool\.domains"):
        cell.check(config, tmp_path)


def test_pickled_weights_are_refused_before_any_long_work(config, tmp_path, tiny_model):
    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "config.json").write_bytes((tiny_model / "config.json").read_bytes())
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    config.model = str(folder)
    with pytest.raises(ValueError, match=r"[Pp]ickle"):
        cell.check(config, tmp_path / "work")


def test_seconds_of_a_stage_are_those_of_its_making(config, tmp_path):
    config.method = "random"
    row = cell.run(config, tmp_path)
    made = [*tmp_path.glob("heads/*/made.json"), *tmp_path.glob("pre_finetuned/*/made.json")]
    assert len(made) == 2
    assert row["seconds"]["pre_finetune"] == pytest.approx(sum(read_json(path)["seconds"] for path in made), abs=0.01)
    assert row["seconds"]["embed"] == 0  # the method reads none


def test_stage_stopped_after_its_model_was_saved_trains_nothing_again(config, tmp_path, monkeypatch):
    config.method = "random"

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(base_model.shutil, "rmtree", stop)
        with pytest.raises(KeyboardInterrupt):
            cell.run(config, tmp_path)
    monkeypatch.setattr(base_model, "train_head", stop)
    assert 0 <= cell.run(config, tmp_path)["score"] <= 1


def test_dsirs_filter_by_quality_is_a_field_of_the_config(config, tmp_path):
    config.method, config.dsir.quality = "dsir", True
    with pytest.raises(ValueError, match="and 0 pass the filter by quality"):  # a tiny text has fewer than 40 words
        cell.run(config, tmp_path)


PRINTED_AGAIN = """
import json, pathlib, pickle, sys
from experiments import cell, pages
config = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())
print(json.dumps(cell.run(config, pathlib.Path(sys.argv[2]))))
"""


@pytest.mark.slow
def test_a_row_printed_on_other_devices_says_those_of_its_making(config, tmp_path):
    config.method = "random"
    row = cell.run(config, tmp_path / "work")
    assert (row["device"]["devices"], row["made_otherwise"]) == (jax.device_count(), {})
    (tmp_path / "config").write_bytes(pickle.dumps(config_fields.replaced(config, {})))
    command = [sys.executable, "-c", PRINTED_AGAIN, tmp_path / "config", tmp_path / "work"]
    environment = os.environ | {"XLA_FLAGS": f"--xla_force_host_platform_device_count={jax.device_count() + 3}"}
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout) == json.loads(json.dumps(row))
    shutil.rmtree(next((tmp_path / "work" / "scores").iterdir()))
    scored = json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert scored["device"]["devices"] == jax.device_count() + 3
    assert {name.partition("/")[0] for name in scored["made_otherwise"]} == {"selections", "heads", "pre_finetuned"}
    assert {of["device"]["devices"] for of in scored["made_otherwise"].values()} == {jax.device_count()}


@pytest.mark.slow
def test_what_earlier_code_made_is_made_again_down_to_the_score(config, tmp_path, monkeypatch, capsys):
    config.method, config.embed.finetuned = "got_d", True
    row = cell.run(config, tmp_path)
    before = made_in(tmp_path)
    monkeypatch.setattr(provenance, "VERSIONS", provenance.VERSIONS | {"encoders": 2})
    capsys.readouterr()
    assert cell.run(config, tmp_path)["scores"] == row["scores"]
    anew = {path.relative_to(tmp_path).parts[0] for path, time in made_in(tmp_path).items() if before.get(path) != time}
    assert anew == {"encoders", "selections", "scores"}  # equal weights embed and train alike
    said = [line for line in capsys.readouterr().err.splitlines() if "earlier version" in line]
    assert len(said) == 1 and said[0].startswith(f"3 of 11 stages in {tmp_path} were made by an earlier version of this code")


def test_rows_of_earlier_code_are_not_taken_for_those_of_today(config, tmp_path, monkeypatch):
    config.sweep.method, config.sweep.seed = ("none",), (0, 1)
    cells = list(cells_of(config))
    assert len(running.run(cells, tmp_path)) == 2
    monkeypatch.setattr(provenance, "VERSIONS", provenance.VERSIONS | {"scores": 2})
    assert [row["seed"] for row in running.run(cells, tmp_path, shard="1/2")] == [0]
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 1


def test_a_row_tells_the_loss_on_the_tasks_text_before_any_label_is_read(config, tmp_path):
    config.pre_finetune.learning_rate, config.pre_finetune.epochs = 3e-3, 4
    losses = {}
    for method in ("none", "got_d"):
        config.method = method
        row = cell.run(config, tmp_path)
        (found,) = row["before_labels"].values()
        losses[method], counted = found["value"], found["count"]
    assert counted == 20
    assert losses["got_d"] < losses["none"]
    config.target_loss = 0
    assert "before_labels" not in cell.run(config, tmp_path)


def test_the_second_stage_can_be_a_probe_of_frozen_states(config, tmp_path):
    config.method, config.probe = "got_d", True
    row = cell.run(config, tmp_path)
    assert 0 <= row["score"] <= 1
    assert {"accuracy", "log_loss"} <= row["scores"].keys()
    assert not list((tmp_path / "scores").glob("*/training"))
