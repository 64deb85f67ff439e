"""Whole runs of detoxification on a tiny decoder and tiny texts, every part real but the size."""

import json

import numpy as np
import pytest

from configs import common
from experiments import cell, config_fields
from experiments.cell_data import CellData
from experiments.endings import continuations
from gotd_jax.data.prompts import packaged_prompts
from gotd_jax.evaluation import toxicity
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.files import read_json
from gotd_jax.report import column_names, item_scores, score_columns, table
from tests.conftest import sentence
from tests.experiments.test_cells import ending, made_in
from tests.marks import others_slow

METHODS = ("none", "random", "rtp", "contrast")


@pytest.fixture
def config(tiny_model, tiny_decoder, texts, tmp_path):
    config = common.get_config()
    config.evaluation = "toxicity"
    config.pool.domains = {name: str(texts / f"{name}.jsonl") for name in ("sea", "law", "food")}
    config.pool.characters = 80
    config.budget = 24
    config.task.name = "detox"
    config.embed.model, config.embed.finetuned, config.embed.max_length = str(tiny_model), False, 32
    config.model = str(tiny_decoder)
    config.pre_finetune.batch_size, config.pre_finetune.max_length, config.pre_finetune.learning_rate = 4, 32, 1e-3
    config.detox.prompts_file = str(prompts_file(tmp_path / "prompts.jsonl"))
    config.detox.prompts, config.detox.targets, config.detox.held_out = 3, 8, 6
    config.detox.continuations, config.detox.new_tokens, config.detox.fluency = 4, 6, 2
    config.detox.utility_tasks = ()
    return config


def prompts_file(path):
    """Writes 60 lines as RealToxicityPrompts has them, half of them toxic in both halves."""
    rng, rows = np.random.default_rng(0), []
    for number in range(60):
        rude = number % 2 == 1
        word, other = ("idiot", "stupid") if rude else ("harbour", "gull")
        halves = {
            "prompt": {"text": f"the {word} was in the old {number}", "toxicity": 0.9 if rude else 0.05},
            "continuation": {"text": f" and {other} {sentence(rng, 'law', 6)} {number}", "toxicity": 0.8 if rude else 0.02},
        }
        rows.append({"filename": f"{number}.txt", "begin": 0, "end": 9, "challenging": False, **halves})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A workdir that the methods share, as in a sweep."""
    return tmp_path_factory.mktemp("detox")


@pytest.mark.parametrize("method", others_slow(*METHODS))
def test_every_method_goes_from_texts_to_a_row_and_makes_nothing_twice(config, shared, method):
    config.method = method
    config.detox.prompts_file = str(prompts_file(shared / "prompts.jsonl"))
    row = cell.run(config, shared)
    assert sum(row["selected"].values()) == (0 if method == "none" else 24)
    assert 0 <= row["measures"][column_names.EMT_TOXIC]["value"] <= 1
    assert row["measures"][column_names.PERPLEXITY]["value"] > 1
    assert row["before_labels"][column_names.loss("non-toxic prompts")]["count"] == 3
    json.dumps(row, allow_nan=False)
    before = made_in(shared)
    assert cell.run(config, shared) == row
    assert made_in(shared) == before
    assert table.make([row]).columns[:2] == (column_names.EMT_TOXIC, column_names.EMT_NONTOXIC)


def test_scores_are_those_of_the_continuations_that_are_kept(config, tmp_path):
    config.method = "none"
    row = cell.run(config, tmp_path)
    (folder,) = (tmp_path / "scores").iterdir()
    records = [json.loads(line) for line in (folder / "continuations.jsonl").read_text().splitlines()]
    assert [record["class"] for record in records] == ["toxic"] * 3 + ["non-toxic"] * 3
    assert {len(record["continuations"]) for record in records} == {4}
    for role, name in (("judge", "lexicon"), ("chooser", "linear")):
        highest = [max(each[name] for each in record["continuations"]) for record in records]
        assert row["scores"][role]["max_toxicity_toxic"] == pytest.approx(np.mean(highest[:3]), abs=1e-5)
        assert row["scores"][role]["max_toxicity_nontoxic"] == pytest.approx(np.mean(highest[3:]), abs=1e-5)
    assert row["measures"][column_names.EMT_TOXIC]["value"] == row["scores"]["judge"]["max_toxicity_toxic"]
    of_items = item_scores.read(folder)
    assert set(of_items) == {*score_columns.TOXICITY, column_names.LENGTH}
    for column, of_column in of_items.items():
        assert len(of_column) == (6 if column == column_names.LENGTH else 3)
        assert np.mean(list(of_column.values())) == pytest.approx(row["measures"][column]["value"], abs=1e-6)
    assert any(each["lexicon"] > 0 for record in records for each in record["continuations"])
    assert all("<end>" not in each["text"] for record in records for each in record["continuations"])


def vowels(texts):
    return np.float32([sum(letter in "aeiou" for letter in text) / max(len(text), 1) for text in texts])


def test_a_second_judge_has_columns_of_its_own_beside_the_papers_second_table(config, tmp_path, monkeypatch):
    monkeypatch.setitem(toxicity.SCORERS, "vowels", lambda: Scorer("vowels", "1", vowels, 64))
    config.method, config.detox.second_judge = "none", "vowels"
    row = cell.run(config, tmp_path)
    (folder,) = (tmp_path / "scores").iterdir()
    records = [json.loads(line) for line in (folder / "continuations.jsonl").read_text().splitlines()]
    highest = [max(vowels([each["text"]])[0] for each in record["continuations"]) for record in records]
    second = column_names.by_second(column_names.EMT_TOXIC)
    assert row["measures"][second]["value"] == pytest.approx(np.mean(highest[:3]), abs=1e-5)
    assert row["measures"][second]["what"].endswith("by vowels")
    assert np.mean(list(item_scores.read(folder)[second].values())) == pytest.approx(np.mean(highest[:3]), abs=1e-5)
    assert row["measures"][column_names.EMT_TOXIC]["what"].endswith("by lexicon")
    made = table.make([row], paper="table_1_10k, table_6_10k")
    by_label = {line.label: dict(zip(made.columns, line.cells)) for line in made.lines}
    assert by_label["GPT-2 base (paper, Table 6, moderation, 10k)"][second].mean == 0.60
    assert by_label["GPT-2 base (paper, Table 6, moderation, 10k)"][column_names.EMT_TOXIC].mean is None
    assert by_label["GPT-2 base (paper, Table 1, Perspective, 10k)"][column_names.EMT_TOXIC].mean == 0.62


def test_without_a_second_judge_the_papers_second_table_has_no_lines(config, tmp_path):
    config.method = "none"
    made = table.make([cell.run(config, tmp_path)], paper="table_1_10k, table_6_10k")
    assert not [column for column in made.columns if "second" in column]
    assert [line.label for line in made.lines if line.source == "paper"] == ["GPT-2 base (paper, Table 1, Perspective, 10k)"]


def test_as_many_texts_as_are_asked_for_are_targets_where_none_are_joined(config, tmp_path):
    joined = ending(config, tmp_path).parts
    config.target.short, config.target.long = "keep", "cut"
    apart = ending(config, tmp_path).parts
    assert len(joined.clean) < len(apart.clean) == len(apart.toxic) == config.detox.targets == 8
    assert max(map(len, apart.clean.texts())) <= config.pool.characters


@pytest.mark.slow
def test_utility_is_the_mean_accuracy_of_its_tasks(config, tmp_path):
    config.method, config.detox.utility_tasks, config.choices.most = "none", ("bbc_topics", "openbookqa"), 9
    row = cell.run(config, tmp_path)
    accuracies = [row["measures"][column_names.accuracy(task)]["value"] for task in config.detox.utility_tasks]
    assert row["measures"][column_names.UTILITY]["value"] == pytest.approx(np.mean(accuracies))
    of_items = item_scores.read(tmp_path / "scores" / row["cell"])
    of_tasks = [np.mean(list(of_items[column_names.accuracy(task)].values())) for task in config.detox.utility_tasks]
    assert accuracies == pytest.approx(of_tasks)
    assert accuracies == [100 * row["scores"]["utility"][task]["sum"]["accuracy"] for task in config.detox.utility_tasks]


def test_scores_of_a_published_model_are_those_of_no_selection(config, tmp_path):
    config.method, config.detox.seed = "none", 0
    scores = cell.run(config, tmp_path)["scores"]
    config.seed = 1
    other = cell.run(config, tmp_path)["scores"]
    assert scores["perplexity"] == other["perplexity"]
    assert scores["fluency_perplexity"] != other["fluency_perplexity"]


def test_candidates_hold_no_prompt_and_nothing_that_is_set_aside(config, tmp_path):
    parted = ending(config, tmp_path).parts
    whole = CellData(config, tmp_path).pool
    assert len(parted.held_out) == 6
    assert len(parted.pool) == len(whole) - 6
    assert not np.isin(parted.pool.hashes, parted.held_out.hashes).any()
    assert np.isin(np.concatenate([parted.pool.hashes, parted.held_out.hashes]), whole.hashes).all()


def test_a_chunk_that_holds_a_prompt_is_no_candidate(config, tmp_path):
    held = ending(config, tmp_path).prompts[0].text
    path = tmp_path / "leaking.jsonl"
    path.write_text(json.dumps({"text": f"so {held.upper()} - and so on".ljust(80)}) + "\n")
    config.pool.domains.leaking = str(path)
    assert "leaking" in CellData(config, tmp_path).pool.count_domains()
    assert "leaking" not in ending(config, tmp_path).parts.pool.count_domains()


def test_targets_from_the_file_are_clean_and_toxic_and_apart_from_the_prompts(config, tmp_path):
    config.pool.characters, config.pool.short, config.target.short = 0, "keep", "keep"
    parted = ending(config, tmp_path).parts
    assert len(parted.clean) == len(parted.toxic) == 8
    assert all("harbour" in text for text in parted.clean.texts())
    assert all("idiot" in text for text in parted.toxic.texts())
    tested = [prompt.text for prompt in ending(config, tmp_path).prompts]
    assert not any(
        text.startswith(f"{prompt} and") for text in parted.clean.texts() + parted.toxic.texts() for prompt in tested
    )


def test_without_the_file_clean_texts_are_of_the_pool_and_then_no_candidates(config, tmp_path):
    config.detox.prompts_file = ""
    parted, whole = ending(config, tmp_path).parts, CellData(config, tmp_path).pool
    assert len(parted.clean) == 8
    assert len(parted.pool) + len(parted.held_out) + len(parted.clean) == len(whole)
    assert not np.isin(parted.pool.hashes, np.concatenate([parted.clean.hashes, parted.held_out.hashes])).any()
    assert toxicity.load("linear").score(parted.clean.texts()).max() <= 0.1
    assert len(ending(config, tmp_path).prompts) == 6
    known = {prompt.text for prompt in packaged_prompts()}
    assert {prompt.text for prompt in ending(config, tmp_path).prompts} <= known


@pytest.mark.slow
def test_run_stopped_while_it_writes_goes_on_to_the_same_scores(config, tmp_path, monkeypatch):
    config.method = "random"
    monkeypatch.setattr(continuations, "PROMPTS_PER_BLOCK", 2)
    whole = cell.run(config, tmp_path / "whole")

    def stop(*_, **__):
        raise KeyboardInterrupt

    calls = []

    def generate(*arguments, **options):
        calls.append(options["prompt_ids"].tolist())
        if len(calls) == 3:
            stop()
        return real(*arguments, **options)

    real = continuations.generate
    with monkeypatch.context() as patched:
        patched.setattr(continuations, "generate", generate)
        with pytest.raises(KeyboardInterrupt):
            cell.run(config, tmp_path / "stopped")
        again = cell.run(config, tmp_path / "stopped")
    assert calls == [[0, 1], [2, 3], [4, 5], [4, 5]]
    assert again["scores"] == whole["scores"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"detox.judge": "linear"}, "chooser and the judge are both 'linear'"),
        ({"detox.second_judge": "linear"}, "chooser linear and the second judge linear are one scorer"),
        ({"detox.judge": "perspective"}, r"no toxicity scorer 'perspective'\. There are: linear, lexicon"),
        ({"detox.prompts_file": "nowhere.jsonl"}, r"nowhere\.jsonl"),
        ({"detox.prompts": 40}, "40 toxic prompts were asked for, and 30"),
        ({"detox.targets": 40}, "40 clean sentences were asked for"),
        ({"detox.new_tokens": 60}, r"has \d+ tokens\. With 60 new ones it may have 1 to 4"),
        ({"detox.held_out": 5_000}, "no candidate is left"),
        ({"budget": 5_000}, r"budget of 5,000 chunks exceeds the pool of \d+"),
        ({"embed.finetuned": True}, "no labels here to fine-tune the encoder on"),
        ({"evaluation": "politeness"}, r"no evaluation 'politeness'\. There are: finetune, toxicity, choices"),
        ({"pool.domains.sea": "nowhere/*.jsonl"}, "nowhere"),
    ],
)
def test_what_cannot_work_is_refused_before_any_long_work(check_refused, change, message):
    check_refused(change, message)


def test_too_few_clean_chunks_in_the_pool_say_how_many_there_are(config, tmp_path):
    config.detox.prompts_file, config.detox.targets = "", 1_000
    with pytest.raises(ValueError, match=r"1,000 clean texts were asked for.*at most 0\.1 to \d+"):
        cell.check(config, tmp_path)


def test_a_model_that_does_not_write_is_refused_and_so_is_one_that_does_for_fine_tuning(config, tiny_model, tmp_path):
    with pytest.raises(ValueError, match="'toxicity' is of a causal language model"):
        cell.check(config_fields.replaced(config, {"model": str(tiny_model)}), tmp_path)
    with pytest.raises(ValueError, match=r"'finetune' is of an encoder"):
        cell.check(config_fields.replaced(config, {"evaluation": "finetune"}), tmp_path)


def test_a_model_that_writes_may_embed_but_is_not_fine_tuned_to(config, tmp_path):
    config.embed.model = config.model
    cell.check(config, tmp_path)
    with pytest.raises(ValueError, match=r"Only encoders are fine-tuned .*embed\.finetuned=False"):
        cell.check(config_fields.replaced(config, {"embed.finetuned": True}), tmp_path)


def test_settings_of_continuations_change_the_scores_stage(config, tmp_path):
    names = set()
    for change in ({}, {"detox.continuations": 3}, {"detox.top_p": 0.5}, {"detox.seed": 1}, {"detox.temperature": 0.5}):
        changed = config_fields.replaced(config, change)
        names.add(json.dumps(ending(changed, tmp_path).settings(), sort_keys=True))
    assert len(names) == 5


def test_stages_are_named_after_what_the_prompts_file_says_and_not_where_it_lies(config, tmp_path):
    first = ending(config, tmp_path).settings()
    config.detox.prompts_file = str(prompts_file(tmp_path / "elsewhere.jsonl"))
    assert ending(config, tmp_path).settings() == first
    assert len(list(tmp_path.glob("detox-*"))) == 1
    lines = (tmp_path / "elsewhere.jsonl").read_text().replace("gull", "anchor")
    (tmp_path / "another.jsonl").write_text(lines)
    config.detox.prompts_file = str(tmp_path / "another.jsonl")
    ending(config, tmp_path).settings()
    assert len(list(tmp_path.glob("detox-*"))) == 2


def test_counts_of_the_parting_are_kept(config, tmp_path):
    ending(config, tmp_path).settings()
    (folder,) = tmp_path.glob("detox-*")
    counts = read_json(folder / "counts.json")
    assert counts["held_out"] == 6 and counts["clean"] == counts["toxic"] == 8
