"""Ways to select: one file for each method, which describes it in its record, `METHOD`.

Nothing else has to name it. The environment variable GOTD_METHODS names folders with files of one's own.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterable
from pathlib import Path

from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection, check_budget
from gotd_jax.methods.ranking import with_noise

FOLDERS = "GOTD_METHODS"

__all__ = ["METHODS", "Method", "Problem", "Selection", "check_budget", "declared", "find", "select"]


def find(name: str) -> Method:
    """Returns the method called `name`.

    Raises:
      ValueError: no method has that name.
    """
    if name not in METHODS:
        raise ValueError(f"There is no method {name!r}. There are: {', '.join(METHODS)}.")
    return METHODS[name]


def select(method: str, problem: Problem, budget: int, *, seed: int, **options) -> Selection:
    """Returns the selection of the method called `method` from the pool of `problem`.

    The options are the method's, and `noise` where it has values: see `gotd_jax.methods.ranking.with_noise`.

    Raises:
      ValueError: the method does not exist, the pool or target is empty, the budget does not fit the pool, or the problem
        lacks an input of the method.
    """
    found = find(method)
    check_budget(problem, budget)
    found.check_given(problem.given)
    return with_noise(found.select, found.valued, problem, budget, seed=seed, **options)


def declared(folders: Iterable[str]) -> dict[str, Method]:
    """Returns the methods that files in `folders`, all of which are in `__path__`, declare as their `METHOD`, by name.

    Raises:
      ValueError: a folder is not there, or two files have one name.
    """
    for folder in folders:
        if not Path(folder).is_dir():
            raise ValueError(f"{FOLDERS} names {folder}, which is no folder. Name folders of files with a METHOD.")
    names = [module.name for folder in folders for module in pkgutil.iter_modules([folder])]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"Two files in {', '.join(folders)} are called {', '.join(sorted(twice))}.py. Rename one.")
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {module.METHOD.name: module.METHOD for module in modules if hasattr(module, "METHOD")}


__path__ += [folder for folder in os.environ.get(FOLDERS, "").split(os.pathsep) if folder]
METHODS = declared(__path__)
