import dataclasses
import importlib
import re
from pathlib import Path

import pytest

from configs import common
from experiments.cell import ENDINGS
from experiments.sweep import cells_of
from gotd_jax.data.choice_tasks import CHOICE_TASKS
from gotd_jax.data.pools import check_disjoint
from gotd_jax.data.published_pools import FETCHED
from gotd_jax.methods import METHODS
from gotd_jax.ot import semidual
from gotd_jax.report import paper
from gotd_jax.training.recipe import Recipe

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
    for recipe in (config.head.recipe, config.pre_finetune, config.finetune, config.embed.finetune, config.loss_difference):
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
    assert config.finetune.weight_decay == 0
    assert len(config.sweep.task) == 8
    assert len(config.sweep.seed) == 3
    assert build("glue", "20k").budget == 20_000
    assert build("glue", "all").task.labels is None


SEVEN = [
    *(("glue", variant) for variant in ("", "all", "20k", "mnli")),
    *(("domains", variant) for variant in ("", "5k")),
    *((name, variant) for name in ("ablate_epsilon", "ablate_budget") for variant in ("", "selection")),
    ("figure1", ""),
    ("runtime", ""),
    ("zero_shot", "boolq"),
]


@pytest.mark.parametrize(("name", "variant"), SEVEN)
def test_language_understanding_at_full_size_chooses_from_the_closest_of_seven_domains(name, variant):
    config = build(name, variant)
    assert sorted(config.pool.named) == sorted(FETCHED) and len(FETCHED) == 7
    assert not any(config.pool[field] for field in ("packaged", "domains"))
    assert (config.pool.characters, config.pool.short, config.pool.long) == (1_000, "drop", "split")
    assert config.pool.relevance.keep == (1 if name == "zero_shot" else 2)
    assert config.pool.relevance.chunks == (None if name in ("zero_shot", "runtime") else 2_000_000)
    assert name == "runtime" or 2_000_000 <= config.pool.per_domain <= 3_000_000
    assert common.FETCHED_ALONE in config.protocol


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_what_a_full_config_does_otherwise_than_the_paper_stands_beneath_its_table(name, variant):
    config = build(name, variant)
    if "small" in variant or name in ("quickstart", "figure3") or not config.paper:
        return
    methods = config.sweep.method
    assert ("dsir" in methods) == (common.OWN_FILTER in config.protocol)
    assert config.dsir.quality or "dsir" not in methods
    of_glue = name not in ("zero_shot", "ablate_encoder")  # whose TAPT/c is no VAMPIRE's in the paper either
    assert ("tapt_c" in methods and of_glue) <= (common.NOT_VAMPIRE in config.protocol)
    if config.evaluation == "finetune":
        assert (config.task.labels is None) == (common.CAPPED in config.protocol)
    if name in ("glue", "domains", "detox", "zero_shot") and variant != "sentences":
        assert "random" in methods


@pytest.mark.parametrize("name", ["glue", "domains", "detox", "zero_shot", "figure1", "runtime"])
def test_small_configs_name_nothing_that_has_to_be_fetched_from_the_hub(name):
    config = build(name, "small")
    assert not config.pool.named and config.pool.relevance.keep is None
    assert config.protocol in ((), build("quickstart", "").protocol)


def test_domains_at_full_size_is_the_papers_protocol():
    config = build("domains", "")
    assert (config.model, config.budget, config.task.labels) == ("bert-base-uncased", 150_000, None)
    assert dataclasses.asdict(Recipe(**config.pre_finetune)) == dataclasses.asdict(
        Recipe(batch_size=64, max_length=295, epochs=1, learning_rate=1e-4, weight_decay=1e-2)
    )
    assert (config.finetune.batch_size, config.finetune.learning_rate, config.finetune.weight_decay) == (64, 1e-4, 1e-2)
    assert (config.pool.relevance.keep, config.pool.relevance.chunks) == (2, 2_000_000)
    assert len(config.sweep.task) == 8 and len(config.sweep.seed) == 5
    cells = {swept["task"]: cell for cell, swept in cells_of(config)}
    read = {task: (cell.finetune.epochs, cell.finetune.max_length, cell.task.home) for task, cell in cells.items()}
    assert read["imdb"] == read["amazon"] == (3, 512, ("amazon_reviews_2023",))
    assert read["rct-20k"] == (3, 256, ("pubmed",)) and read["ag"] == (3, 256, ("realnewslike",))
    assert read["chemprot"] == (10, 256, ("pubmed",)) and read["citation_intent"] == (10, 256, ("arxiv",))
    few = build("domains", "5k")
    assert (few.budget, few.task.labels) == (50_000, 5_000)
    assert {cell.finetune.epochs for cell, _ in cells_of(few)} == {10}


def test_detox_at_full_size_is_the_papers_protocol():
    config = build("detox", "")
    assert (config.model, config.budget, config.pool.characters, config.evaluation) == ("gpt2", 10_000, 500, "toxicity")
    recipe = config.pre_finetune
    assert (recipe.epochs, recipe.learning_rate, recipe.weight_decay, recipe.adam_epsilon) == (3, 2e-5, 0.1, 1e-5)
    assert (recipe.beta1, recipe.beta2, recipe.batch_size, recipe.max_length) == (0.9, 0.95, 8, 1_024)
    detox = config.detox
    assert (detox.prompts, detox.continuations, detox.new_tokens, detox.top_p) == (10_000, 25, 20, 0.9)
    assert (detox.targets, detox.held_out) == (2_500, 10_000)
    assert (config.target.short, config.target.long) == ("keep", "cut")
    assert build("detox", "20k").budget == 20_000
    assert {table.budget for table in paper.find(build("detox", "20k").paper)} == {20_000}


def test_zero_shot_at_full_size_is_the_papers_protocol():
    config = build("zero_shot", "")
    assert (config.model, config.task.name, config.choices.most) == ("gpt2-xl", "ag_news", 1_000)
    assert (config.pre_finetune.epochs, config.pre_finetune.learning_rate) == (1, 1e-5)
    assert [table.budget for table in paper.find(config.paper)] == list(config.sweep.budget)
    boolq = build("zero_shot", "boolq")
    assert (boolq.model, boolq.task.name, boolq.sweep.budget) == ("EleutherAI/gpt-neo-2.7B", "boolq", (40_000,))


@pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
def test_products_are_in_bfloat16_at_full_size_where_that_is_fast_and_nowhere_else(variant, monkeypatch):
    full = not variant[1].startswith("small") and variant[0] not in ("quickstart", "figure3")
    config = build(*variant)
    config.data_dir = None  # the tasks that 'available' stands for are those of a table then
    for fastest, dtype in (("float32", "float32"), ("bfloat16", "bfloat16"), ("float16", "bfloat16")):
        monkeypatch.setattr(semidual, "fast_precision", lambda fastest=fastest: fastest)
        found = {(cell.compute_dtype, cell.embed.compute_dtype) for cell, _ in cells_of(config)}
        assert found == ({(dtype, dtype)} if full else {("float32", "float32")})


TABLES = [pair for pair in VARIANTS if pair[0] in ("glue", "domains", "detox", "zero_shot", "figure1")]


@pytest.mark.parametrize("variant", TABLES, ids="-".join)
def test_tables_of_the_paper_name_its_solver_and_small_ones_leave_it_to_the_size(variant):
    assert build(*variant).ot.solver == (None if variant[1] == "small" else "sinkhorn")


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_config_names_published_tables_tasks_and_evaluations_that_exist(name, variant):
    config = build(name, variant)
    paper.find(config.paper)
    assert config.evaluation in ENDINGS
    assert set(config.detox.utility_tasks) <= set(CHOICE_TASKS)
    if config.evaluation == "choices":
        assert set(config.sweep.get("task", (config.task.name,))) <= set(CHOICE_TASKS)


@pytest.mark.parametrize("name", ["detox", "zero_shot"])
def test_small_pools_hold_the_texts_of_no_task(name):
    config = build(name, "small")
    for task in (*config.detox.utility_tasks, *config.sweep.get("task", ())):
        check_disjoint(task, config.pool.packaged)


@pytest.mark.parametrize(
    ("name", "variants"),
    [
        ("glue", "all, 20k, mnli, small"),
        ("domains", "5k, small"),
        ("detox", "20k, small"),
        ("zero_shot", "boolq, sentences, small"),
        ("ablate_epsilon", "selection, small, small_scores"),
        ("ablate_budget", "selection, small, small_scores"),
        ("figure3", "small"),
    ],
)
def test_unknown_variant_lists_what_exists(name, variants):
    with pytest.raises(ValueError, match=rf"no variant 'large'\. It has: {variants}"):
        build(name, "large")


@pytest.mark.parametrize("field", sorted(common.fields(common.get_config())))
def test_every_field_is_read_somewhere(field):
    name = field.rpartition(".")[2]
    sources = [
        *(ROOT / "experiments").glob("*.py"),
        *(ROOT / "experiments/endings").glob("*.py"),
        *(ROOT / f"gotd_jax/{name}.py" for name in ("training/recipe", "ot/solve", "report/statistics")),
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert re.search(rf"\.{name}\b|[\"']{name}[\"']|^    {name}: ", text, re.MULTILINE), f"nothing reads config.{field}"


def test_unknown_field_ends_the_program_with_the_nearest_names():
    with pytest.raises(SystemExit, match=r"no config field 'bugdet'\. Did you mean budget"):
        common.check_overrides(["main", "--config=configs/glue.py", "--config.bugdet=3"])
    common.check_overrides(["main", "--config=configs/glue.py", "--config.budget=3", "--config.pool.domains.mine=x"])
    common.check_overrides(["main", "--noconfig.keep_models", "--config.sweep.epsilon=(0.1,)"])


def commands(path):
    text = path.read_text(encoding="utf-8").replace("\\\\\n", " ").replace("\\\n", " ")
    return re.findall(r"python -m experiments\.main [^\n`]*", text)


READMES = [ROOT / "README.md", *(ROOT / folder / "README.md" for folder in ("configs", "experiments"))]


@pytest.mark.parametrize(
    "path", [*READMES, *sorted((ROOT / "configs").glob("*.py"))], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_command_shown_names_a_config_and_fields_that_exist(path):
    for command in commands(path):
        words = command.split()[3:]
        common.check_overrides(["main", *words])
        (config,) = re.findall(r"--config=(\S+)", command)
        file, _, variant = config.partition(":")
        assert (ROOT / file).is_file()
        assert build(Path(file).stem, variant)


def test_readme_begins_with_the_two_commands_that_the_makefile_has():
    first = (ROOT / "README.md").read_text(encoding="utf-8").split("\n\n")[1]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r"make (\w+)", first) == ["quickstart", "test"]
    assert {"quickstart", "test"} <= set(targets)
