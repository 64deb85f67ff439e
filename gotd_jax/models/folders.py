"""Hugging Face folders: the names of their files, and the files beside the weights."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gotd_jax import checksums
from gotd_jax.data.tokens import SENTENCE_CONFIGS
from gotd_jax.files import read_json, read_object

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
    "spiece.model",
    "tokenizer.model",
    "chat_template.jinja",
    "chat_template.json",
)
CHAT_TEMPLATES = "additional_chat_templates"
GENERATION = "generation_config.json"
MODULES = "modules.json"
PACKAGE = "sentence_transformers."  # whose classes are known by their last name
# The files of sentence-transformers (gotd_jax.models.sentence_transformers).
SENTENCE_FILES = (MODULES, "config_sentence_transformers.json", *SENTENCE_CONFIGS)
FETCHED = (
    *(CONFIG, "model*.safetensors", INDEX, GENERATION),
    *(*TOKENIZER_FILES, f"{CHAT_TEMPLATES}/*.jinja"),
    *(*SENTENCE_FILES, "[0-9]_*/*.json", "[0-9]_*/*.safetensors"),
)
_SAID: set[str] = set()


def read_config(folder: Path) -> dict[str, Any]:
    """Returns the parsed `config.json` of `folder`.

    Raises:
      ValueError: it is missing or no JSON object.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise ValueError(f"{folder} has no {CONFIG}, so it is no Hugging Face model folder. Give the folder that holds one.")
    return read_object(path)


def first_few(names: Iterable[str]) -> str:
    """Returns the first three of `names`, sorted, and how many more there are: for messages."""
    names = sorted(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def remark_once(message: str) -> None:
    """Prints, once a process, a remark about a folder that is read all the same."""
    if message not in _SAID:
        _SAID.add(message)
        print(message, file=sys.stderr, flush=True)


def companions(folder: Path) -> dict[str, Path]:
    """Returns the files of the model in `folder` beside configuration, weights and tokeniser, by their names below it.

    These are the settings of generation, templates of chats, and the files of sentence-transformers: `modules.json` and
    the folders that it names.

    Raises:
      ValueError: `modules.json` is damaged, or names a folder outside.
    """
    files = [folder / name for name in (GENERATION, *SENTENCE_FILES)]
    files += sorted((folder / CHAT_TEMPLATES).glob("*.jinja"))
    for name in (name for name in modules_of(folder) if Path(name).parts):  # the transformer's own may be the folder itself
        files += sorted(path for path in (folder / name).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path for path in files if path.is_file()}


def beside_weights(folder: Path) -> dict[str, str]:
    """Returns the SHA-256, in hex, of the files of the model in `folder` beside configuration and weights, by their names."""
    files = {name: folder / name for name in TOKENIZER_FILES if (folder / name).is_file()} | companions(folder)
    return {name: checksums.sha256(path) for name, path in sorted(files.items())}


def modules_of(folder: Path) -> dict[str, str]:
    """Returns the classes of a model of sentence-transformers by their folders below its own, in order; {} for another model.

    Classes of other packages have their whole names.

    Raises:
      ValueError: `modules.json` is damaged, or names a folder outside.
    """
    path = folder / MODULES
    if not path.is_file():
        return {}
    try:
        types = {str(module["path"]): str(module["type"]) for module in read_json(path)}
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is no list of modules with a path and a type each ({error!r}). Fetch it again.") from error
    if outside := [name for name in types if Path(name).is_absolute() or ".." in Path(name).parts]:
        raise ValueError(f"{path} names {outside[0]!r}, which lies outside of its folder. Fetch it again.")
    return {name: kind.rpartition(".")[2] if kind.startswith(PACKAGE) else kind for name, kind in types.items()}
