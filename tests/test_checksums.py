import hashlib
import os

import pytest

from gotd_jax import checksums

FIXED = (1_500_000_000_000_000_000,) * 2  # nanoseconds: when it was read and written, as an archive with fixed times sets it


def write(path, content):
    path.write_bytes(content)
    os.utime(path, ns=FIXED)
    return path


@pytest.mark.parametrize("settled", [checksums.SETTLED_SECONDS, -1.0])  # remembered or not, it is the same
def test_another_content_of_the_same_size_and_time_has_another_hash(tmp_path, monkeypatch, settled):
    monkeypatch.setattr(checksums, "SETTLED_SECONDS", settled)
    path = write(tmp_path / "pool.jsonl", b"old")
    assert checksums.sha256(path) == hashlib.sha256(b"old").hexdigest()
    replaced = write(tmp_path / "new.jsonl", b"new")
    os.replace(replaced, path)
    assert checksums.sha256(path) == hashlib.sha256(b"new").hexdigest()
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (3, FIXED[0])


def test_a_file_is_read_once_a_process_unless_it_has_just_changed(tmp_path, monkeypatch):
    path, read = write(tmp_path / "pool.jsonl", b"old"), []
    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, name: read.append(file.name) or digest(file, name))
    for _ in range(2):
        checksums.sha256(path)  # too lately written to be remembered
    assert len(read) == 2
    monkeypatch.setattr(checksums, "SETTLED_SECONDS", -1.0)
    for _ in range(3):
        checksums.sha256(path)
    assert len(read) == 3


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"missing cannot be read \(No such file or directory\)\. Check"):
        checksums.sha256(tmp_path / "missing")


def test_the_digest_of_several_files_tells_their_order_and_contents(tmp_path):
    one, two = write(tmp_path / "one", b"1"), write(tmp_path / "two", b"2")
    before = checksums.digest_of([one, two])
    assert before == checksums.digest_of([one, two]) != checksums.digest_of([two, one])
    write(two, b"3")
    assert checksums.digest_of([one, two]) != before
