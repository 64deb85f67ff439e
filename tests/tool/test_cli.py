import doctest
import re
import subprocess
import sys
from pathlib import Path

import datasets
import numpy as np
import pytest

from gotd_jax import cli, tool
from tests.conftest import sentence

README = Path(__file__).parents[2] / "gotd_jax/tool/README.md"


@pytest.fixture
def gotd(monkeypatch, capsys):
    """Returns a function that runs the command line in this process: what it printed, and how it ended."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["gotd", *map(str, arguments)])
        try:
            cli.main()
            ended = 0
        except SystemExit as exit:
            ended = exit.code
        return capsys.readouterr().out, ended

    return run


def test_help_needs_no_jax():
    program = "import sys; sys.argv = ['gotd', 'select', '--help']\nfrom gotd_jax.cli import main\n"
    program += "try: main()\nexcept SystemExit: pass\n"
    program += "print(sorted(set(sys.modules) & {'jax', 'transformers', 'datasets', 'sklearn', 'scipy'}), file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "--leak-check" in ran.stdout and ran.stderr.strip() == "[]"


def test_a_selection_is_made_checked_explained_and_compared_from_the_command_line(gotd, asked, chosen, tmp_path):
    request = asked()
    flags = [*("--pool", *request.pool), "--target", *request.target, "--model", request.model, "--max-length", 32]
    out = tmp_path / "chosen"
    said, ended = gotd("select", *flags, "--budget", "500-tokens", "--out", out, "--work", f"{chosen.folder}.work")
    said = " ".join(said.split())
    assert not ended and "chosen from 180 candidates" in said and "food (33.3% of the pool)" in said
    said, ended = gotd("verify", out)
    assert not ended and said.count("ok    ") == 7 and "FAIL" not in said
    said, ended = gotd("explain", out, "--row", 3, "--most", 2)
    assert not ended and said.startswith("Row 3, ") and 1 <= said.count("%") <= 2
    said, ended = gotd("diff", out, chosen.folder)
    assert not ended and "budget: 500-tokens | 20" in said
    (out / "report.html").write_text("")
    said, ended = gotd("verify", out)
    assert ended == 1 and "report.html has 0 bytes" in said


def test_what_a_person_can_mend_is_a_sentence(gotd, asked, tmp_path):
    request = asked()
    flags = ["--pool", "nowhere/*.jsonl", "--target", *request.target, "--budget", 5, "--out", tmp_path / "out"]
    assert gotd("select", *flags)[1].startswith("gotd: No file matches nowhere/*.jsonl")
    assert gotd("explain", tmp_path, "--row", 1)[1] == (
        f"gotd: {tmp_path} holds no manifest.json, so it is no selection. `gotd select --out` writes one."
    )


def test_no_text_of_a_pool_reaches_the_terminal_as_a_command(gotd, asked, lines, tmp_path):
    commands = "\x1b]0;owned\x07\x1b[2J\u202e"
    words = [sentence(np.random.default_rng(i), "sea", 8) for i in range(12)]
    pool = [{"text": f"{text} {commands}", "id": f"{i}{commands}", "kind": f"a{commands}"} for i, text in enumerate(words[:8])]
    target = lines(tmp_path / "target.jsonl", [{"text": text, "id": f"{i}{commands}"} for i, text in enumerate(words[8:])])
    flags = ["--pool", lines(tmp_path / "pool.jsonl", pool), "--target", target, "--model", asked().model, "--max-length", 32]
    flags += ["--domain-field", "kind", "--near-duplicates", 1]
    one, two = tmp_path / "one", tmp_path / "two"
    said = [
        gotd("select", *flags, "--budget", 4, "--out", one),
        gotd("select", *flags, "--budget", 2, "--method", "random", "--out", two, "--work", f"{one}.work"),
        gotd("explain", one, "--row", 0),
        gotd("diff", one, two),
        gotd("verify", one),
        gotd("plan", *flags, "--budget", 4),
    ]
    assert [ended for _, ended in said] == [0] * 6
    lines(tmp_path / "pool.jsonl", [{f"name{commands}": 1, "kind": "a"}])
    said.append(gotd("plan", *flags, "--budget", 4))
    assert said[-1][1].startswith(f"gotd: {tmp_path}/pool.jsonl:1 has no field 'text'; its fields: name")
    printed = "".join(f"{out}{ended}" for out, ended in said)
    assert printed.count("\\x1b]0;owned\\x07\\x1b[2J\\u202e") >= 6
    assert not set("\x1b\x07\u202e") & set(printed)


@pytest.mark.slow
def test_the_three_calls_of_python_do_what_their_doctest_says(lines, tmp_path, monkeypatch):
    (tmp_path / "pool").mkdir()
    cooking = ["A recipe for bread with onions.", "How to bake a cake in a small oven."]
    other = ["The court ruled on the appeal.", "The ship left the harbour at dawn."]
    lines(tmp_path / "pool" / "texts.jsonl", [*other, *cooking])
    lines(tmp_path / "task.jsonl", ["Knead the dough, then bake the bread.", "Whisk eggs and sugar for the cake."])
    monkeypatch.chdir(tmp_path)
    ran = doctest.testmod(tool)
    assert ran.attempted == 7 and ran.failed == 0


@pytest.mark.slow
def test_other_tools_read_a_selection_by_the_commands_of_the_readme(chosen, tmp_path, monkeypatch):
    commands = re.findall(r'^    python -c "(.*chosen.*)"$', README.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 2
    (tmp_path / "chosen").symlink_to(chosen.folder)
    for command in commands:
        ran = subprocess.run([sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 0 and "text" in ran.stdout, ran.stderr


def test_the_parts_stream_as_maxtext_asks_for_them(chosen):
    """Its pipeline calls `datasets` so, with hf_path, hf_train_files and train_split."""
    assert "dataset_type=hf hf_path=json hf_train_files=chosen/part-*.jsonl" in README.read_text(encoding="utf-8")
    streamed = datasets.load_dataset("json", data_files=f"{chosen.folder}/part-*.jsonl", split="train", streaming=True)
    assert [row["text"] for row in streamed] == chosen.table["text"].to_pylist()
