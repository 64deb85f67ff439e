"""Whole runs of zero-shot tasks on a tiny decoder, every part real but the size."""

import json

import numpy as np
import pytest

from configs import common
from experiments import cell
from experiments.cell_data import CellData
from experiments.sweep import cells_of
from gotd_jax.data import choice_tasks
from gotd_jax.report import column_names, item_scores, table
from tests.experiments.test_cells import ending, made_in
from tests.marks import others_slow


@pytest.fixture
def config(tiny_model, tiny_decoder, texts):
    config = common.get_config()
    config.evaluation = "choices"
    config.pool.domains = {name: str(texts / f"{name}.jsonl") for name in ("sea", "law", "food")}
    config.pool.characters = 80
    config.target.most = 20
    config.budget = 24
    config.task.name = "bbc_topics"
    config.choices.most = 12
    config.embed.model, config.embed.finetuned, config.embed.max_length = str(tiny_model), False, 32
    config.model = str(tiny_decoder)
    config.pre_finetune.batch_size, config.pre_finetune.max_length, config.pre_finetune.learning_rate = 4, 32, 1e-3
    return config


@pytest.mark.parametrize("method", others_slow("none", "random", "tapt_c"))
def test_every_method_goes_from_texts_to_a_row_and_makes_nothing_twice(config, tmp_path_factory, method):
    workdir = tmp_path_factory.getbasetemp() / "multiple_choice"
    config.method = method
    row = cell.run(config, workdir)
    assert sum(row["selected"].values()) == (0 if method == "none" else 24)
    before = made_in(workdir)
    assert cell.run(config, workdir) == row
    assert made_in(workdir) == before
    made = table.make([row])
    assert made.columns == ("bbc_topics ↑", "bbc_topics, calibrated ↑")
    assert [line.label for line in made.lines] == [column_names.MAJORITY, method]


def test_scores_are_those_of_the_items_that_are_kept(config, tmp_path):
    config.method, config.choices.most = "none", 60
    row = cell.run(config, tmp_path)
    (folder,) = (tmp_path / "scores").iterdir()
    items = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    assert len(items) == 60
    right = [int(np.argmin(item["instance"])) == item["answer"] for item in items]
    assert row["measures"]["bbc_topics ↑"]["value"] == pytest.approx(100 * np.mean(right))
    assert row["measures"]["bbc_topics ↑"]["count"] == 60
    right = [int(np.argmax(item["calibrated"])) == item["answer"] for item in items]
    assert row["measures"]["bbc_topics, calibrated ↑"]["value"] == pytest.approx(100 * np.mean(right))
    assert len({measure["value"] for measure in row["measures"].values()}) == 2
    of_items = item_scores.read(folder)
    assert {column: np.mean(list(of.values())) for column, of in of_items.items()} == pytest.approx(
        {column: measure["value"] for column, measure in row["measures"].items()}
    )
    commonest = np.bincount([item["answer"] for item in items]).max()
    assert row["baselines"][column_names.MAJORITY]["bbc_topics ↑"] == pytest.approx(100 * commonest / 60)


@pytest.mark.slow
def test_a_chunk_that_shares_a_run_with_an_item_is_no_candidate_wherever_the_run_begins(config, tmp_path):
    config.task.name = "openbookqa"
    items = choice_tasks.load("openbookqa").items
    item = max(items, key=lambda item: len(item.context.split()))
    words = item.context.split()
    held = [" ".join(words[start : start + 13]) for start in (0, 5, len(words) - 13)]
    option = next(option for item in items for option in item.options if 5 <= len(option.split()) < 13)
    rows = [*(f"before it {text.upper()}" for text in held), f"they said {option} and left"]
    rows.append(" ".join(words[3:12]).ljust(90, "."))
    path = tmp_path / "leaking.jsonl"
    path.write_text("".join(json.dumps({"text": f"all of it was so {text} and so on"}) + "\n" for text in rows))
    config.pool.domains, config.pool.short = {"leaking": str(path), **config.pool.domains}, "keep"
    config.pool.characters = 400
    whole = CellData(config, tmp_path).pool
    assert whole.count_domains()["leaking"] == 5
    kept = ending(config, tmp_path).problem.pool
    assert kept.count_domains()["leaking"] == 1 and len(kept) == len(whole) - 4
    config.method = "none"
    assert cell.run(config, tmp_path)["left_out_for_tested_text"] == 4


def test_what_an_item_says_is_told_from_the_words_of_its_template():
    for name in ("boolq", "piqa", "commonsenseqa", "openbookqa", "bbc_topics"):
        whole = choice_tasks.load(name)
        assert not any(text.startswith("Question:") or text.endswith(("Answer:", "answer is")) for text in whole.tested)
        assert all(said in item.context for item in whole.items if name != "boolq" for said in item.says)
        assert set(whole.tested) >= {option for item in whole.items for option in item.options}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task.name": "hangman"}, r"no multiple-choice task 'hangman'\. There are: boolq"),
        ({"task.name": "ag_news"}, "AG News is not packaged"),
        ({"task.name": "boolq", "pool.packaged": ("wikipedia",)}, "wikipedia holds the texts of the task boolq"),
        ({"choices.most": 0}, "0 items were asked for"),
        (
            {"task.name": "openbookqa", "embed.finetuned": True},
            "openbookqa has no labelled task to fine-tune the encoder on; ag_news, bbc_topics have",
        ),
        ({"method": "contrast"}, "contrast reads texts to move away from.*evaluation=toxicity"),
        ({"method": "rtp"}, "rtp reads the toxicity.*evaluation=toxicity"),
        ({"budget": 5_000}, r"budget of 5,000 chunks exceeds the pool of \d+"),
    ],
)
def test_what_cannot_work_is_refused_before_any_long_work(check_refused, change, message):
    check_refused(change, message)


def test_labels_of_a_choice_task_are_those_of_the_task_it_is_made_of(config, tmp_path):
    config.task.name, config.task.labels = "bbc_topics", 30
    assert CellData(config, tmp_path).task.name == "bbc_topics"
    assert len(CellData(config, tmp_path).task.train) == 30


def test_no_selection_is_run_once_at_a_budget_of_0(config):
    config.sweep.method, config.sweep.budget = ("none", "got_d"), (5, 10)
    assert [(swept["method"], swept["budget"]) for _, swept in cells_of(config)] == [("none", 0), ("got_d", 5), ("got_d", 10)]
