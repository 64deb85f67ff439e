"""Datasets and models of the hub, against a server of its interface: pinned, drawn as streams, no more read than is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gotd_jax.data import hub_datasets
from tests.data.files import json_lines, refused, write_parquet
from tests.data.hub_server import serving

OLD, LATER, NEW = "a" * 40, "c" * 40, "b" * 40
ROOT = Path(__file__).parents[2]
CARD = "---\nconfigs:\n- config_name: document\n  data_files:\n  - split: train\n    path: document/train-*\n---\n"
ARTICLE = "of the tide in the harbour . " * 4  # 116 characters


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Yields a served hub: papers in 24 files at three commits, reviews in three files of their own paths, two models."""
    with serving(tmp_path_factory.mktemp("hub")) as hub_served:
        for commit, said in ((OLD, "old"), (LATER, "later"), (NEW, "new")):
            folder = hub_served.add("datasets", "owner/papers", commit)
            (folder / "document").mkdir()
            (folder / "README.md").write_text(CARD)
            for file in range(24):
                articles = [f"{said} {file + 1:02} {row + 1:02} {ARTICLE}" for row in range(5)]
                path = folder / f"document/train-{file:05}-of-00024.parquet"
                write_parquet(path, article=articles, abstract=["short"] * 5)
        reviews = hub_served.add("datasets", "owner/reviews", OLD)
        (reviews / "reviews.py").write_text("raise SystemExit('a loading script was run')")
        for name in ("books", "music", "toys"):
            rows = [{"text": f"{name} {row} {ARTICLE}", "images": [{"url": "x"}] if row % 2 else []} for row in range(4)]
            (reviews / f"{name}.jsonl").write_bytes(json_lines([*rows, {"text": " ", "images": []}]))
        for name, weights in (("owner/safe", "model.safetensors"), ("owner/pickled", "pytorch_model.bin")):
            for commit in (OLD, NEW):
                model = hub_served.add("models", name, commit)
                (model / "config.json").write_text(json.dumps({"commit": commit[0]}))
                (model / weights).write_bytes(commit.encode())
        yield hub_served


def told(served, code: str, cache: Path) -> object:
    """Returns what a process that has `served` for its hub assigns to `told`."""
    environment = os.environ | {
        "HF_ENDPOINT": served.address,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(cache),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "-c", f"import json\n{code}\nprint('TOLD', json.dumps(told))"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("TOLD ")[2])


DRAWS = f"""
import itertools
from gotd_jax.data import hub_datasets, readers
from gotd_jax.data.fields import Fields
hub_datasets.SHUFFLED, hub_datasets.FILES_AT_ONCE = 8, 4
def drawn(name, count, seed, **fields):
    records = hub_datasets.drawn(name, "train", Fields(**fields), seed, "here")
    return [[record["id"], record["text"], record["domain"]] for record in itertools.islice(records, count)]
told = {{
    "few": drawn("owner/papers/document@{OLD}", 12, 0, text="article"),
    "all": [drawn("owner/papers/document", 1_000, seed, text="article") for seed in (0, 0, 1)],
    "reviews": drawn("owner/reviews/*.jsonl@{OLD}", 100, 0),
    "commits": [hub_datasets.commit("owner/reviews/*.jsonl"), hub_datasets.commit("owner/papers/document")],
    "whole": readers.read("hf:owner/papers/document@{LATER}:train", text_field="article").texts(),
    "faults": [],
}}
for name in ("owner/none", "owner/papers/none", "owner/papers/document@v9", "owner/papers/document"):
    try:
        drawn(name, 1, 0, text="body" if name == "owner/papers/document" else "article")
    except ValueError as error:
        told["faults"].append(str(error))
"""


@pytest.fixture(scope="module")
def draws(served, tmp_path_factory):
    return told(served, DRAWS, tmp_path_factory.mktemp("cache"))


def test_a_draw_reads_few_files_of_the_commit_that_is_named(draws, served):
    assert len({name for name, _, _ in draws["few"]}) == 12
    for name, text, domain in draws["few"]:
        file, row = map(int, name.removeprefix("owner/papers/document:train:").split(":"))
        assert text == f"old {file:02} {row:02} {ARTICLE}" and domain == "here"
    read = {path for _, commit, path in served.asked if path.endswith(".parquet") and commit == OLD}
    assert 4 <= len(read) <= 10  # of 24; one of them may be opened for the fields alone


def test_the_order_is_the_seeds_and_holds_every_text_once(draws):
    first, again, other = draws["all"]
    assert first == again != other
    assert sorted(first) == sorted(other)
    assert len({name for name, _, _ in first}) == 120
    files = [int(name.split(":")[2]) for name, _, _ in first]
    assert files != sorted(files) and all(text.startswith("new") for _, text, _ in first)


def test_the_whole_of_a_dataset_is_read_in_its_order_at_the_commit_that_is_named(draws):
    assert draws["whole"] == [f"later {file:02} {row:02} {ARTICLE}" for file in range(1, 25) for row in range(1, 6)]


def test_files_are_read_by_their_path_and_no_script_is_run(draws):
    assert sorted(text.split()[0] for _, text, _ in draws["reviews"]) == ["books"] * 4 + ["music"] * 4 + ["toys"] * 4
    assert draws["commits"] == [OLD, NEW]


def test_what_the_hub_does_not_have_is_told(draws):
    fragments = ("Repository Not Found", "'none' not found", "'v9' doesn't exist", "no field 'body'")
    assert [fragment in message for fragment, message in zip(fragments, draws["faults"], strict=True)] == [True] * 4


POOL = """
from pathlib import Path
from configs import common
from experiments.cell_data import CellData
config = common.get_config()
config.pool.characters, config.pool.per_domain, config.pool.text_field = 50, 30, "article"
config.pool.domains.papers = "hf:owner/papers/document:train"
workdir = Path({workdir!r})
def made():
    data = CellData(config, workdir)
    return [len(data.pool), data.pool.texts()[0][:3], data.pool_contents[0]]
"""


@pytest.mark.slow
def test_a_pool_of_the_hub_says_its_commit_and_is_read_at_that_one_again(served, tmp_path):
    code = POOL.format(workdir=str(tmp_path / "run"))
    size, text, contents = told(served, f"{code}\ntold = made()", tmp_path / "cache")
    assert (size, text, contents["version"]) == (30, "new", NEW)
    assert contents["source"] == "hf:owner/papers/document:train"
    assert contents["texts"] == 15  # two chunks of 50 characters each: no more was drawn than that takes
    repository = served.root / "datasets" / "owner" / "papers"
    (repository / "main").write_text(OLD)  # the repository has another newest commit from here on
    try:
        code += "\nconfig.pool.characters = 60\ntold = made()"
        again = told(served, code, tmp_path / "cache")
        assert (again[1], again[2]["version"]) == ("new", NEW)
        elsewhere = code.replace(str(tmp_path / "run"), str(tmp_path / "other"))
        assert told(served, elsewhere, tmp_path / "cache")[2]["version"] == OLD
    finally:
        (repository / "main").write_text(NEW)


def test_a_model_is_fetched_at_its_revision_and_without_safetensors_refused(served, tmp_path):
    code = f"""
from gotd_jax.models import folder_of, revisions
revisions.REVISIONS["owner/safe"] = "{OLD}"
told = [json.loads((folder_of(name) / "config.json").read_text())["commit"] for name in ("owner/safe", "owner/safe@main")]
for name in ("owner/pickled", "owner/safe@v9"):
    try:
        folder_of(name)
    except ValueError as error:
        told.append(str(error))
"""
    pinned, newest, pickled, unknown = told(served, code, tmp_path)
    assert (pinned, newest) == ("a", "b")
    assert "owner/pickled has no safetensors at the revision main" in pickled
    assert "at the revision v9" in unknown
    assert not [path for _, _, path in served.asked if path.endswith(".bin")]


def test_names_say_repository_part_and_revision():
    cases = [
        ("squad", ("squad", "squad", None, None, None, "squad")),
        ("owner/name@v1", ("owner/name", "owner/name", None, None, "v1", "owner/name")),
        ("owner/name/part@refs/pr/1", ("owner/name", "owner/name", "part", None, "refs/pr/1", "owner/name/part")),
        (
            "owner/name/raw/*.jsonl.gz@v1",
            ("owner/name", "json", None, "hf://datasets/owner/name@v1/raw/*.jsonl.gz", "v1", "owner/name/raw/*.jsonl.gz"),
        ),
    ]
    for name, expected in cases:
        assert hub_datasets.parse_name(name) == hub_datasets.DatasetName(*expected), name


def test_a_name_that_is_none_is_refused():
    with refused(r"hf:owner//name is no name of a dataset\. Write it as hf:owner/name:split"):
        hub_datasets.parse_name("owner//name")


def test_fewer_files_are_read_at_once_where_texts_are_long():
    articles, books = ([{"text": "x" * length}] * 9 for length in (5_000, 400_000))
    assert hub_datasets._files_at_once(articles) == hub_datasets._files_at_once([]) == 40
    assert hub_datasets._files_at_once(books) == 2
    assert hub_datasets._files_at_once([{"text": "x" * 9_000_000}]) == 1


def test_long_texts_are_not_held_back_beyond_their_characters(monkeypatch):
    monkeypatch.setattr(hub_datasets, "SHUFFLED_CHARACTERS", 100)
    read = []

    def books():
        for number in range(10):
            read.append(number)
            yield {"text": "x" * 60}

    stream = hub_datasets._shuffled(books(), np.random.default_rng(0))
    next(stream)
    assert len(read) == 2
    assert len(list(stream)) == 9
