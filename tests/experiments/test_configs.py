import importlib
import re
import sys
from pathlib import Path

import absl.flags
import pytest
from ml_collections import ConfigDict, config_flags

from configs import common
from experiments import config_fields, running
from experiments.cell import ENDINGS
from experiments.sweep import cells_of
from gotd_jax.data.choice_tasks import CHOICE_TASKS
from gotd_jax.data.pools import check_disjoint
from gotd_jax.data.published_pools import stand_in_remark
from gotd_jax.methods import METHODS, Method
from gotd_jax.ot import semidual
from gotd_jax.report import paper

ROOT = Path(__file__).parents[2]
VARIANTS = [
    ("quickstart", ""),
    *(("glue", variant) for variant in ("", "all", "20k", "mnli", "small")),
    *(("domains", variant) for variant in ("", "5k", "small")),
    *(("detox", variant) for variant in ("", "20k", "small")),
    *(("zero_shot", variant) for variant in ("", "boolq", "sentences", "small")),
    *(("ablate_epsilon", variant) for variant in ("", "selection", "small", "small_scores")),
    *(("ablate_budget", variant) for variant in ("", "selection", "small", "small_scores")),
    *((name, variant) for name in ("figure1", "figure3", "ablate_encoder", "runtime") for variant in ("", "small")),
]
IN_FULL = [pair for pair in VARIANTS if not pair[1].startswith("small") and pair not in (("quickstart", ""), ("figure3", ""))]
SMALL = [pair for pair in VARIANTS if pair not in IN_FULL]
EVIDENCE = ("", "pilot", "kin", "budgets", "rates", "rare_half", "encoder", "tasks", "fine_tuned", "minilm", "smollm2")
BY_LINE = [("ablate_rule", ""), *(("evidence", variant) for variant in EVIDENCE)]  # of packaged text, small or not


def build(name, variant):
    arguments = (variant,) if variant else ()
    return importlib.import_module(f"configs.{name}").get_config(*arguments)


def built(pairs=VARIANTS):
    """Yields each config and what the command line calls it, for the message of a failure."""
    for name, variant in pairs:
        yield build(name, variant), f"configs/{name}.py:{variant}"


def own_fields(config):
    of_recipes = tuple(f"{name}." for name in config_fields.RECIPES)
    return {field for field in config_fields.fields(config) if not field.startswith((*config_fields.OPEN, *of_recipes))}


def test_every_config_has_the_fields_of_common_and_no_others():
    for config, called in built(VARIANTS + BY_LINE):
        assert own_fields(config) == own_fields(common.get_config()), called


def test_every_config_names_methods_recipes_tables_tasks_and_evaluations_that_exist():
    for config, called in built():
        assert set(config.sweep.method) <= set(METHODS), called
        assert config.evaluation in ENDINGS, called
        config_fields.check_recipes(config)
        asked = set(config.sweep.get("task", (config.task.name,))) if config.evaluation == "choices" else set()
        assert asked | set(config.detox.utility_tasks) <= set(CHOICE_TASKS), called


def test_a_config_runs_what_the_papers_tables_beside_it_have():
    beside = [(config, called, table) for config, called in built() for table in paper.find(config.paper)]
    assert {called for _, called, _ in beside} == {called for config, called in built(IN_FULL) if config.paper}
    for config, called, table in beside:
        assert table.budget in config.sweep.get("budget", (config.budget,)), called
        assert set(table.scores) <= set(config.sweep.method), called
        if config.evaluation == "finetune":
            assert table.labels == config.task.labels, called
            assert len(config.sweep.seed) == table.seeds, called
            assert set(config.sweep.task) <= set(table.scores["got_d"]), called


def test_where_a_full_config_differs_from_the_paper_stands_beneath_its_table():
    for config, called in built(IN_FULL):
        methods, said = set(config.sweep.method), config.protocol
        assert (common.FETCHED_ALONE in said) == bool(stand_in_remark(config.pool.named)), called
        assert (common.DRAWN_DOMAINS in said) == (config.pool.per_domain is not None), called
        tests_all = config.pool.relevance.keep is not None and not config.pool.relevance.methods
        if config.paper:
            assert (common.CLOSEST_DOMAINS in said) == tests_all, called
            assert (common.OWN_FILTER in said) == ("dsir" in methods) <= config.dsir.quality, called
            assert (common.CAPPED in said) == (config.evaluation == "finetune" and config.task.labels is None), called
        if config.evaluation == "finetune":
            assert (common.NOT_VAMPIRE in said) == ("tapt_c" in methods), called


def test_small_configs_name_nothing_that_has_to_be_fetched_from_the_hub():
    for config, called in built(SMALL):
        assert not config.pool.named and config.pool.relevance.keep is None, called
        assert config.protocol in ((), build("quickstart", "").protocol), called


def test_products_are_in_bfloat16_at_full_size_where_that_is_fast_and_nowhere_else(monkeypatch):
    for fastest, dtype in (("float32", "float32"), ("bfloat16", "bfloat16"), ("float16", "bfloat16")):
        monkeypatch.setattr(semidual, "fast_precision", lambda fastest=fastest: fastest)
        for pairs, expected in ((IN_FULL, dtype), (SMALL, "float32")):
            for config, called in built(pairs):
                cell = first_cell(config)
                assert cell.compute_dtype == cell.embed.compute_dtype == expected, called


def first_cell(config):
    config.data_dir = None  # the tasks that `only_available` leaves are those of a table then
    return next(cell for cell, _ in cells_of(config))


def test_the_small_pool_of_zero_shot_holds_the_texts_of_no_task():
    config = build("zero_shot", "small")
    assert len(config.sweep.task) > 1
    for task in config.sweep.task:
        check_disjoint(task, config.pool.packaged)


def test_an_unknown_variant_lists_those_there_are():
    for name in {name for name, _ in VARIANTS} - {"quickstart"}:
        with pytest.raises(ValueError, match=r"no variant 'large'\. It has: ") as told:
            build(name, "large")
        listed = str(told.value).partition("It has: ")[2].removesuffix(", or none at all.").split(", ")
        assert listed == [variant for other, variant in VARIANTS if other == name and variant], name


def test_every_option_of_every_method_is_a_field_with_its_default():
    config = common.get_config()
    own = {method.name: {name: each.default for name, each in method.own_options.items()} for method in METHODS.values()}
    assert {name: config[name].to_dict() for name, options in own.items() if options} == {
        name: options for name, options in own.items() if options
    }
    assert config.dsir.to_dict() == {"buckets": 10_000, "ngrams": 2, "min_tokens": 0, "quality": False}


def test_a_method_with_options_cannot_be_called_as_a_part_of_every_config(monkeypatch):
    def own(problem, budget, *, seed, word: str | None = None): ...

    own.__module__ = "own.words"
    monkeypatch.setitem(METHODS, "words", Method(own))
    assert common.get_config().words.to_dict() == {"word": None}
    own.__module__ = "own.finetune"
    with pytest.raises(ValueError, match="cannot be called finetune"):
        common.get_config()


def test_unknown_field_ends_the_program_with_the_nearest_names():
    with pytest.raises(SystemExit, match=r"no config field 'bugdet'\. Did you mean budget"):
        config_fields.check_overrides(["main", "--config=configs/glue.py", "--config.bugdet=3"])
    config_fields.check_overrides(["main", "--config=configs/glue.py", "--config.budget=3", "--config.pool.domains.mine=x"])
    config_fields.check_overrides(["main", "--noconfig.keep_models", "--config.sweep.epsilon=(0.1,)"])
    config_fields.check_overrides(["main", "--config.finetune.beta2=0.95", "--config.embed.finetune.dropout=False"])
    with pytest.raises(SystemExit, match=r"no config field 'finetune.learning'\. Did you mean finetune.learning_rate"):
        config_fields.check_overrides(["main", "--config.finetune.learning=1"])


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
def test_a_flag_sweeps_any_field_that_a_section_holds(monkeypatch):
    flags = absl.flags.FlagValues()
    defined = config_flags.DEFINE_config_file("config", flag_values=flags, lock_config=False, accept_new_attributes=True)
    asked = {"dsir.buckets": (50, 100), "embed.finetune.epochs": (1, 2)}
    given = [f"--config.sweep.{name}={values}" for name, values in asked.items()]
    monkeypatch.setattr(sys, "argv", ["main", f"--config={ROOT}/configs/quickstart.py", *given])
    flags(sys.argv)
    swept = {"method": ("dsir",), "seed": (0,)}
    defined.value.sweep.method, defined.value.sweep.seed = swept.values()
    assert (
        config_fields.swept(defined.value)
        == swept | asked
        == config_fields.swept(ConfigDict({"sweep": common.sweep(**swept, **asked)}))
    )
    found = {(of.dsir.buckets, of.embed.finetune.epochs) for of, _ in cells_of(defined.value)}
    assert found == {(50, 1), (50, 2), (100, 1), (100, 2)}


def test_a_recipe_that_is_none_is_refused_before_anything_is_read(tmp_path):
    for field, value, message in (
        ("batchsize", 3, r"config\.finetune has the field 'batchsize'\. A recipe has: batch_size, "),
        ("accumulate", 0.5, r"config\.finetune is no recipe: Recipe\.accumulate is 0\.5\. It must be of the type int"),
        ("schedule", "cosine", r"Recipe\.schedule is 'cosine'\. It can be: linear, constant"),
    ):
        config = build("quickstart", "")
        config.finetune[field] = value
        with pytest.raises(ValueError, match=message):
            running.check(config, list(cells_of(config)), tmp_path)
    assert not list(tmp_path.iterdir())


def commands(path):
    text = path.read_text(encoding="utf-8").replace("\\\\\n", " ").replace("\\\n", " ")
    return re.findall(r"python -m experiments\.main [^\n`]*", text)


def test_every_command_shown_names_a_config_and_fields_that_exist():
    pages = [*ROOT.glob("README.md"), *ROOT.glob("*/README.md"), *ROOT.glob("gotd_jax/*/README.md"), *ROOT.glob("configs/*.py")]
    shown = [(path, command) for path in pages for command in commands(path)]
    assert len({path for path, _ in shown}) > 10
    for path, command in shown:
        config_fields.check_overrides(["main", *command.split()[3:]])
        (config,) = re.findall(r"--config=(\S+)", command)
        file, _, variant = config.partition(":")
        assert (ROOT / file).is_file(), f"{path}: {command}"
        assert build(Path(file).stem, variant)


def test_readme_begins_with_the_two_commands_that_the_makefile_has():
    first = (ROOT / "README.md").read_text(encoding="utf-8").split("\n\n")[1]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r"make (\w+)", first) == ["quickstart", "test"]
    assert {"quickstart", "test"} <= set(targets)
