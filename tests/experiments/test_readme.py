"""The Python that the READMEs show, run on tiny texts and a tiny model."""

import re
from pathlib import Path

import numpy as np
import pytest

from gotd_jax.evaluation import toxicity

ROOT = Path(__file__).parents[2]


def python_of(readme):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text(encoding="utf-8"), re.DOTALL)
    return code


def test_python_of_the_readme_runs_and_selects_its_budget(tiny_model, texts, tmp_path, capsys):
    code = python_of("README.md")
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
    code = python_of("gotd_jax/ot/README.md")
    assert '"potentials.safetensors"' in code
    exec(code.replace("potentials.safetensors", str(tmp_path / "potentials.safetensors")), names)
    assert names["gradient"].shape == (90,)
    assert (tmp_path / "potentials.safetensors").is_file()


@pytest.mark.slow
def test_the_model_of_the_readme_writes(capsys):
    exec(python_of("gotd_jax/models/README.md"), {})
    assert "Paris" in capsys.readouterr().out


def test_the_scorer_of_the_readme_scores():
    names = {}
    exec("scores = " + python_of("gotd_jax/evaluation/README.md").split("\n\n")[1], {"toxicity": toxicity}, names)
    assert names["scores"].shape == (1,) and names["scores"][0] < 0.5
