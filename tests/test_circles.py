"""No module imports itself by way of another one, be it inside a function or for annotations alone."""

import ast
import graphlib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("gotd_jax", "experiments", "configs")


def modules():
    """Returns the path of every module by its name; a package's is that of its `__init__.py`."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imports_of(path):
    """Yields (module, name in it or '') of everything that a file imports, wherever the statement stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


def test_modules_import_each_other_in_one_direction():
    paths = modules()
    graph = {name: set() for name in paths}
    for name, path in paths.items():
        for module, taken in imports_of(path):
            inside = f"{module}.{taken}"
            graph[name] |= {found for found in [inside if inside in paths else module] if found in paths}
    assert sum(map(len, graph.values())) > 500  # else nothing was read
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as circle:
        raise AssertionError(f"These modules import each other in a circle: {' <- '.join(circle.args[1])}") from None
