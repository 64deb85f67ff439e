"""Every config through its whole check: with all that it reads at hand, tiny, and on a machine that has nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import config_fields, running
from experiments.sweep import cells_of
from gotd_jax.data import glue_tfds, network
from tests.experiments import worlds
from tests.experiments.test_configs import IN_FULL, SMALL, build
from tests.experiments.test_detoxification import prompts_file

ROOT = Path(__file__).parents[2]
SIZES = {  # what a config of full size asks for, and what so small a world has
    "budget": 6,
    "detox.prompts": 3,
    "detox.targets": 4,
    "detox.held_out": 4,
    "selection.held_out": 4,
}


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """A machine without a network and with empty caches of data sets, in a folder of its own."""
    import datasets
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(glue_tfds, "HOST", "http://127.0.0.1:9")  # the discard port: nothing answers
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    for asked in (network.hub_answers, network.answers):
        asked.cache_clear()
    yield
    for asked in (network.hub_answers, network.answers):
        asked.cache_clear()


@pytest.fixture(scope="module")
def world(tmp_path_factory, tiny_model, tiny_decoder):
    root = tmp_path_factory.mktemp("world")
    worlds.write_models(root / "models", tiny_model, tiny_decoder)
    worlds.write_glue(root / "glue")
    worlds.write_domain_tasks(root / "domain_tasks")
    (root / "pools").mkdir()
    prompts_file(root / "prompts.jsonl")
    return root


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """A workdir that all configs share."""
    return tmp_path_factory.mktemp("checked")


def given(config, world):
    """Returns the config with its data named, and sizes and replicates cut to them, by fields that a command line sets."""
    of_domains = "chemprot" in config.sweep.get("task", ()) or config.evaluation == "choices"
    config.data_dir = str(world / ("domain_tasks" if of_domains else "glue"))
    config.pool.domains = worlds.write_pools(world / "pools", config.pool.named)
    config.pool.text_fields = {name: worlds.field_of(name) for name in config.pool.named}
    config.detox.prompts_file = str(world / "prompts.jsonl")
    config.update_from_flattened_dict(SIZES)
    if "budget" in config.sweep:
        config.sweep.budget = tuple(range(1, 1 + len(config.sweep.budget)))
    if "seed" in config.sweep:
        config.sweep.seed = config.sweep.seed[:1]  # another replicate reads the same
    return config


def check(config, workdir):
    cells = list(cells_of(config))
    running.check(config, cells, workdir)
    return cells


def with_every_value(cells):
    """Returns those of `cells` in which a swept field has a value that it has in none before: each value is in one of them."""
    seen, found = set(), []
    for config, swept in cells:
        if not seen.issuperset(swept.items()):
            seen.update(swept.items())
            found.append((config, swept))
    return found


@pytest.mark.parametrize(("name", "variant"), IN_FULL)
def test_every_value_of_a_config_passes_where_all_that_it_reads_is_at_hand(name, variant, world, workdir, monkeypatch):
    monkeypatch.chdir(world / "models")
    config = given(build(name, variant), world)
    cells = with_every_value(cells_of(config))
    running.check(config, cells, workdir)
    swept = {field: {found[field] for _, found in cells} - {None} for field in config_fields.swept(config)}
    assert all(swept[field] >= set(values) for field, values in config_fields.swept(config).items())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), IN_FULL)
def test_every_cell_of_a_config_passes_where_all_that_it_reads_is_at_hand(name, variant, world, workdir, monkeypatch):
    monkeypatch.chdir(world / "models")
    assert check(given(build(name, variant), world), workdir)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), [*SMALL, ("ablate_rule", ""), ("evidence", "pilot")])
def test_every_cell_of_a_small_config_passes_as_it_stands(name, variant, world, workdir):
    config = build(name, variant)
    if "seed" in config.sweep:
        config.sweep.seed = config.sweep.seed[:1]  # another replicate reads the same
    if config.only_available:
        config.data_dir = str(world / ("domain_tasks" if name == "domains" else "glue"))
    assert check(config, workdir)


def wanted_by(config):
    """Returns what the message must name, of the first and the last cell."""
    cells = [config for config, _ in cells_of(config)]
    names = {*config.pool.named}
    for cell in (cells[0], cells[-1]):
        names |= {cell.embed.model} | ({cell.model} if cell.evaluation != "selection" else set())
        if cell.evaluation == "toxicity":
            names |= {cell.detox.chooser, cell.detox.judge, cell.detox.second_judge, "RealToxicityPrompts"}
        elif cell.task.name != "boolq":
            names |= {"ag" if cell.task.name == "ag_news" else cell.task.name}
    return names - {"imdb"}  # a packaged one


@pytest.mark.parametrize(("name", "variant"), IN_FULL)
def test_a_bare_machine_is_told_all_that_a_config_lacks_in_one_sentence(name, variant, tmp_path):
    config = build(name, variant)
    with pytest.raises(ValueError, match=r"^This machine lacks .*and the Hugging Face hub does not answer\.$") as told:
        check(config, tmp_path / "work")
    (message,) = str(told.value).splitlines()
    assert all(wanted in message for wanted in wanted_by(config))
    assert "--config.embed.model=FOLDER" in message
    assert not (tmp_path / "work").exists()  # nothing was read


@pytest.mark.parametrize(("name", "kept"), [("glue", "SST-2"), ("domains", "chemprot")])
def test_small_configs_lack_the_folders_of_their_tasks_alone(name, kept, tmp_path):
    with pytest.raises(ValueError, match=rf"^This machine lacks the tasks? .*{kept}.* \(--config.data_dir=FOLDER with .*\)\.$"):
        check(build(name, "small"), tmp_path / "work")


def test_tasks_that_do_not_lie_in_a_data_dir_are_named_with_the_way_to_leave_them_out(world, tmp_path):
    config = build("glue", "")
    (tmp_path / "CoLA").symlink_to(world / "glue" / "CoLA")
    config.data_dir = str(tmp_path)
    with pytest.raises(
        ValueError, match=r"the tasks MNLI, .* and QNLI \(put GLUE's folders into .*--config\.only_available=True\)"
    ):
        check(config, tmp_path / "work")
    config.only_available = True
    with pytest.raises(ValueError, match=r"lacks the model bert-base-uncased .*") as told:
        check(config, tmp_path / "work")
    assert "task" not in str(told.value)


def test_a_name_that_does_not_exist_is_told_before_what_is_lacking(tmp_path):
    config = build("glue", "")
    config.sweep.method = ("none", "best")
    with pytest.raises(ValueError, match="There is no method 'best'"):
        check(config, tmp_path / "work")


@pytest.mark.slow
def test_the_command_itself_ends_in_seconds_with_one_sentence_where_no_hub_answers(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    environment |= {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "TFDS_DATA_DIR": str(tmp_path)}
    environment |= {"PYTHONPATH": str(ROOT), "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "experiments.main", f"--config={ROOT / 'configs/glue.py'}"]
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 1 and run.stdout == ""
    (line,) = run.stderr.split("\n")[1:-1]
    assert line.startswith("This machine lacks the model bert-base-uncased (--config.model=FOLDER)")
