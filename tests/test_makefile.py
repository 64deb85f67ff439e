"""Which Python `make` takes: the newest that runs and whose versions are written down."""

import os
import subprocess

import pytest

from tests.processes import ROOT

VERSIONS = [path.stem for path in (ROOT / "constraints").glob("*.txt")]
SHIM = "echo 'command not found' >&2\nexit 127"  # what a manager of Pythons has for a version that is not chosen


def make_on(tmp_path, machine, *arguments):
    """Returns what `make` does on a machine with these commands, by name, and no other Python."""
    for name, what in machine.items():
        command = tmp_path / name
        command.write_text(f"#!/bin/sh\n{what}\n")
        command.chmod(0o755)
    for name in ("make", "sh", "test", "echo"):
        (tmp_path / name).symlink_to(next(path for path in ("/bin/" + name, "/usr/bin/" + name) if os.path.exists(path)))
    of_make = ("PYTHON", "VENV", "MFLAGS")  # these tests may be run by make themselves
    own = {name: value for name, value in os.environ.items() if name not in of_make and not name.startswith("MAKE")}
    own["PATH"] = str(tmp_path)
    return subprocess.run([tmp_path / "make", *arguments], cwd=ROOT, env=own, capture_output=True, text=True)


def chosen(tmp_path, machine):
    return make_on(tmp_path, machine, "--eval=chosen: ; @echo $(PYTHON)", "chosen").stdout.strip()


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ({"python3.11": "echo 3.11", "python3.13": "echo 3.13"}, "python3.13"),
        ({"python3.14": SHIM, "python3.13": SHIM, "python3.12": "echo 3.12"}, "python3.12"),
        ({"python3.10": "echo 3.10", "python3": "echo 3.11"}, "python3"),
        ({"python3": "echo 3.10"}, ""),
        ({"python3": "echo 3.99"}, ""),
        ({}, ""),
    ],
)
def test_make_takes_the_newest_python_that_runs(tmp_path, machine, expected):
    assert chosen(tmp_path, machine) == expected


def test_without_a_python_make_says_which_it_needs(tmp_path):
    run = make_on(tmp_path, {"python3": "echo 3.10"}, f"VENV={tmp_path / 'venv'}", "lint")
    assert run.returncode
    assert "No Python 3.11 to 3.14 was found that runs. Install one, or: make PYTHON=/its/path" in run.stderr


def test_every_supported_python_has_its_versions_written_down():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert sorted(VERSIONS) == [f"3.{minor}" for minor in range(11, 15)]
    assert all(f'"Programming Language :: Python :: {version}"' in text for version in VERSIONS)
