"""The numbers inside a joblib file, read without running anything of what it names.

A pickle names functions and calls them. Here every name it may use stands for a class of this file that only keeps what
it is given; any other name ends the reading. joblib writes the bytes of an array raw, right after the object that
describes it.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np

NUMBERS = ("f4", "f8", "i4", "i8")  # NumPy's codes of the types of numbers that are read
DAMAGE = (pickle.UnpicklingError, struct.error, EOFError, LookupError, AttributeError, TypeError, ValueError, OverflowError)


class Inert:
    """What stands for an object of a class that is not made: `kind` is the class, `fields` what the object held."""

    kind = ""
    fields: Any = None

    def __setstate__(self, state):
        self.fields = state


class Type(Inert):
    """What stands for a type of numbers."""

    def __init__(self, code, align=False, copy=False):
        self.code = code

    def numpy(self) -> np.dtype:
        """Returns the type as NumPy's.

        Raises:
          ValueError: it is none of `NUMBERS` in little-endian order.
        """
        order = self.fields[1] if self.fields else "<"
        if self.code not in NUMBERS or order != "<":
            raise ValueError(f"it has numbers of type {order}{self.code}, and only {', '.join(NUMBERS)} are read")
        return np.dtype(f"<{self.code}")


class Scalar(Inert):
    """What stands for the making of one NumPy number: the number, as Python's."""

    def __new__(cls, dtype: Type, content: bytes) -> int | float:
        """Returns the number of type `dtype` whose bytes are `content`."""
        return np.frombuffer(content, dtype.numpy(), count=1)[0].item()


class Array(Inert):
    """What stands for joblib's description of an array."""


NUMPY = {
    ("numpy", "dtype"): Type,
    ("numpy", "ndarray"): Inert,
    ("numpy", "float64"): Inert,
    ("numpy._core.multiarray", "scalar"): Scalar,
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): Array,
}


def read(content: bytes, kinds: Collection[str], place: str) -> Any:
    """Returns the object in a joblib file that is not compressed, its numbers as NumPy and Python have them.

    Args:
      content: of the file.
      kinds: the classes that it may name besides NumPy's arrays and numbers, such as 'sklearn.svm._classes.LinearSVC'.
        In their place are objects of `Inert`.
      place: begins the messages.

    Raises:
      ValueError: the file names something else, or is damaged or cut short.
    """
    try:
        return _Reader(content, kinds).load()
    except DAMAGE as error:
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise ValueError(
            f"{place} cannot be read: {reason}. Fetch it again, and do not open it with pickle or joblib."
        ) from error


class _Reader(pickle._Unpickler):
    """The unpickler written in Python: the other one reads ahead, over the bytes of the arrays."""

    dispatch: ClassVar[dict] = dict(pickle._Unpickler.dispatch)
    del dispatch[pickle.BYTEARRAY8[0]]  # it takes as much memory as it says before it looks whether there are as many bytes

    def __init__(self, content: bytes, kinds: Collection[str]):
        self.content = io.BytesIO(content)
        self.size = len(content)
        self.kinds = kinds
        super().__init__(self.content)

    def find_class(self, module: str, name: str) -> type[Inert]:
        if (module, name) in NUMPY:
            return NUMPY[module, name]
        if f"{module}.{name}" not in self.kinds:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which nothing in it should")
        return type(name, (Inert,), {"kind": f"{module}.{name}"})

    def load_build(self):
        if not isinstance(self.stack[-2], Inert):
            raise pickle.UnpicklingError(f"it changes a {type(self.stack[-2]).__name__} after it was made")
        super().load_build()
        if isinstance(self.stack[-1], Array):
            self.stack[-1] = self._array(self.stack[-1].fields)

    dispatch[pickle.BUILD[0]] = load_build

    def _array(self, fields: dict) -> np.ndarray:
        dtype, shape = fields["dtype"].numpy(), tuple(int(length) for length in fields["shape"])
        if fields.get("numpy_array_alignment_bytes") is not None:
            padding = self.content.read(1)[0]
            self.content.seek(padding, io.SEEK_CUR)
        wanted, left = math.prod(shape) * dtype.itemsize, self.size - self.content.tell()
        if min(shape, default=0) < 0 or wanted > left:
            raise ValueError(f"an array of {list(shape)} numbers needs {wanted} bytes, and {left} are left")
        return np.frombuffer(self.content.read(wanted), dtype).reshape(shape, order=fields["order"])
