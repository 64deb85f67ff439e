"""Hugging Face folders: found by path or hub name, and their safetensors opened and checked."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from gotd_jax import contents
from gotd_jax.artifacts import read_object
from gotd_jax.data.tokens import SENTENCE_CONFIGS
from gotd_jax.models.revisions import fetched

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
)
# What sentence-transformers says of a model (gotd_jax.models.sentence_modules).
SENTENCE_FILES = ("modules.json", "config_sentence_transformers.json", "*_Pooling/config.json", *SENTENCE_CONFIGS)
GENERATION = "generation_config.json"
# Weights in these are pickles, which run code when read, or belong to other frameworks.
REFUSED_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack")


def find(source: str | os.PathLike) -> Path:
    """Returns the folder of a published or trained model.

    Args:
      source: a folder, or a name on the Hugging Face hub, of which the configuration, the safetensors and the
        tokeniser are fetched into the hub's cache, or taken from there. `owner/model@revision` names a commit, a tag or a
        branch; without one it is the commit in `gotd_jax.models.revisions`, or for other models the newest.

    Raises:
      ValueError: there is no such folder, and the hub did not give one of that name, or none with safetensors.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise ValueError(f"{folder} is a file. Give the folder it lies in, with its {CONFIG} and {WEIGHTS}.")
    return fetched(str(source), [CONFIG, "model*.safetensors", INDEX, GENERATION, *TOKENIZER_FILES, *SENTENCE_FILES])


def instructions(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of each file in a model's folder that says how it is used: its tokeniser, pooling, generation."""
    files = {path for name in (*TOKENIZER_FILES, GENERATION, *SENTENCE_FILES) for path in folder.glob(name) if path.is_file()}
    return {str(path.relative_to(folder)): contents.sha256(path) for path in sorted(files)}


def read_config(folder: Path) -> dict[str, Any]:
    """Returns the parsed `config.json` of `folder`.

    Raises:
      ValueError: it is missing or no JSON object.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise ValueError(f"{folder} has no {CONFIG}, so it is no Hugging Face model folder. Give the folder that holds one.")
    return read_object(path)


def some(names: Iterable[str], count: int = 3) -> str:
    """Returns the first `count` of `names`, sorted, and how many more there are: for messages."""
    names = sorted(names)
    return ", ".join(names[:count]) + (f" and {len(names) - count} more" if len(names) > count else "")


class Tensors:
    """The tensors in the safetensors of a folder: `names`, `shape(name)`, `read(name)` and a `digest` of files.

    Args:
      folder: holds `model.safetensors`, or several of them and `model.safetensors.index.json`.

    Raises:
      ValueError: there are no safetensors, or a file is missing or damaged.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self.files = _weight_files(folder)
        self._handles = {name: handle for path in self.files for name, handle in _open(path)}
        _check_index(folder, self._handles)

    @property
    def names(self) -> list[str]:
        """The names of the tensors, sorted."""
        return sorted(self._handles)

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of a tensor, read from the file's header."""
        return tuple(self._handles[name].get_slice(name).get_shape())

    def read(self, name: str) -> np.ndarray:
        """Returns a tensor as float32, whichever floats it is stored in.

        Raises:
          ValueError: it holds no floats, or some that are not finite.
        """
        stored = self._handles[name].get_tensor(name)
        if stored.dtype.kind in "iub":
            raise ValueError(
                f"Tensor {name!r} is stored as {stored.dtype}; quantised weights are not supported, so convert to float32."
            )
        tensor = stored.astype(np.float32)
        if bad := int(np.count_nonzero(~np.isfinite(tensor))):
            raise ValueError(
                f"Tensor {name!r} has {bad} of {tensor.size} values that are not finite. Fetch or train the model again."
            )
        return tensor

    def digest(self) -> str:
        """Returns the SHA-256 over the folder's weights and its tokeniser, in hex: with another of these, texts give others."""
        tokenizer = (self._folder / name for name in TOKENIZER_FILES)
        return contents.digest_of([*self.files, *(path for path in tokenizer if path.is_file())])


def _weight_files(folder):
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / INDEX).is_file():
        return [folder / name for name in sorted(set(_weight_map(folder).values()))]
    refused = sorted(path.name for path in folder.iterdir() if path.suffix in REFUSED_SUFFIXES)
    if refused:
        raise ValueError(
            f"{folder} has its weights only as {', '.join(refused)}; pickled weights run code when read and are refused, and "
            f"so are other frameworks'. Convert them where PyTorch is installed and the file is trusted: "
            f"AutoModel.from_pretrained(...).save_pretrained(folder, safe_serialization=True)."
        )
    raise ValueError(f"{folder} has neither {WEIGHTS} nor {INDEX}. Give a folder that holds the weights as safetensors.")


def _weight_map(folder):
    content = read_object(folder / INDEX)
    if not isinstance(content.get("weight_map"), dict):
        raise ValueError(f"{folder / INDEX} has no weight_map, which says where each tensor lies. Fetch it again.")
    return content["weight_map"]


def _open(path):
    if not path.is_file():
        raise ValueError(f"{path} is missing, although {INDEX} names it. Fetch the folder again.")
    try:
        handle = safe_open(path, "numpy")
    except SafetensorError as error:
        raise ValueError(f"{path} ({path.stat().st_size} bytes) is damaged or not whole: {error}. Fetch it again.") from error
    return dict.fromkeys(handle.keys(), handle).items()


def _check_index(folder, found):
    if (folder / WEIGHTS).is_file():
        return
    absent = sorted(_weight_map(folder).keys() - found.keys())
    if absent:
        raise ValueError(
            f"{len(absent)} tensors named in {folder / INDEX} are in none of its files, first {absent[0]!r}. Fetch it again."
        )
