"""Hugging Face folders: found by path or hub name, and what lies in them beside the weights."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gotd_jax import checksums
from gotd_jax.data.tokens import SENTENCE_CONFIGS
from gotd_jax.files import read_json, read_object
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
    "spiece.model",
    "tokenizer.model",
    "chat_template.jinja",
    "chat_template.json",
)
CHAT_TEMPLATES = "additional_chat_templates"
GENERATION = "generation_config.json"
MODULES = "modules.json"
# What sentence-transformers says of a model (gotd_jax.models.sentence_modules).
SENTENCE_FILES = (MODULES, "config_sentence_transformers.json", *SENTENCE_CONFIGS)
FETCHED = (
    *(CONFIG, "model*.safetensors", INDEX, GENERATION),
    *(*TOKENIZER_FILES, f"{CHAT_TEMPLATES}/*.jinja"),
    *(*SENTENCE_FILES, "[0-9]_*/*.json", "[0-9]_*/*.safetensors"),
)
_SAID: set[str] = set()


def find(source: str | os.PathLike) -> Path:
    """Returns the folder of a published or trained model.

    Args:
      source: a folder, or a name on the Hugging Face hub, of which the configuration, the safetensors, the tokeniser and
        what else is read here are fetched into the hub's cache, or taken from there. `owner/model@revision` names a commit,
        a tag or a branch; without one it is the commit in `gotd_jax.models.revisions`, or for other models the newest.

    Raises:
      ValueError: there is no such folder, and the hub did not give one of that name, or none with safetensors.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise ValueError(f"{folder} is a file. Give the folder it lies in, with its {CONFIG} and {WEIGHTS}.")
    return fetched(str(source), list(FETCHED))


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


def say(message: str) -> None:
    """Prints, once in a process, what a person should know of a folder that is read all the same."""
    if message not in _SAID:
        _SAID.add(message)
        print(message, file=sys.stderr, flush=True)


def companions(folder: Path) -> dict[str, Path]:
    """Returns what belongs to the model in `folder` beside configuration, weights and tokeniser, by its name below it.

    These are the settings of generation, templates of chats, and what sentence-transformers keeps: `modules.json` and the
    folders that it names.

    Raises:
      ValueError: `modules.json` is damaged, or names a folder outside.
    """
    files = [folder / name for name in (GENERATION, *SENTENCE_FILES)]
    files += sorted((folder / CHAT_TEMPLATES).glob("*.jinja"))
    for name in _module_folders(folder):
        files += sorted(path for path in (folder / name).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path for path in files if path.is_file()}


def beside_weights(folder: Path) -> dict[str, str]:
    """Returns the SHA-256, in hex, of what belongs to the model in `folder` beside configuration and weights, by file."""
    files = {name: folder / name for name in TOKENIZER_FILES if (folder / name).is_file()} | companions(folder)
    return {name: checksums.sha256(path) for name, path in sorted(files.items())}


def _module_folders(folder):
    if not (folder / MODULES).is_file():
        return []
    content = _modules(folder)
    if not isinstance(content, list) or not all(
        isinstance(part, dict) and isinstance(part.get("path"), str) for part in content
    ):
        raise ValueError(f"{folder / MODULES} is no list of modules with a path each. Fetch it again.")
    names = [part["path"] for part in content if Path(part["path"]).parts]  # the model's own is the folder itself
    if outside := [name for name in names if Path(name).is_absolute() or ".." in Path(name).parts]:
        raise ValueError(f"{folder / MODULES} names {outside[0]!r}, which lies outside of its folder. Fetch it again.")
    return names


def _modules(folder):
    try:
        return read_json(folder / MODULES)
    except ValueError as error:
        raise ValueError(f"{folder / MODULES} is no JSON ({error}). Fetch it again.") from error
