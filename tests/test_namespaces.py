"""What a person imports, `from gotd_jax import data, methods, ot, tool`: the names that each promises, and its example."""

import doctest
import importlib
import json
import subprocess
import sys

import pytest

from gotd_jax import data, methods, ot

PACKAGES = ("data", "methods", "ot", "tool")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_that_a_package_promises_is_there(package):
    module = importlib.import_module(f"gotd_jax.{package}")
    assert module.__all__
    assert all(getattr(module, name) is not None for name in module.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        module.nothing  # noqa: B018


@pytest.mark.parametrize("module", [data, ot], ids=lambda module: module.__name__)
def test_the_example_of_a_package_is_true(module, tmp_path, monkeypatch):
    lines = [json.dumps({"text": text}) for text in ("Bread and butter.", "Ships at sea.")]
    (tmp_path / "pool.jsonl").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    ran = doctest.testmod(module)
    assert (ran.attempted > 2, ran.failed) == (True, 0)


def test_a_selection_of_ones_own_needs_two_packages():
    pool = data.Corpus.from_texts(["Ships sail the open sea.", "Bread is baked in an oven.", "The court heard the case."])
    target = data.Corpus.from_texts(["How is bread baked?", "Heat the oven for the bread."])
    problem = methods.Problem(pool, target, embed=lambda corpus: None)  # which dsir does not read
    assert methods.select("dsir", problem, 1, seed=0).rows.tolist() == [1]


def test_naming_a_package_loads_none_of_its_parts():
    program = "import sys; from gotd_jax import data; print('gotd_jax.data.corpus' in sys.modules, 'pyarrow' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert output.split() == ["False", "False"]
