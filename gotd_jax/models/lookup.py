"""The folder of a model by its path, by its name on the Hugging Face hub or by the name of a packaged model."""

from __future__ import annotations

import os
from pathlib import Path

from gotd_jax.models.folders import CONFIG, FETCHED, WEIGHTS, modules_of
from gotd_jax.models.packaged import MODELS, model_folder
from gotd_jax.models.revisions import fetched


def folder_of(source: str | os.PathLike) -> Path:
    """Returns the folder of a published, packaged or trained model: of one with `modules.json`, that of its transformer.

    Args:
      source: a packaged model's name, a folder, or a name on the Hugging Face hub, of which the configuration, the safetensors,
        the tokeniser and the other files that are read here are fetched into the hub's cache, or taken from there.
        `owner/model@revision` names a commit, a tag or a branch; without one it is the commit in `gotd_jax.models.revisions`,
        or for other models the newest.

    Raises:
      ValueError: there is no folder of that name, and the hub has no model of that name, or none with safetensors.
    """
    folder = model_folder(source) if source in MODELS else _local_or_fetched(source)
    inside = next((path for path, kind in modules_of(folder).items() if kind == "Transformer"), "")
    return folder / inside if (folder / inside / CONFIG).is_file() else folder


def _local_or_fetched(source: str | os.PathLike) -> Path:
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise ValueError(f"{folder} is a file. Give the folder it lies in, with its {CONFIG} and {WEIGHTS}.")
    return fetched(str(source), list(FETCHED))
