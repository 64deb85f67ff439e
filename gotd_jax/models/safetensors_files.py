"""The safetensors of a Hugging Face folder: the file that each tensor is read from, and types refused by its header alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from gotd_jax import checksums
from gotd_jax.files import read_object
from gotd_jax.models.folders import INDEX, WEIGHTS, first_few, remark_once

# Weights in these are pickles, which run code when read, or belong to other frameworks.
REFUSED_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack")
FLOATS = ("F16", "BF16", "F32", "F64")
INTEGERS = ("BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64")  # buffers of some classes, such as masks
SHARD = r"model-\d+-of-\d+\.safetensors"
PARALLEL, COMPILED = "module", "_orig_mod"  # put before a wrapped model's names by DataParallel and torch.compile


class Tensors:
    """The tensors in the safetensors of a folder: `names`, `shape(name)`, `read(name)` and a `digest` of their bytes.

    Names are those of the model, without `module.` and `_orig_mod.` of its wrappers in PyTorch.

    Args:
      folder: holds `model.safetensors`, or several of them and `model.safetensors.index.json`, which then says which file
        each tensor is read from.

    Raises:
      ValueError: there are no safetensors, a file is missing, damaged, outside the folder or not in the index, or tensors
        are of a type that only quantised weights have.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        places = _places(folder)
        self.files = sorted({path for path, _ in places.values()})
        self._stored: dict[str, tuple] = {}
        for name, (_, handle) in places.items():
            bare = _unwrapped(name)
            if bare in self._stored:
                raise ValueError(
                    f"{folder} has both {name} and {self._stored[bare][1]}, which are the same tensor. Take one of them out."
                )
            self._stored[bare] = handle, name
        self.check_types(self._stored, (*FLOATS, *INTEGERS))

    @property
    def names(self) -> list[str]:
        """The names of the tensors, sorted."""
        return sorted(self._stored)

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of a tensor, read from the file's header."""
        return tuple(self._header(name).get_shape())

    def check_types(self, names: Iterable[str], known: tuple[str, ...] = FLOATS) -> None:
        """Raises ValueError, from the headers alone, if one of these tensors is stored as anything but the known types."""
        types = {name: self._header(name).get_dtype() for name in names}
        if other := sorted(name for name, found in types.items() if found not in known):
            raise ValueError(
                f"{len(other)} tensors in {self.folder} are no floats of 16 to 64 bits: {other[0]} is stored as "
                f"{types[other[0]]}. Quantised weights are not supported, so convert them to float32."
            )

    def read(self, name: str) -> np.ndarray:
        """Returns a tensor as float32, whichever floats it is stored in.

        Raises:
          ValueError: it holds no floats, or some that are not finite.
        """
        self.check_types([name])
        tensor = self.copy(name)
        if bad := int(np.count_nonzero(~np.isfinite(tensor))):
            raise ValueError(
                f"Tensor {name!r} has {bad} of {tensor.size} values that are not finite. Fetch or train the model again."
            )
        return tensor

    def copy(self, name: str) -> np.ndarray:
        """Returns a tensor as it is stored, floats as float32: for tensors that are passed on and not computed with."""
        handle, stored = self._stored[name]
        tensor = handle.get_tensor(stored)
        return tensor if self._header(name).get_dtype() in INTEGERS else tensor.astype(np.float32)

    def equal(self, one: str, other: str) -> bool:
        """Returns whether two tensors hold the same numbers."""
        return self.shape(one) == self.shape(other) and bool((self.copy(one) == self.copy(other)).all())

    def digest(self) -> str:
        """Returns the SHA-256 over the contents of the files, in hex."""
        return checksums.digest_of(self.files)

    def _header(self, name):
        handle, stored = self._stored[name]
        return handle.get_slice(stored)


def _unwrapped(name: str) -> str:
    parts = [part for part in name.split(".") if part != COMPILED]
    while len(parts) > 1 and parts[0] == PARALLEL:
        parts = parts[1:]
    return ".".join(parts)


def _places(folder):
    """Returns the path and the open file that each tensor is read from, by its name there."""
    parts = {path.name for path in folder.glob("*.safetensors")} - {WEIGHTS}
    if (folder / WEIGHTS).is_file():
        shards = {name for name in parts if re.fullmatch(SHARD, name)}
        if (folder / INDEX).is_file():
            shards |= set(_weight_map(folder).values()) - {WEIGHTS}
        if shards:
            remark_once(
                f"{folder} has {WEIGHTS} beside {first_few(shards)}. {WEIGHTS} is read, as transformers does; "
                "delete the old ones."
            )
        handle = _open(folder / WEIGHTS)
        return dict.fromkeys(handle.keys(), (folder / WEIGHTS, handle))
    if (folder / INDEX).is_file():
        return _indexed(folder)
    if parts:
        raise ValueError(
            f"{folder} has {first_few(parts)}, and neither {WEIGHTS} nor {INDEX}, which says where each tensor lies. Fetch it "
            "again."
        )
    refused = sorted(path.name for path in folder.iterdir() if path.suffix in REFUSED_SUFFIXES)
    if refused:
        raise ValueError(
            f"{folder} has its weights only as {', '.join(refused)}; pickled weights run code when read and are refused, and "
            f"so are other frameworks'. Convert them where PyTorch is installed and the file is trusted: "
            f"AutoModel.from_pretrained(...).save_pretrained(folder, safe_serialization=True)."
        )
    raise ValueError(f"{folder} has neither {WEIGHTS} nor {INDEX}. Give a folder that holds the weights as safetensors.")


def _indexed(folder):
    """Returns the places that the index gives; a copy of a tensor in another file than it names is passed over."""
    weight_map = _weight_map(folder)
    handles = {name: _open(folder / name) for name in sorted(set(weight_map.values()))}
    held = {name: set(handle.keys()) for name, handle in handles.items()}
    absent = sorted(tensor for tensor, name in weight_map.items() if tensor not in held[name])
    if absent:
        raise ValueError(
            f"{len(absent)} tensors named in {folder / INDEX} are not in the file that it names, first {absent[0]!r}. "
            f"Fetch it again."
        )
    if unnamed := set().union(*held.values()) - weight_map.keys():
        raise ValueError(
            f"{len(unnamed)} tensors in the files of {folder} are not named in its {INDEX}: {first_few(unnamed)}. "
            "Fetch it again."
        )
    return {tensor: (folder / name, handles[name]) for tensor, name in weight_map.items()}


def _weight_map(folder):
    found = read_object(folder / INDEX).get("weight_map")
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise ValueError(f"{folder / INDEX} has no weight_map, which says where each tensor lies. Fetch it again.")
    if outside := sorted(name for name in set(found.values()) if Path(name).name != name):
        raise ValueError(f"{folder / INDEX} names {outside[0]!r}, which is no file of its own folder. Fetch it again.")
    return found


def _open(path):
    if not path.is_file():
        raise ValueError(f"{path} is missing, although {INDEX} names it. Fetch the folder again.")
    try:
        return safe_open(path, "numpy")
    except SafetensorError as error:
        raise ValueError(f"{path} ({path.stat().st_size} bytes) is damaged or not whole: {error}. Fetch it again.") from error
