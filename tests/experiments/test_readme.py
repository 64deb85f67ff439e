"""The Python that the README shows, run on tiny texts and a tiny model."""

import re
from pathlib import Path

import numpy as np
import pytest

README = Path(__file__).parents[2] / "README.md"


def blocks():
    return re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_python_of_the_readme_runs_and_selects_its_budget(tiny_model, texts, tmp_path, capsys):
    code = blocks()[0]
    for shown, ours in {
        "pool/*.jsonl.gz": texts / "[fls]*.jsonl",
        '"task.jsonl"': f'"{texts / "train.jsonl"}", model="{tiny_model}", max_length=32',
        "2M-tokens": "600-tokens",
        '"chosen")': f'"{tmp_path / "chosen"}")',
    }.items():
        assert shown in code
        code = code.replace(shown, str(ours))
    names = {}
    exec(code, names)  # what a reader would paste
    assert len(names["chosen"]) == 20  # of 30 words each
    assert sum(text_id.startswith("food") for text_id in names["chosen"].table["id"].to_pylist()) >= 15
    assert "near duplicates" in capsys.readouterr().out


def test_transport_engine_of_the_readme_runs(tmp_path):
    rng = np.random.default_rng(0)
    names = {f"{side}_embeddings": rng.normal(size=(rows, 8)) for side, rows in (("pool", 90), ("target", 20), ("new", 7))}
    code = blocks()[1]
    assert '"potentials.safetensors"' in code
    exec(code.replace("potentials.safetensors", str(tmp_path / "potentials.safetensors")), names)
    assert names["gradient"].shape == (90,)
    assert (tmp_path / "potentials.safetensors").is_file()


@pytest.mark.slow
def test_the_model_of_the_readme_writes(capsys):
    exec(blocks()[2], {})
    assert "Paris" in capsys.readouterr().out
