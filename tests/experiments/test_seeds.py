"""A replicate draws labels, pool and items by its own seed, the same for all methods, unless a config fixes them."""

from pathlib import Path

import pytest
from absl import flags
from ml_collections import config_flags

from configs import common
from experiments import config_fields, running
from experiments.cell_data import CellData
from experiments.endings.detoxification_texts import drawn_prompts
from experiments.sweep import cells_of
from gotd_jax.data import tasks
from gotd_jax.data.sampling import drawn
from gotd_jax.pipeline import pre_finetuned
from tests.experiments.test_cells import made_in
from tests.experiments.test_configs import built
from tests.experiments.test_detoxification import prompts_file

SEEDS = ("pool", "task", "detox", "choices")


@pytest.fixture
def sampled(config, tmp_path):
    """Returns the config of cells that draw 20 labels, 30 chunks of each domain, 6 prompts and 5 items."""
    config.task.labels, config.pool.per_domain, config.choices.most, config.detox.prompts = 20, 30, 5, 3
    config.detox.prompts_file = str(prompts_file(tmp_path / "prompts.jsonl"))
    return config


def draws(config, workdir):
    """Returns what a cell draws, by the name of the part of its config that has the seed."""
    data = CellData(config, workdir)
    return {
        "task": data.task.train.fingerprint,
        "pool": data.pool.fingerprint,
        "detox": tuple(prompt.id for prompt in drawn_prompts(data)),
        "choices": tuple(item.id for item in data.choice_items("bbc_topics")),
    }


def differing(one, other):
    return {name for name in one if one[name] != other[name]}


def test_replicates_draw_labels_pool_prompts_and_items_anew_and_methods_of_one_draw_the_same(sampled, tmp_path):
    sampled.sweep.method, sampled.sweep.seed = ("none", "dsir"), (0, 1)
    found = {(cell.method, cell.seed): draws(cell, tmp_path) for cell, _ in cells_of(sampled)}
    for seed in (0, 1):
        assert found["none", seed] == found["dsir", seed]
    assert differing(found["dsir", 0], found["dsir", 1]) == set(SEEDS)


@pytest.mark.parametrize("fixed", SEEDS)
def test_a_seed_that_a_config_fixes_is_that_of_every_replicate(sampled, tmp_path, fixed):
    sampled[fixed].seed = 7
    sampled.sweep.seed = (0, 1)
    one, other = (draws(cell, tmp_path) for cell, _ in cells_of(sampled))
    assert differing(one, other) == set(SEEDS) - {fixed}
    alone = draws(config_fields.replaced(sampled, {"seed": 7}), tmp_path)
    assert fixed not in differing(alone, one)


def test_the_first_replicate_draws_by_0(sampled, tmp_path):
    whole = CellData(config_fields.replaced(sampled, {"task.labels": None}), tmp_path).task
    assert CellData(sampled, tmp_path).task.train.fingerprint == tasks.draw(whole.train, 20, seed=0).fingerprint
    pool = CellData(config_fields.replaced(sampled, {"pool.per_domain": None}), tmp_path).pool
    of_sea = pool.take([row for row, domain in enumerate(pool.domains) if domain == "sea"])
    ids = [id for id in CellData(sampled, tmp_path).pool.ids if id.startswith("sea")]
    assert ids == of_sea.take(drawn(len(of_sea), 30, 0)).ids


def test_all_seeds_of_every_config_follow_the_replicates():
    for config, called in built():
        config.seed = 5
        fixed = {part for part in SEEDS if config[part].seed != 5}
        assert fixed <= {"pool"}, called
        assert bool(fixed) == any("once for all seeds" in sentence for sentence in config.protocol), called
        config.sweep, config.where, config.with_published = {"seed": (3, 4)}, (), False
        for cell, _ in cells_of(config):
            assert {cell[part].seed for part in set(SEEDS) - fixed} == {cell.seed}, called


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # of ml_collections
def test_the_command_line_sets_the_replicate_and_fixes_single_seeds(monkeypatch):
    values = flags.FlagValues()
    config_flags.DEFINE_config_file("config", flag_values=values)
    file = Path(common.__file__).with_name("quickstart.py")
    command = ["main", f"--config={file}", "--config.seed=4", "--config.task.seed=2", "--config.sweep.seed=(1, 3)"]
    monkeypatch.setattr("sys.argv", command)
    values(command)
    found = [(cell.seed, cell.task.seed, cell.detox.seed) for cell, _ in cells_of(values.config)]
    assert values.config.choices.seed == 4 and set(found) == {(1, 2, 1), (3, 2, 3)}


def test_domains_are_read_once_for_all_replicates(sampled, tmp_path):
    assert len(CellData(sampled, tmp_path).pool) == 90
    before = made_in(tmp_path / "domains")
    sampled.seed = 1
    assert len(CellData(sampled, tmp_path).pool) == 90
    assert made_in(tmp_path / "domains") == before and len(list((tmp_path / "samples").iterdir())) == 6
    sampled.pool.per_domain = None
    whole = CellData(sampled, tmp_path).pool
    assert made_in(tmp_path / "domains") == before and len(list((tmp_path / "samples").iterdir())) == 6
    sampled.seed = 2
    assert CellData(sampled, tmp_path).pool.fingerprint == whole.fingerprint


def swept_over_tasks(config, *methods):
    config.keep_models = False
    config.sweep.method, config.sweep.task, config.sweep.seed = methods, ("one", "other"), (0,)
    config.where = (("task", "other", "finetune.epochs", 2), ("task", "other", "task.labels", 30))
    return list(cells_of(config))


@pytest.mark.slow
def test_a_model_whose_selection_reads_no_task_is_trained_once_for_all_and_then_removed(config, tmp_path):
    cells = swept_over_tasks(config, "all_domains")
    running.run(cells, tmp_path, shard="1/2")
    assert len(list((tmp_path / "pre_finetuned").iterdir())) == 1  # the other task waits for it
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pre_finetuned, "keep_trained", None)  # whoever trains now fails
        rows = running.run(cells, tmp_path, shard="2/2")
    assert not list((tmp_path / "pre_finetuned").iterdir())
    assert len(rows) == 2 and rows[0]["seconds"]["pre_finetune"] == rows[1]["seconds"]["pre_finetune"] > 0


@pytest.mark.slow
def test_a_model_of_one_task_is_removed_when_it_has_been_scored(config, tmp_path):
    running.run(swept_over_tasks(config, "tapt_c"), tmp_path, shard="1/2")
    assert not list((tmp_path / "pre_finetuned").iterdir())
