"""The evaluation harness on our models: files for it here, and live against its PyTorch back-end: `pytest -m parity`."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from experiments import harness as command
from gotd_jax import models
from gotd_jax.data import choice_tasks
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import load_tokenizer
from gotd_jax.evaluation import harness
from gotd_jax.evaluation.multiple_choice import score_choices
from gotd_jax.models.packaged import model_folder
from tests.evaluation.helpers import BEGIN, END, language_model
from tests.evaluation.test_multiple_choice import ITEMS
from tests.models.test_decoder import FAMILIES
from third_party import lm_eval_pytorch

TASK = choice_tasks.ChoiceTask("tiny", tuple(ITEMS), Corpus.from_texts(["a text"]))
LONG = "the sea is as old as the sky is, " * 4
parity = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


def test_an_exported_task_is_two_files_that_hold_all_of_its_items(tmp_path):
    path = harness.export(TASK, tmp_path / "tasks")
    content = yaml.safe_load(path.read_text())
    assert content["task"] == path.stem == "tiny_packaged"
    lines = Path(content["dataset_kwargs"]["data_files"][content["test_split"]]).read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    for row, item in zip(rows, ITEMS, strict=True):
        assert row[content["doc_to_text"]] == item.context
        assert row[content["doc_to_choice"]] == list(item.options)
        assert row[content["doc_to_target"]] == item.answer


def test_without_the_harness_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    with pytest.raises(RuntimeError, match=r"pip install lm_eval==0\.4\.13"):
        harness.evaluate("folder", ["boolq"])


def test_the_papers_utility_tasks_are_its_eight_columns():
    assert len(harness.UTILITY_TASKS) == 8
    assert command._tasks("utility", None, None)[:4] == ["anli_r1", "anli_r2", "anli_r3", "boolq"]


@pytest.fixture(scope="module", params=FAMILIES)
def pair(request, tmp_path_factory):
    """Our model and the harness's own, of one folder."""
    pytest.importorskip("lm_eval")
    pytest.importorskip("accelerate")
    from gotd_jax.evaluation.harness_model import HarnessModel

    folder = language_model(tmp_path_factory.mktemp("models") / request.param, request.param)
    return HarnessModel(models.load(folder), load_tokenizer(folder)), lm_eval_pytorch.model(folder)


def both(pair, kind, arguments):
    return [getattr(model, kind)(lm_eval_pytorch.requests(kind, arguments)) for model in pair]


class TestAgainstPyTorch:
    pytestmark = parity

    def test_likelihoods_of_continuations_are_equal(self, pair):
        contexts = ["the sky", "the sky ", "", f"{BEGIN}the sky", f"{END}the sky", LONG]
        arguments = [(context, continuation) for context in contexts for continuation in (" is", " in the sea")]
        ours, theirs = both(pair, "loglikelihood", arguments)
        assert [total for total, _ in ours] == pytest.approx([total for total, _ in theirs], abs=1e-4)
        assert [greedy for _, greedy in ours] == [greedy for _, greedy in theirs]

    def test_likelihoods_of_texts_are_equal(self, pair):
        ours, theirs = both(pair, "loglikelihood_rolling", [("the sky is blue",), (LONG,), (f"{BEGIN}the sea",)])
        assert ours == pytest.approx(theirs, abs=1e-3)

    def test_what_is_written_is_equal(self, pair):
        greedy = {"until": [], "max_gen_toks": 12, "do_sample": False}
        texts, _ = both(pair, "generate_until", [("the sky", greedy), (LONG, greedy)])
        stop = texts[0][5:7]  # one that comes, so that the stopping is tried
        arguments = [
            (text, setting) for text in ("the sky", LONG, "Question:") for setting in (greedy, {**greedy, "until": stop})
        ]
        ours, theirs = both(pair, "generate_until", arguments)
        assert ours == theirs
        assert len(ours[1]) < len(ours[0])

    def test_a_continuation_of_what_would_be_written_is_greedy(self, pair):
        text = both(pair, "generate_until", [("the sky", {"until": [], "max_gen_toks": 4})])[0][0]
        (_, ours), (_, theirs) = (found[0] for found in both(pair, "loglikelihood", [("the sky", text)]))
        assert ours == theirs

    def test_scores_of_a_task_are_equal(self, pair, tmp_path):
        file = harness.export(TASK, tmp_path)
        ours = harness.evaluate(pair[0].model, [file])
        theirs = lm_eval_pytorch.results(pair[1], [file])
        for metric in ("acc,none", "acc_norm,none", "acc_stderr,none"):
            assert ours["results"]["tiny_packaged"][metric] == pytest.approx(theirs["tiny_packaged"][metric])
        summary = score_choices(pair[0].model, pair[0].tokenizer, ITEMS).summary
        assert ours["results"]["tiny_packaged"]["acc,none"] == summary["sum"]["accuracy"]
        assert ours["results"]["tiny_packaged"]["acc_norm,none"] == summary["per_character"]["accuracy"]
        json.dumps(ours)

    def test_sampling_is_seeded_and_other_ways_are_refused(self, pair):
        setting = {"until": [], "max_gen_toks": 8, "do_sample": True, "temperature": 1.0, "top_p": 0.9}
        requests = lm_eval_pytorch.requests("generate_until", [("the sky", setting)] * 3)
        first, again = (pair[0].generate_until(requests) for _ in range(2))
        assert first == again
        assert len(set(first)) > 1
        beams = lm_eval_pytorch.requests("generate_until", [("the sky", {"num_beams": 3})])
        with pytest.raises(ValueError, match="asks for num_beams in generation, which is not implemented"):
            pair[0].generate_until(beams)
        long = lm_eval_pytorch.requests("generate_until", [("the sky", {"max_gen_toks": 64})])
        with pytest.raises(ValueError, match="64 new tokens, and the model has positions for 64"):
            pair[0].generate_until(long)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_unknown_tasks_and_data_out_of_reach_are_refused(tmp_path):
    pytest.importorskip("lm_eval")
    folder = language_model(tmp_path / "gpt2", "gpt2")
    with pytest.raises(ValueError, match=r"knows no task nothing\. Packaged ones are boolq_packaged"):
        harness.evaluate(folder, ["nothing"])
    file = harness.export(TASK, tmp_path)
    file.with_suffix(".jsonl").unlink()
    with pytest.raises(RuntimeError, match=r"data of .*tiny_packaged\.yaml cannot be read .* boolq_packaged"):
        harness.evaluate(folder, [file])


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_the_command_prints_scores_and_keeps_them(tmp_path, capsys, monkeypatch):
    pytest.importorskip("lm_eval")
    monkeypatch.setattr(command.devices, "prepare", lambda: None)
    folder = language_model(tmp_path / "gpt2", "gpt2")
    file = harness.export(TASK, tmp_path)
    command.main(["--model", str(folder), "--tasks", str(file), "--items", "2", "--workdir", str(tmp_path / "work")])
    kept = json.loads((tmp_path / "work" / "results.json").read_text())
    scores = kept["results"]["tiny_packaged"]
    line = f"tiny_packaged: acc {scores['acc,none']:.4f} ± {scores['acc_stderr,none']:.4f}, acc_norm"
    assert line in capsys.readouterr().out
    assert kept["n-samples"]["tiny_packaged"] == {"original": 3, "effective": 2}
    with pytest.raises(SystemExit, match="no multiple-choice task 'x'"):
        command.main(["--model", str(folder), "--tasks", "x_packaged", "--workdir", str(tmp_path / "work")])


@pytest.mark.slow
@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_a_published_model_scores_and_chooses_the_same():
    pytest.importorskip("lm_eval")
    pytest.importorskip("accelerate")
    from gotd_jax.evaluation.harness_model import HarnessModel

    folder = model_folder("SmolLM2-135M-Instruct")
    items = choice_tasks.load("piqa").draw(20, seed=0).items
    arguments = [(item.context, f" {option}") for item in items for option in item.options]
    pair = HarnessModel(models.load(folder), load_tokenizer(folder)), lm_eval_pytorch.model(folder)
    ours, theirs = both(pair, "loglikelihood", arguments)
    sums = [np.array([total for total, _ in found]).reshape(-1, 2) for found in (ours, theirs)]
    np.testing.assert_allclose(*sums, atol=2e-3)
    np.testing.assert_array_equal(*(found.argmax(1) for found in sums))
    assert [greedy for _, greedy in ours] == [greedy for _, greedy in theirs]
