"""Compressed files as streams of their decompressed bytes, every member and frame; errors name the cause of a fault."""

from __future__ import annotations

import bz2
import io
import lzma
import shutil
import subprocess
import zlib
from collections.abc import Callable
from typing import BinaryIO

import pyarrow as pa

COMPRESSIONS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
BYTES_PER_STEP = 1 << 16  # of the compressed file
MAGIC = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0"}
PADDED = {"gzip", "xz"}  # zero bytes may follow the last member: of a tape's block, of xz's streams
WIDEST = 1 << 27  # bytes of the window that Arrow's zstd unpacks; more is only asked for with `zstd --long`
ZSTD = b"\x28\xb5\x2f\xfd"
SKIPPABLE = range(0x184D2A50, 0x184D2A60)  # magic numbers of frames without data (RFC 8878)

CUT_SHORT = "it ends within its compressed data: it is cut short. Copy or download it again"
TOO_WIDE = (
    "its zstd data need a window of more than 128 MiB, as `zstd --long` writes them, which only the command zstd unpacks here. "
    "Install it, or write the file anew: `zstd -dc --long=31 FILE | zstd > NEW`"
)


class _Gzip:
    """zlib's reader of one gzip member, its checksum compared, with the interface of those of bz2 and lzma."""

    def __init__(self):
        self._inner = zlib.decompressobj(wbits=31)

    def decompress(self, data: bytes, most: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, most)

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


MEMBERS: dict[str, Callable] = {"gzip": _Gzip, "bzip2": bz2.BZ2Decompressor, "xz": lzma.LZMADecompressor}


def unpacked(raw: io.FileIO, suffix: str) -> BinaryIO:
    """Returns the stream of a file's unpacked bytes; of `raw` itself where `suffix` is of no compression.

    Args:
      raw: the file, open at its beginning. Its `tell` says how far it has been read.
      suffix: of the file's name, such as '.gz'.

    Raises:
      OSError: (when it is read) the file is cut short, damaged, followed by other bytes, or not of this format at all. The
        message names the fault and its remedy.
    """
    compression = COMPRESSIONS.get(suffix.lower())
    if compression is None:
        return raw
    if compression in MEMBERS:
        return _Members(raw, compression)
    head = raw.read(BYTES_PER_STEP)
    raw.seek(0)
    if _window(head) > WIDEST:
        return _ByCommand(raw)
    return _Frames(raw, whole=head[:4] == ZSTD or int.from_bytes(head[:4], "little") in SKIPPABLE)


class _Members(io.RawIOBase):
    """The unpacked bytes of all members of a file, one after another."""

    def __init__(self, raw: io.FileIO, compression: str):
        self._raw, self._compression = raw, compression
        self._member, self._waiting, self._whole = None, b"", 0  # whole: members that were read to their ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        found = b""
        while not found:
            data, ended = self._waiting, False
            if self._member is None:
                data = self._beginning()
                if not data:
                    return 0
                self._member = MEMBERS[self._compression]()
            elif not data and self._member.needs_input:
                data = self._raw.read(BYTES_PER_STEP)
                ended = not data
            found = self._decompress(data, len(buffer))
            if ended and not found and self._member:
                raise OSError(CUT_SHORT)
        buffer[: len(found)] = found
        return len(found)

    def _beginning(self) -> bytes:
        """Returns the first bytes of the next member, none at the end of the file."""
        data = self._waiting or self._raw.read(BYTES_PER_STEP)
        if self._whole and self._compression in PADDED:
            while data and not data.strip(b"\0"):
                data = self._raw.read(BYTES_PER_STEP)
            data = data.lstrip(b"\0")
        magic = MAGIC[self._compression]
        if data[: len(magic)] != magic[: len(data)]:
            raise OSError(_no_member(self._compression, self._whole))
        return data

    def _decompress(self, data: bytes, most: int) -> bytes:
        try:
            found = self._member.decompress(data, most)
        except (zlib.error, lzma.LZMAError, OSError) as error:
            raise OSError(_damaged(self._compression, error)) from error
        self._waiting = b""
        if self._member.eof:
            self._waiting, self._member, self._whole = self._member.unused_data, None, self._whole + 1
        return found


class _Frames(io.RawIOBase):
    """The unpacked bytes of all zstd frames of a file, by Arrow, which passes over those without data.

    `whole` is whether the file begins as zstd files do, so that other bytes can only come later.
    """

    def __init__(self, raw: io.FileIO, *, whole: bool):
        self._stream, self._whole = pa.input_stream(raw, compression="zstd"), whole

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        try:
            found = self._stream.read(min(len(buffer), BYTES_PER_STEP))
        except (OSError, pa.ArrowException) as error:
            raise OSError(self._fault(str(error))) from error
        buffer[: len(found)] = found
        return len(found)

    def _fault(self, said: str) -> str:
        if "too much memory" in said:
            return TOO_WIDE
        if "Truncated" in said:
            return CUT_SHORT
        return _no_member("zstd", self._whole) if "Unknown frame" in said else _damaged("zstd", said)


class _ByCommand(io.RawIOBase):
    """The unpacked bytes of zstd frames of a wide window, by the command `zstd`, the only one here that takes them."""

    def __init__(self, raw: io.FileIO):
        command = shutil.which("zstd")
        if command is None:
            raise OSError(TOO_WIDE)
        self._process = subprocess.Popen(  # closed by `close`
            [command, "-dcq", "--long=31"], stdin=raw, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = self._process.stdout.readinto(buffer)
        if not count and self._process.wait():
            said = self._process.stderr.read().decode(errors="replace").strip().rpartition(":")[2].strip()
            raise OSError(_damaged("zstd", said or "no reason is given"))
        return count

    def close(self) -> None:
        if not self.closed and hasattr(self, "_process"):
            self._process.kill()
            self._process.communicate()
        super().close()


def _no_member(compression: str, whole: bool | int) -> str:
    """Returns the fault of bytes that do not begin as a member or frame does, after `whole` members."""
    if not whole:
        return f"it is no {compression} file, whatever its name says. Give it the ending of its format, or download it again"
    return (
        f"after its {compression} data come other bytes. If they do not belong to it, leave them off: "
        f"`{compression} -dc FILE | {compression} > NEW`; else it is damaged: copy or download it again"
    )


def _damaged(compression: str, said: object) -> str:
    return f"its {compression} data are damaged ({str(said).strip().rstrip('.')}). Copy or download it again"


def _window(head: bytes) -> int:
    """Returns the window size, in bytes, of the first frame with data; 0 where `head`, the file's beginning, states none."""
    while len(head) >= 8 and int.from_bytes(head[:4], "little") in SKIPPABLE:
        head = head[8 + int.from_bytes(head[4:8], "little") :]
    if len(head) < 18 or head[:4] != ZSTD:
        return 0
    descriptor = head[4]
    if not descriptor & 0x20:
        base = 1 << (10 + (head[5] >> 3))
        return base + (base >> 3) * (head[5] & 7)
    begin = (
        5 + (0, 1, 2, 4)[descriptor & 3]
    )  # a single segment: its window is its content, whose size follows a dictionary's id
    size = (1, 2, 4, 8)[descriptor >> 6]
    return int.from_bytes(head[begin : begin + size], "little")
