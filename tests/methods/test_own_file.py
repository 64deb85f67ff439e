"""A file of one's own is a method of both doors, with its options, without another line anywhere."""

import json
import os
import runpy
import subprocess
import sys

import numpy as np
import pytest

from gotd_jax import methods, tool

SOURCE = '''
"""Mentions: the candidates that say a word the most often."""

import numpy as np

from gotd_jax.methods import Method, Selection
from gotd_jax.methods.problem import lowest


def select(problem, budget, *, seed: int, word: str = "salt", fewest: bool = False):
    counts = np.array([text.split().count(word) for text in problem.pool.texts()], np.float32)
    values = counts if fewest else -counts
    return Selection(lowest(values, budget), values, {"word": word})


METHOD = Method(select)
'''


@pytest.fixture
def run(tmp_path):
    """Returns a function that runs a command in a process that knows the file, and returns all that it says."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mentions.py").write_text(SOURCE)

    def call(*arguments):
        environment = os.environ | {methods.FOLDERS: str(tmp_path / "own")}
        ran = subprocess.run([sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True)
        return ran.stdout + ran.stderr

    return call


def mentions(texts, word):
    return [text.split().count(word) for text in texts]


@pytest.mark.slow
def test_the_command_line_selects_by_it_with_its_options_and_keeps_them(run, texts, tiny_model, tmp_path):
    gotd = ("-c", "from gotd_jax import cli; cli.main()")
    flags = ["--pool", texts / "food.jsonl", "--target", texts / "train.jsonl", "--budget", 20, "--max-length", 32]
    flags += ["--model", tiny_model, "--out", tmp_path / "chosen", "--method", "mentions", "--options"]
    assert "The method mentions has no option 'words'. It has: word, fewest, noise." in run(
        *gotd, "select", *flags, "words=oven"
    )
    assert "20 chunks" in run(*gotd, "select", *flags, "word=oven", "fewest=true")
    chosen = tool.Chosen(tmp_path / "chosen")
    assert chosen.manifest["request"]["options"] == {"word": "oven", "fewest": True}
    counts = mentions([json.loads(line)["text"] for line in (texts / "food.jsonl").read_text().splitlines()], "oven")
    assert mentions(chosen.table["text"].to_pylist(), "oven") == sorted(counts)[:20] and sorted(counts)[20] > 0
    assert "byte for byte" in run(*gotd, "replay", tmp_path / "chosen", "--work", tmp_path / "chosen.work")
    source = tmp_path / "own" / "mentions.py"
    source.write_text(SOURCE + "# another")
    assert "note  Its sources and its method are unchanged.\n      The file of the method mentions has changed." in run(
        *gotd, "verify", tmp_path / "chosen"
    )
    assert "cannot be made again. The file of the method mentions has changed." in run(*gotd, "replay", tmp_path / "chosen")
    source.unlink()
    for faults in (run(*gotd, "verify", tmp_path / "chosen"), run(*gotd, "replay", tmp_path / "chosen")):
        assert "The method mentions is missing. Name the folder of its file in GOTD_METHODS." in faults


@pytest.mark.slow
def test_a_cell_of_a_table_selects_by_it_with_its_options(run, texts, tiny_model, tmp_path):
    fields = {
        "method": "mentions",
        "mentions.word": "oven",
        "budget": 24,
        "pool.domains.food": texts / "food.jsonl",
        "pool.characters": 80,
        "task.name": "taste",
        "task.train": texts / "train.jsonl",
        "task.test": texts / "test.jsonl",
        "embed.finetuned": False,
        "embed.model": tiny_model,
        "model": tiny_model,
        "head.recipe.max_length": 32,
        "pre_finetune.max_length": 32,
        "finetune.max_length": 32,
    }
    flags = [f"--config.{name}={value}" for name, value in fields.items()]
    said = run("-m", "experiments.main", "--config=configs/common.py", f"--workdir={tmp_path / 'runs'}", *flags)
    assert "mentions" in said and "Traceback" not in said
    (row,) = (json.loads(line) for line in (tmp_path / "runs" / "results.jsonl").read_text().splitlines())
    assert row["method"] == "mentions" and row["selection"] == {"word": "oven"} and 0 <= row["score"] <= 1
    (folder,) = (tmp_path / "runs" / "selections").iterdir()
    chosen = [json.loads(line)["text"] for line in (folder / "selected.jsonl").read_text().splitlines()]
    values = -np.load(folder / "values.npy")
    assert mentions(chosen, "oven") == sorted(values, reverse=True)[:24] and max(values) > 0


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("METHOD = Method(select, reads={'colours'})", "The method mentions reads colours. A method can read: away, domains"),
        ("def select(problem, budget, *, seed, word): ...\nMETHOD = Method(select)", "The option word .* needs a default"),
        ("def select(problem, budget, *, seed, words: list = ()): ...\nMETHOD = Method(select)", "annotated with bool"),
    ],
)
def test_a_record_that_cannot_be_is_refused_as_it_is_made(record, message, tmp_path):
    (tmp_path / "mentions.py").write_text(f"{SOURCE}\n{record}")
    with pytest.raises(ValueError, match=message):
        runpy.run_path(tmp_path / "mentions.py", run_name="own.mentions")


def test_a_stage_on_disk_tells_a_file_of_one_s_own_by_what_it_holds(tmp_path):
    found = set()
    for source in (SOURCE, SOURCE.replace("salt", "oven"), SOURCE):
        (tmp_path / "mentions.py").write_text(source)
        found.add(runpy.run_path(tmp_path / "mentions.py", run_name="own.mentions")["METHOD"].identity)
    assert len(found) == 2 and methods.METHODS["dsir"].identity == "dsir"


def test_folders_that_are_none_and_names_that_are_taken_are_refused(run, tmp_path):
    with pytest.raises(ValueError, match="nowhere, which is no folder"):
        methods.declared([*methods.__path__, str(tmp_path / "nowhere")])
    (tmp_path / "dsir.py").write_text(SOURCE)
    with pytest.raises(ValueError, match=r"are called dsir\.py"):
        methods.declared([*methods.__path__, str(tmp_path)])
