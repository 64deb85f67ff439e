import dataclasses
import importlib
import re
from pathlib import Path

import pytest

from configs import common
from gotd_jax.methods import METHODS
from gotd_jax.training.recipe import Recipe

ROOT = Path(__file__).parents[2]
VARIANTS = [("quickstart", ""), ("glue", ""), ("glue", "all"), ("glue", "20k"), ("glue", "small")]


def build(name, variant):
    arguments = (variant,) if variant else ()
    return importlib.import_module(f"configs.{name}").get_config(*arguments)


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_config_has_the_fields_of_common_and_no_others(name, variant):
    config = build(name, variant)
    own = {field for field in common.fields(config) if not field.startswith(common.OPEN)}
    assert own == {field for field in common.fields(common.get_config()) if not field.startswith(common.OPEN)}


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_config_sweeps_known_methods_and_its_recipes_are_valid(name, variant):
    config = build(name, variant)
    assert set(config.sweep.method) <= set(METHODS)
    for recipe in (config.head.recipe, config.pre_finetune, config.finetune, config.embed.finetune):
        assert dataclasses.asdict(Recipe(**recipe)) == recipe.to_dict()


def test_glue_at_full_size_is_the_papers_protocol():
    config = build("glue", "")
    assert (config.model, config.budget, config.task.labels) == ("bert-base-uncased", 50_000, 5_000)
    assert (config.pre_finetune.learning_rate, config.pre_finetune.batch_size, config.pre_finetune.max_length) == (
        1e-6,
        64,
        295,
    )
    assert (config.finetune.learning_rate, config.finetune.epochs, config.finetune.max_length) == (2e-5, 3, 128)
    assert len(config.sweep.task) == 8
    assert len(config.sweep.seed) == 3
    assert build("glue", "20k").budget == 20_000
    assert build("glue", "all").task.labels is None


def test_unknown_variant_lists_what_exists():
    with pytest.raises(ValueError, match=r"no variant 'large'\. It has: all, 20k, small"):
        build("glue", "large")


@pytest.mark.parametrize("field", sorted(common.fields(common.get_config())))
def test_every_field_is_read_somewhere(field):
    name = field.rpartition(".")[2]
    sources = [*(ROOT / "experiments").glob("*.py"), ROOT / "gotd_jax/training/recipe.py", ROOT / "gotd_jax/ot/solve.py"]
    text = "\n".join(path.read_text() for path in sources)
    assert re.search(rf"\.{name}\b|[\"']{name}[\"']|^    {name}: ", text, re.MULTILINE), f"nothing reads config.{field}"


def test_unknown_field_ends_the_program_with_the_nearest_names():
    with pytest.raises(SystemExit, match=r"no config field 'bugdet'\. Did you mean budget"):
        common.check_overrides(["main", "--config=configs/glue.py", "--config.bugdet=3"])
    common.check_overrides(["main", "--config=configs/glue.py", "--config.budget=3", "--config.pool.domains.mine=x"])
    common.check_overrides(["main", "--noconfig.keep_models", "--config.sweep.epsilon=(0.1,)"])


def commands(path):
    text = path.read_text().replace("\\\\\n", " ").replace("\\\n", " ")
    return re.findall(r"python -m experiments\.main [^\n`]*", text)


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted((ROOT / "configs").glob("*.py"))], ids=lambda path: path.name)
def test_every_command_shown_names_a_config_and_fields_that_exist(path):
    for command in commands(path):
        words = command.split()[3:]
        common.check_overrides(["main", *words])
        (config,) = re.findall(r"--config=(\S+)", command)
        file, _, variant = config.partition(":")
        assert (ROOT / file).is_file()
        assert build(Path(file).stem, variant)


def test_readme_begins_with_the_two_commands_that_the_makefile_has():
    first = (ROOT / "README.md").read_text().split("\n\n")[1]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert re.findall(r"make (\w+)", first) == ["quickstart", "test"]
    assert {"quickstart", "test"} <= set(targets)
