"""The picture of who may import whom, and what every module of the library has or may not have, read off the sources."""

import ast
import subprocess
import sys
from pathlib import Path

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
FORBIDDEN = {"absl", "ml_collections", "configs", "experiments", "third_party", "torch"}
HEAVY = {"tensorflow_datasets", "matplotlib", "transformers", "datasets", "sklearn", "ott", "scipy"}
SUBCLASSING = {"gotd_jax/ot/geometry.py"}  # a class of ott's, and is itself imported where it is used
OF_OTHERS = {"tokenizer", "config", "requests"}  # of classes of transformers, ml_collections and lm_eval, imported where used
UNTYPED = {  # arrays, trees of them, and what is handed on as it is given
    *(f"gotd_jax/ot/{name}.py" for name in ("blocks", "checks", "geometry")),
    "gotd_jax/tool/package_files.py",
    "gotd_jax/training/step.py",
}


def sources(*folders):
    """Yields the path within the repository and the syntax tree of every module."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def part_of(module):
    names = module.split(".")
    return ".".join(names[:2]) if names[0] == "gotd_jax" else names[0]


def layer_of(part):
    return next((place for place, layer in enumerate(LAYERS) if part in layer), None)


def imported(nodes):
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "gotd_jax":
            yield from (f"gotd_jax.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_imports_go_downwards_and_no_two_rooms_import_each_other():
    rooms, upwards = {}, []
    for path, tree in sources("gotd_jax", "experiments", "configs"):
        here = part_of(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
        assert layer_of(here) is not None, f"{path} is of no layer"
        for there in filter(lambda part: layer_of(part) is not None, map(part_of, imported(ast.walk(tree)))):
            rooms.setdefault((here, there), path)
            if layer_of(there) < layer_of(here) and (here, there) not in UPWARDS:
                upwards.append(f"{path} imports {there}")
    circles = [
        f"{path} imports {there}, and {rooms[there, here]} imports {here}"
        for (here, there), path in rooms.items()
        if here < there and (there, here) in rooms and not {(here, there), (there, here)} & UPWARDS
    ]
    assert not upwards + circles, "\n".join(upwards + circles)


def test_no_module_of_the_library_has_what_it_may_not():
    found = []
    for path, tree in sources("gotd_jax"):
        found += [f"{path} imports {module}" for module in imported(ast.walk(tree)) if module.split(".")[0] in FORBIDDEN]
        found += [
            f"{path} imports {module} at its top, and not where it is used"
            for module in imported(tree.body)
            if module.split(".")[0] in HEAVY and str(path) not in SUBCLASSING
        ]
    for path, tree in sources("gotd_jax", "experiments", "configs", "third_party"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Assert):
                found.append(f"{path}:{node.lineno} asserts; raise an error with a sentence")
            if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) == "BaseException"):
                found.append(f"{path}:{node.lineno} excepts whatever there is")
    assert not found, "\n".join(found)


def test_every_public_name_has_a_docstring_and_types():
    found = [
        f"{path}:{node.lineno} {name} {lack}"
        for path, tree in sources("gotd_jax", "experiments", "configs")
        for name, node in public(tree)
        for lack in lacks(node, str(path))
    ]
    assert not found, "\n".join(found)


def public(tree, prefix=""):
    """Yields the name and node of every class, function and method that does not begin with an underscore."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node, f"{prefix}{node.name}.")


def lacks(node, path):
    if not ast.get_docstring(node):
        yield "has no docstring"
    if isinstance(node, ast.FunctionDef) and path.startswith("gotd_jax") and path not in UNTYPED:
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        untyped = {argument.arg for argument in given if argument.annotation is None} - OF_OTHERS - {"self", "cls"}
        if untyped:
            yield f"has no type of {', '.join(sorted(untyped))}"


def test_importing_the_package_imports_nothing_heavy():
    program = "import sys, gotd_jax; print(sorted(set(sys.modules) & {'jax', 'transformers', 'ott', 'datasets'}))"
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[]"
