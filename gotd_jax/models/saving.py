"""A trained model out: a Hugging Face folder that `transformers` loads, and so does `gotd_jax.models.published.load`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from flax import traverse_util
from safetensors.numpy import save_file

from gotd_jax import artifacts
from gotd_jax.models import decoder_families, decoder_weights, weights
from gotd_jax.models.config import to_hf
from gotd_jax.models.folders import CONFIG, TOKENIZER_FILES, WEIGHTS, Tensors, read_config
from gotd_jax.models.model import Loaded

PROBLEMS = ("single_label_classification", "multi_label_classification", "regression")
# What a source's configuration says about the file it came with, and not about the model.
NOT_CARRIED = ("_name_or_path", "torch_dtype", "transformers_version", "num_labels", "id2label", "label2id", "problem_type")


def save(
    folder: str | os.PathLike,
    loaded: Loaded,
    params: Mapping[str, Any] | None = None,
    *,
    tokenizer_from: str | os.PathLike | None = None,
    labels: Sequence[str] | None = None,
    problem: str | None = None,
) -> Path:
    """Returns `folder`, written with a model's configuration, weights and tokeniser: whole or not at all.

    A bare encoder is written with the pooler of its source, if that has one: `AutoModel` wants it, although nothing
    here computes it.

    Args:
      folder: must not exist, or be empty.
      loaded: the model.
      params: its parameters after training, a tree like `loaded.params`; None takes those.
      tokenizer_from: a folder whose tokeniser files are copied; None takes the model's source, where it has one.
      labels: the classes of a classifier, in the order of its outputs; None calls them LABEL_0, LABEL_1, ...
      problem: of a classifier, one of `PROBLEMS`; None takes regression for one output, and one label a text for more.

    Raises:
      ValueError: the folder is taken, the parameters are another model's, the labels are not as many as the outputs, or
        there is no tokeniser in `tokenizer_from`.
      RuntimeError: a parameter is not finite.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists already. Delete it or choose another folder for the model.")
    leaves = _checked_leaves(loaded, loaded.params if params is None else params)
    content = _config_content(loaded, leaves, labels, problem)
    tensors = _hf_tensors(loaded, leaves)
    tokenizer = _tokenizer_files(loaded, tokenizer_from)

    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    try:
        artifacts.write_json(partial / CONFIG, content)
        with artifacts.whole_file(partial / WEIGHTS) as path:
            save_file(tensors, path, metadata={"format": "pt"})
        for file in tokenizer:
            with artifacts.whole_file(partial / file.name) as path:
                shutil.copyfile(file, path)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _checked_leaves(loaded, params):
    leaves = {path: np.asarray(leaf, np.float32) for path, leaf in traverse_util.flatten_dict(params).items()}
    expected = {path: leaf.shape for path, leaf in traverse_util.flatten_dict(loaded.params).items()}
    found = {path: leaf.shape for path, leaf in leaves.items()}
    if found != expected:
        other = min((path for path in {*found, *expected} if found.get(path) != expected.get(path)), key=str)
        raise ValueError(
            f"The parameters are not those of this model: {'.'.join(map(str, other))} has the shape {found.get(other)}, "
            f"and {expected.get(other)} in the model. Pass a tree like loaded.params."
        )
    for path, leaf in leaves.items():
        if not np.isfinite(leaf).all():
            raise RuntimeError(
                f"Parameter {'.'.join(map(str, path))} is not finite, so the model is not saved. Train it again."
            )
    return leaves


def _config_content(loaded, leaves, labels, problem):
    source = read_config(loaded.source) if loaded.source else {}
    causal = loaded.head == "causal_lm"
    keys = decoder_families.to_hf(loaded.config) if causal else to_hf(loaded.config)
    content = {**keys, **{key: value for key, value in source.items() if key not in NOT_CARRIED}}
    content |= {
        "architectures": [
            decoder_weights.CLASSES[loaded.config.model_type] if causal else weights.architecture(loaded.config, loaded.head)
        ],
        "dtype": "float32",
        "tie_word_embeddings": loaded.config.tied if causal else True,
    }
    if loaded.head != "classifier":
        if labels is not None or problem is not None:
            raise ValueError(
                f"Labels and a problem are a classifier's, and this model's head is {loaded.head}. Leave them out."
            )
        return content
    outputs = leaves["head", "output", "bias"].shape[0]
    labels = [f"LABEL_{position}" for position in range(outputs)] if labels is None else list(labels)
    if len(set(labels)) != outputs or len(labels) != outputs:
        raise ValueError(
            f"{len(set(labels))} different labels do not name {outputs} outputs. Give one an output, in their order."
        )
    problem = problem or ("regression" if outputs == 1 else "single_label_classification")
    if problem not in PROBLEMS:
        raise ValueError(f"problem is {problem!r}, and the known are {', '.join(PROBLEMS)}.")
    named = {str(position): label for position, label in enumerate(labels)}
    positions = {label: position for position, label in enumerate(labels)}
    return {**content, "id2label": named, "label2id": positions, "problem_type": problem}


def _tokenizer_files(loaded, tokenizer_from):
    folder = loaded.source if tokenizer_from is None else Path(tokenizer_from)
    files = [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()] if folder else []
    if tokenizer_from is not None and not files:
        raise ValueError(f"{folder} has no tokeniser: none of {', '.join(TOKENIZER_FILES)}.")
    return files


def _hf_tensors(loaded, leaves):
    """Returns the tensors by the names that the class of the head has: a bare body's are without prefix."""
    config, head = loaded.config, loaded.head
    if head == "causal_lm":
        return decoder_weights.to_hf_tensors(leaves, config)
    tensors = {weights.hf_name(path, config, head): weights.to_hf_layout(path, leaf) for path, leaf in leaves.items()}
    if head is not None:
        return tensors
    prefix = weights.FAMILY_NAMES[config.family].prefix
    if loaded.source:
        stored = Tensors(loaded.source)
        for name, file_name in weights.canonical_names(stored.names, config).items():
            if name.startswith(f"{prefix}pooler."):
                tensors[name] = stored.read(file_name)
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
