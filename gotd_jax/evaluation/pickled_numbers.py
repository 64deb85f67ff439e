"""The numbers inside a joblib file, read without running any code that it names.

A pickle names functions and calls them. Here every allowed name stands for a class of this file that only keeps its
arguments; any other name is an error. joblib writes the bytes of an array raw, right after the object that describes
it, and they are read when the unpickler sets the state of that object.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Collection
from typing import Any

import numpy as np

NUMBERS = ("f4", "f8", "i4", "i8")  # NumPy's codes of the types of numbers that are read
FAULTS = (pickle.UnpicklingError, EOFError, LookupError, AttributeError, TypeError, ValueError, OverflowError, MemoryError)


class Inert:
    """Stands for an object of a class that is not made: `kind` is the class, `fields` the state of the object."""

    kind = ""
    fields: Any = None

    def __setstate__(self, state):
        self.fields = state


class Type(Inert):
    """Stands for a type of numbers."""

    def __init__(self, code, align=False, copy=False):
        self.code = code

    def numpy(self) -> np.dtype:
        """Returns the type as NumPy's.

        Raises:
          ValueError: it is not one of `NUMBERS` in little-endian order.
        """
        order = self.fields[1] if self.fields else "<"
        if self.code not in NUMBERS or order != "<":
            raise ValueError(f"it has numbers of type {order}{self.code}, and only {', '.join(NUMBERS)} are read")
        return np.dtype(f"<{self.code}")


class Scalar(Inert):
    """Stands for NumPy's maker of a single number, and makes it one of Python's."""

    def __new__(cls, dtype: Type, content: bytes) -> int | float:
        """Returns the number of type `dtype` whose bytes are `content`."""
        return np.frombuffer(content, dtype.numpy(), count=1)[0].item()


class Array(Inert):
    """Stands for joblib's description of an array; `numbers` is the array that lies behind it in `file`."""

    file: io.BytesIO
    numbers: np.ndarray

    def __setstate__(self, fields):
        dtype, shape = fields["dtype"].numpy(), tuple(int(length) for length in fields["shape"])
        if fields.get("numpy_array_alignment_bytes") is not None:
            padding = self.file.read(1)[0]
            self.file.seek(padding, io.SEEK_CUR)
        wanted, left = math.prod(shape) * dtype.itemsize, len(self.file.getbuffer()) - self.file.tell()
        if min(shape, default=0) < 0 or wanted > left:
            raise ValueError(f"an array of {list(shape)} numbers needs {wanted} bytes, and {left} are left")
        self.numbers = np.frombuffer(self.file.read(wanted), dtype).reshape(shape, order=fields["order"])


NUMPY = {
    ("numpy", "dtype"): Type,
    ("numpy", "ndarray"): Inert,
    ("numpy", "float64"): Inert,
    ("numpy._core.multiarray", "scalar"): Scalar,
}
ARRAY = ("joblib.numpy_pickle", "NumpyArrayWrapper")


def read(content: bytes, kinds: Collection[str], place: str) -> Any:
    """Returns the object in a joblib file that is not compressed: single numbers as Python's, arrays as `Array`.

    Args:
      content: of the file.
      kinds: the classes that it may name besides NumPy's arrays and numbers, such as 'sklearn.svm._classes.LinearSVC'.
        In their place are objects of `Inert`.
      place: names the file in messages.

    Raises:
      ValueError: the file names another class or function, or is damaged or cut short.
    """
    try:
        return _Reader(content, kinds).load()
    except FAULTS as error:
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise ValueError(
            f"{place} cannot be read: {reason}. Fetch it again, and do not open it with pickle or joblib."
        ) from error


class _Reader(pickle.Unpickler):
    """An unpickler that allows only the names of NumPy's numbers and of `kinds`.

    Of a file without `peek`, such as `io.BytesIO`, the unpickler reads no byte before it needs it.
    """

    def __init__(self, content: bytes, kinds: Collection[str]):
        file = io.BytesIO(content)
        super().__init__(file)
        self._array = type("Array", (Array,), {"file": file})
        self._kinds = kinds

    def find_class(self, module: str, name: str) -> type[Inert]:
        if (module, name) == ARRAY:
            return self._array
        if (module, name) in NUMPY:
            return NUMPY[module, name]
        if f"{module}.{name}" not in self._kinds:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which nothing in it should")
        return type(name, (Inert,), {"kind": f"{module}.{name}"})
