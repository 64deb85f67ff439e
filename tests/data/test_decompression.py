"""Compressed files: what their own commands make of them, and what is wrong with one told by its cause."""

import gzip
import io
import shutil

import numpy as np
import pytest

from gotd_jax.data import decompression, formats
from gotd_jax.data.readers import read
from tests.data.files import COMPRESS, refused, zstd

TEXT = b"one\ntwo\nthree\n"
COMPRESSIONS = [".gz", ".bz2", ".xz", ".zst"]
PAST = {suffix: rf"a\.txt\{suffix} cannot be read past line 3" for suffix in COMPRESSIONS}
PAST[".zst"] = r"a\.txt\.zst cannot be read"  # its steps are of many lines, and the fault is in the first


def lines(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    return list(formats.lines(path))


def test_bytes_after_the_last_member_are_told_with_the_line_they_follow(tmp_path, subtests):
    for suffix in COMPRESSIONS:
        with subtests.test(suffix=suffix), refused(rf"{PAST[suffix]}: after its .* data come other bytes.*leave them off"):
            lines(tmp_path, f"a.txt{suffix}", COMPRESS[suffix](TEXT) + b"trailing words")


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_zero_padding_after_the_last_member_is_passed_over_but_is_no_file_by_itself(tmp_path, suffix):
    content = COMPRESS[suffix](TEXT)
    assert lines(tmp_path, f"a.txt{suffix}", content + bytes(200_000)) == ["one", "two", "three"]
    assert lines(tmp_path, f"b.txt{suffix}", content + bytes(512) + content) == ["one", "two", "three"] * 2
    with refused("it is no .* file, whatever its name says"):
        lines(tmp_path, f"c.txt{suffix}", bytes(512))


def test_a_later_member_that_is_cut_short_is_no_end(tmp_path, subtests):
    for suffix in COMPRESSIONS:
        with subtests.test(suffix=suffix):
            later = COMPRESS[suffix](np.random.default_rng(0).integers(33, 127, 5000).astype(np.uint8).tobytes())
            for kept in (5, 100, len(later) - 1):
                with refused(rf"{PAST[suffix]}: it ends within its compressed data"):
                    lines(tmp_path, f"a.txt{suffix}", COMPRESS[suffix](TEXT) + later[:kept])


def test_a_byte_that_changed_is_damage_and_neither_cut_short_nor_something_else(tmp_path, subtests):
    for suffix in [".gz", ".bz2", ".xz"]:
        with subtests.test(suffix=suffix):
            content = bytearray(COMPRESS[suffix](np.random.default_rng(0).integers(33, 127, 50_000).astype(np.uint8).tobytes()))
            content[len(content) // 2] ^= 255
            with refused("data are damaged .* Copy or download it again"):
                lines(tmp_path, f"a.txt{suffix}", bytes(content))


def test_what_is_unpacked_beyond_what_was_asked_for_is_not_lost(tmp_path):
    content = gzip.compress(bytes(3_000_000)) + gzip.compress(b"end")
    (tmp_path / "a.gz").write_bytes(content)
    with io.FileIO(tmp_path / "a.gz") as raw, decompression.unpacked(raw, ".gz") as stream:
        found = b"".join(iter(lambda: stream.read(1000), b""))
    assert found == bytes(3_000_000) + b"end"


def wide(content):
    """Returns a zstd frame that asks for a window of 2 GiB, as `zstd --long=31` writes it: an exponent of 21, no mantissa."""
    frame = bytearray(zstd(content))
    assert not frame[4] & 0x20  # no single segment, so that its window is the next byte
    frame[5] = 21 << 3
    return bytes(frame)


@pytest.mark.skipif(shutil.which("zstd") is None, reason="needs the command zstd")
def test_a_frame_of_a_wide_window_is_read_by_the_command_and_its_faults_told(tmp_path):
    assert lines(tmp_path, "a.txt.zst", wide(TEXT)) == ["one", "two", "three"]
    skipped = b"\x50\x2a\x4d\x18\x03\x00\x00\x00xyz"
    assert lines(tmp_path, "b.txt.zst", skipped + wide(TEXT) + zstd(TEXT)) == ["one", "two", "three"] * 2
    with refused("its zstd data are damaged"):
        lines(tmp_path, "c.txt.zst", wide(TEXT)[:-3])


def test_a_frame_of_a_wide_window_is_told_as_such_where_the_command_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with refused(r"a\.txt\.zst cannot be read: .*window of more than 128 MiB.*--long=31"):
        lines(tmp_path, "a.txt.zst", wide(TEXT))


def test_a_wide_frame_after_another_is_told_as_such(tmp_path):
    with refused(r"window of more than 128 MiB.*--long=31"):
        lines(tmp_path, "a.txt.zst", zstd(TEXT) + wide(TEXT))


def test_an_unpacked_stream_may_be_left_before_its_end(tmp_path):
    (tmp_path / "a.txt.zst").write_bytes(wide(b"line\n" * 100_000))
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"line\n" * 100_000))
    assert [next(formats.lines(tmp_path / name)) for name in ("a.txt.zst", "b.txt.gz")] == ["line", "line"]
    assert len(read(tmp_path / "b.txt.gz")) == 100_000
