"""Cells that end with a loss on held-out text: a base that is pre-trained first, parts of documents, budgets in tokens."""

import json

import numpy as np
import pytest

from configs import common
from experiments import cell, config_fields, pages, running
from experiments.cell_data import CellData, Shared
from experiments.endings import ENDINGS
from experiments.sweep import cells_of
from gotd_jax.report import column_names
from tests.conftest import sentence
from tests.experiments.test_cells import made_in

LINES = {"none": "none", "random": "random", "oracle": "mixture", "got_d": "got_d"}


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    """Returns a file of texts for each of three domains, enough that all parts of their documents have some."""
    folder, draws = tmp_path_factory.mktemp("domains"), np.random.default_rng(5)
    for name in ("sea", "law", "food"):
        rows = [{"id": f"{name}{i}", "text": sentence(draws, name, 30)} for i in range(700)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {name: str(folder / f"{name}.jsonl") for name in ("sea", "law", "food")}


@pytest.fixture(scope="module")
def config(domains, tiny_model):
    made = common.get_config()
    made.evaluation = "loss"
    made.pool.domains = domains
    made.pool.characters, made.pool.short = 100, "keep"
    made.pool.documents, made.pool.seed, made.pool.share = (0.4, 0.7), 0, 0.8
    made.target.domains, made.target.documents, made.target.most = ("food",), (0.7, 0.8), 40
    made.loss.documents, made.loss.target, made.loss.pre_training = (0.8, 1.0), 120, 40
    made.base.mixture, made.base.characters, made.base.documents = {"sea": 0.9, "law": 0.1}, 30_000, (0.0, 0.4)
    made.base.sizes = {"vocabulary": 300, "width": 32, "layers": 2, "heads": 2, "positions": 64}
    made.base.recipe.max_length, made.base.recipe.dropout = 32, False
    made.embed.model, made.embed.finetuned, made.embed.max_length = str(tiny_model), False, 32
    made.pre_finetune = common.recipe(batch_size=8, max_length=32, learning_rate=1e-3, weight_decay=0.0, dropout=False)
    made.task.name, made.task.home = "food", ("food",)
    made.budget, made.budget_unit = 2_000, "tokens"
    made.keep_models = False
    made.sweep = common.sweep(seed=(0, 1), line=tuple(LINES))
    made.where = tuple(("line", line, "method", method) for line, method in LINES.items())
    made.gap.floor, made.gap.ceiling, made.gap.untrained, made.gap.placebo = "random", "oracle", "none", "random"
    return made


@pytest.fixture(scope="module")
def ran(config, tmp_path_factory):
    """Returns the workdir and the rows of a run of all lines."""
    workdir = tmp_path_factory.mktemp("work")
    cells, shared = list(cells_of(config)), Shared()
    running.check(config, cells, workdir, shared)
    return workdir, running.run(cells, workdir, shared)


def loss_of(rows, line, text="food"):
    return np.mean([row["measures"][column_names.loss(text)]["value"] for row in rows if row["line"] == line])


def test_text_of_the_target_lowers_its_loss(ran):
    _, rows = ran
    losses = {line: loss_of(rows, line) for line in LINES}
    assert losses["oracle"] < losses["random"] < losses["none"]
    assert losses["got_d"] < losses["random"]
    assert loss_of(rows, "oracle", "food: pre-training text") > loss_of(rows, "random", "food: pre-training text")


def test_all_lines_read_as_many_tokens(ran):
    _, rows = ran
    read = [row["selection"]["tokens"] for row in rows if row["line"] != "none"]
    assert max(read) <= 2_000
    assert min(read) > 1_900


def test_replicates_draw_pool_target_and_measured_texts_and_share_the_base(config, ran):
    workdir, _ = ran
    data = [CellData(config_fields.replaced(config, {"seed": seed, "method": "random"}), workdir) for seed in (0, 1)]
    texts = [ENDINGS["loss"](each).texts for each in data]
    for part in ("pool", "target", "tested"):
        first, second = (getattr(of_seed, part).fingerprint for of_seed in texts)
        assert first != second
    assert len(list((workdir / "pre_trained").iterdir())) == 1


def test_no_document_lies_in_two_parts(config, ran):
    workdir, _ = ran
    data = CellData(config_fields.replaced(config, {"method": "random"}), workdir)
    texts = ENDINGS["loss"](data).texts
    parts = [{name.split("#")[0] for name in corpus.ids} for corpus in (texts.pool, texts.target, texts.tested)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


def test_what_the_base_has_read_can_stand_for_its_distribution(config, ran):
    workdir, _ = ran
    changed = config_fields.replaced(config, {"method": "got_d", "base.reference": 20})
    problem = ENDINGS["loss"](CellData(changed, workdir)).problem
    read = {name.split("#")[0] for name in CellData(changed, workdir).base_documents.ids}
    assert "reference" in problem.given and len(problem.reference) == 20
    assert {name.split("#")[0] for name in problem.reference.ids} <= read
    assert (
        "reference" not in ENDINGS["loss"](CellData(config_fields.replaced(config, {"method": "got_d"}), workdir)).problem.given
    )


def test_a_reference_guessed_from_the_pool_is_of_what_the_base_read_most(config, ran):
    workdir, _ = ran
    changes = {"method": "got_d", "base.reference": 60, "base.reference_from": "pool", "target_model": {"max_length": 32}}
    problem = ENDINGS["loss"](CellData(config_fields.replaced(config, changes), workdir)).problem
    guessed, pool = problem.reference.count_domains(), problem.pool.count_domains()
    assert guessed["sea"] / 60 > 1.5 * pool["sea"] / len(problem.pool)  # nine tenths of what it read
    assert set(problem.reference.ids) <= set(problem.pool.ids)


def test_a_pool_is_embedded_once_for_all_replicates(ran):
    workdir, rows = ran
    embedded = [path for path in (workdir / "embeddings").iterdir() if path.is_dir()]
    assert len(embedded) == 1 + len({row["seed"] for row in rows})  # the pool, and each replicate's target


def test_a_second_run_makes_nothing(config, ran):
    workdir, rows = ran
    before = made_in(workdir)
    assert running.run(list(cells_of(config)), workdir) == rows
    again = made_in(workdir)
    assert {path for path in before if before[path] != again.get(path)} == {workdir / "results.jsonl"}  # printed once more


def test_a_run_goes_on_from_the_rows_of_an_earlier_one(config, ran, tmp_path):
    _, rows = ran
    assert running.run(list(cells_of(config)), tmp_path, earlier=rows) == rows
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []  # nothing was made


def test_the_page_tells_gap_and_gates(config, ran):
    workdir, rows = ran
    said = pages.printed(rows, config, workdir)
    assert "Gate A, food" in said and "Gate B, food" in said
    assert (workdir / "gap_closed.md").exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("target.domains", (), "target's domains"),
        ("target.documents", (0.3, 0.5), "do not overlap"),
        ("target.shares", (0.5, 0.5), "shares"),
        ("target.shares", (0.5,), "sum to 0.5"),
        ("loss.target", 4_000, "has"),
        ("budget_unit", "words", "chunks, tokens"),
        ("base.mixture", {"poems": 1.0}, "poems"),
        ("pre_finetune.max_length", 65, "positions for 64"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_trained(config, tmp_path, field, value, said):
    with pytest.raises(ValueError, match=said):
        cell.check(config_fields.replaced(config, {"method": "random", field: value}), tmp_path)
    assert not (tmp_path / "pre_trained").exists()
