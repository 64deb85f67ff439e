"""The compiler's flags: who sets them, which, and that what they leave to the compiler is right."""

import os
import subprocess
import sys

import jax
import jaxlib
import pytest

from gotd_jax import devices
from gotd_jax.ot import semidual
from tests import processes
from tests.marks import others_slow

REDUCTIONS = jaxlib.version.__version_info__ < (0, 11)  # that YNNPACK gets wrong

IMPORTING = """
import contextlib, importlib, os, pkgutil
import gotd_jax, jax, sklearn
with contextlib.suppress(ImportError):
    import lm_eval  # what these set is theirs
before = dict(os.environ)
for module in pkgutil.walk_packages(gotd_jax.__path__, "gotd_jax."):
    with contextlib.suppress(ModuleNotFoundError):  # of an extra that is not installed
        importlib.import_module(module.name)
import experiments.main, experiments.benchmark, experiments.harness
print({name: value for name, value in os.environ.items() if before.get(name) != value})
"""

ENTERING = """
import atexit, os, runpy, sys
atexit.register(lambda: print("flags:", os.environ.get("XLA_FLAGS")))
sys.argv = sys.argv[1:]
if sys.argv[0] == "gotd":
    from gotd_jax.cli import main
    main()
else:
    runpy.run_module(sys.argv[0], run_name="__main__")
"""

NESTED = """
import jax, numpy as np
from gotd_jax import devices
devices.tune_compiler()
rows, matrix = np.random.default_rng(0).standard_normal((32_769, 3), np.float32), np.eye(3, dtype=np.float32)
found = jax.jit(lambda rows: jax.vmap(lambda row: ((matrix @ row) ** 2).sum())(rows))(rows)
np.testing.assert_allclose(found, (rows**2).sum(axis=1), rtol=1e-5)
"""

every_door = pytest.mark.parametrize(
    "command",
    others_slow(
        ["gotd", "plan", "--pool", "missing.jsonl", "--target", "missing.jsonl", "--budget", "10"],
        ["experiments.main", "--config=configs/quickstart.py", "--shard=2/1"],
        ["experiments.harness", "--model=missing", "--tasks=missing_packaged"],
        ["experiments.benchmark", "ot", "--parts", "missing"],
    ),
    ids=lambda command: command[0],
)


def run(program, *arguments, **changes):
    """Returns what a child prints that starts without compiler flags."""
    own = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"} | changes
    child = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=own, cwd=processes.ROOT, capture_output=True, text=True
    )
    return child.stdout or child.stderr


def test_importing_changes_nothing_in_the_environment():
    assert run(IMPORTING) == "{}\n"


@every_door
def test_every_command_tunes_the_compiler_before_anything_else(command):
    assert run(ENTERING, *command, GOTD_MATRIX_UNITS="no").endswith(
        "flags: --xla_disable_hlo_passes=tree_reduction_rewriter --xla_cpu_experimental_ynn_fusion_type=\n"
    )


def test_flags_of_the_user_stay_and_flags_are_set_once(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_experimental_ynn_fusion_type=-dot")
    devices.tune_compiler()
    expected = "--xla_cpu_experimental_ynn_fusion_type=-dot --xla_disable_hlo_passes=tree_reduction_rewriter"
    assert os.environ["XLA_FLAGS"] == expected
    devices.tune_compiler()
    assert os.environ["XLA_FLAGS"] == expected


def test_ynnpack_multiplies_where_there_are_matrix_units(matrix_units, monkeypatch):
    monkeypatch.delenv("XLA_FLAGS")
    devices.tune_compiler()
    flags = [flag for flag in os.environ["XLA_FLAGS"].split() if "ynn" in flag]
    kept = ["--xla_cpu_experimental_ynn_fusion_type=-reduce"] if REDUCTIONS else []
    assert flags == (kept if matrix_units else ["--xla_cpu_experimental_ynn_fusion_type="])


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="other backends have a fast precision of their own")
def test_the_fast_precision_is_that_of_the_matrix_units(matrix_units):
    assert semidual.fast_precision() == ("bfloat16" if matrix_units else "float32")


def test_what_overrules_the_processor_is_yes_or_no(monkeypatch):
    monkeypatch.setenv("GOTD_MATRIX_UNITS", "maybe")
    with pytest.raises(ValueError, match="GOTD_MATRIX_UNITS is 'maybe'; set it to yes or no"):
        devices.has_matrix_units()


def test_sums_over_sums_are_right_in_every_row(matrix_units):
    """jaxlib 0.10.2 gets rows past the 32,768th wrong where YNNPACK has them (jax#39103)."""
    assert run(NESTED) == ""
