"""The picture of who may import whom, held against the imports as they are written."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = [  # a module imports from its own layer and those after it; each package has a layer of its own
    {"configs"},
    {"experiments"},
    {"gotd_jax.cli"},
    {"gotd_jax.tool"},
    {"gotd_jax.report"},
    {"gotd_jax.pipeline"},
    {"gotd_jax.methods"},
    {"gotd_jax.training"},
    {"gotd_jax.evaluation"},
    {"gotd_jax.models"},
    {"gotd_jax.data"},
    {"gotd_jax.ot"},
    {
        "gotd_jax.artifacts",
        "gotd_jax.checksums",
        "gotd_jax.files",
        "gotd_jax.provenance",
        "gotd_jax.devices",
        "gotd_jax.machine",
        "gotd_jax.progress",
        "gotd_jax.terminal",
        "gotd_jax",
    },
]
UPWARDS = {("experiments", "configs")}  # main reads the list of fields
HEAVY = {"tensorflow_datasets", "matplotlib", "transformers", "datasets", "sklearn", "ott", "scipy"}


def part_of(module):
    names = module.split(".")
    return ".".join(names[:2]) if names[0] == "gotd_jax" else names[0]


def layer_of(part):
    return next((place for place, layer in enumerate(LAYERS) if part in layer), None)


def imports_of(path, top_level_only=False):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module == "gotd_jax":
                yield from (f"gotd_jax.{alias.name}" for alias in node.names)
            else:
                yield node.module


def sources(*folders):
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", sources("gotd_jax", "experiments", "configs"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards(path):
    here = part_of(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    for module in imports_of(path):
        there = part_of(module)
        if layer_of(there) is not None and (here, there) not in UPWARDS:
            assert layer_of(there) >= layer_of(here), f"{path.name} ({here}) imports {module}"


@pytest.mark.parametrize("path", sources("gotd_jax"), ids=lambda path: str(path.relative_to(ROOT)))
def test_library_knows_no_flags_configs_experiments_or_third_party(path):
    forbidden = {"absl", "ml_collections", "configs", "experiments", "third_party", "torch"}
    assert not {module.split(".")[0] for module in imports_of(path)} & forbidden


@pytest.mark.parametrize("path", sources("gotd_jax"), ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_packages_are_imported_where_they_are_used(path):
    if path.name == "geometry.py":
        return  # a subclass of ott's, itself imported where it is used
    assert not {module.split(".")[0] for module in imports_of(path, top_level_only=True)} & HEAVY


def test_importing_the_package_imports_nothing_heavy():
    program = "import sys, gotd_jax; print(sorted(set(sys.modules) & {'jax', 'transformers', 'ott', 'datasets'}))"
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[]"
