"""What a stage is stamped with: commit, packages, devices."""

import json
import subprocess

import numpy as np
import pytest

from gotd_jax import provenance


def test_provenance_names_code_versions_and_devices():
    found = provenance.now()
    assert found["device"]["devices"] >= 1 and found["device"]["kind"]
    assert {"python", "jax", "flax", "optax", "ott-jax", "numpy"} <= found["versions"].keys()
    assert found["versions"]["numpy"] == np.__version__
    assert json.loads(json.dumps(found)) == found


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Returns git's command line for a folder that this package seems to lie in, and a file there."""
    source = tmp_path / "gotd_jax" / "__init__.py"
    source.parent.mkdir()
    source.write_text("")
    monkeypatch.setattr(provenance.gotd_jax, "__file__", str(source))
    yield ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"], source
    provenance._code.cache_clear()


def told():
    provenance._code.cache_clear()
    found = provenance.now()
    return found["commit"], found["modified"]


def commit(git):
    for arguments in (["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()


def test_commit_and_changes_of_a_checkout_are_told(checkout):
    git, source = checkout
    assert told() == (None, None)
    subprocess.run([*git, "init", "-q"], check=True)
    assert told() == (None, None)
    head = commit(git)
    assert told() == (head, False)
    source.write_text("changed = True\n")
    assert told() == (head, True)


def test_the_commit_of_a_repository_that_merely_surrounds_the_package_is_not_told(checkout, monkeypatch):
    git, source = checkout
    subprocess.run([*git, "init", "-q"], check=True)
    commit(git)
    monkeypatch.setattr(provenance.gotd_jax, "__file__", str(source.parent / "site-packages" / "gotd_jax" / "__init__.py"))
    (source.parent / "site-packages").mkdir()
    assert told() == (None, None)
