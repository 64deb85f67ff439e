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

from gotd_jax.files import whole_file, write_json
from gotd_jax.models import decoder_families, decoder_weights, weights
from gotd_jax.models.config import to_hf
from gotd_jax.models.folders import CONFIG, TOKENIZER_FILES, WEIGHTS, companions, read_config
from gotd_jax.models.model import Loaded
from gotd_jax.models.tensors import Tensors

PROBLEMS = ("single_label_classification", "multi_label_classification", "regression")
# What a source's configuration says about the file it came with, and not about the model.
NOT_CARRIED = ("_name_or_path", "torch_dtype", "transformers_version")
LABELS = ("num_labels", "id2label", "label2id", "problem_type")


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

    What the model's source has beside what was loaded of it stays as it is: a pooler, other heads, the settings of generation,
    the modules of sentence-transformers. So a later `load` finds in `folder` all that it would find in the source, and a head
    that is fresh on the one is fresh on the other.

    Args:
      folder: must not exist, or be empty.
      loaded: the model.
      params: its parameters after training, a tree like `loaded.params`; None takes those.
      tokenizer_from: a folder whose tokeniser files are copied; None takes the model's source, where it has one.
      labels: the classes of a classifier, in the order of its outputs; None takes the source's, where the outputs are, and
        calls them LABEL_0, LABEL_1, ... where they are fresh.
      problem: of a classifier, one of `PROBLEMS`; None likewise, and then regression for one output, and one label a text for
        more.

    Raises:
      ValueError: the folder is taken, the parameters are another model's, the labels are not as many as the outputs, or
        there is no tokeniser in `tokenizer_from`.
      RuntimeError: a parameter is not finite.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists already. Delete it or choose another folder for the model.")
    leaves = _checked_leaves(loaded, loaded.params if params is None else params)
    tensors = _hf_tensors(loaded, leaves)
    content = _config_content(loaded, leaves, tensors, labels, problem)
    files = _files(loaded, tokenizer_from)

    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    try:
        write_json(partial / CONFIG, content)
        with whole_file(partial / WEIGHTS) as path:
            save_file(tensors, path, metadata={"format": "pt"})
        for name, file in files.items():
            with whole_file(partial / name) as path:
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


def _config_content(loaded, leaves, tensors, labels, problem):
    source = read_config(loaded.source) if loaded.source else {}
    config, causal = loaded.config, loaded.head == "causal_lm"
    keys = decoder_families.to_hf(config) if causal else to_hf(config)
    content = {**keys, **{key: value for key, value in source.items() if key not in (*NOT_CARRIED, *LABELS)}}
    content |= {
        "architectures": [decoder_weights.CLASSES[config.model_type] if causal else weights.architecture(config, loaded.head)],
        "dtype": "float32",
        "tie_word_embeddings": config.tied if causal else weights.DECODERS[config.family] not in tensors,
    }
    own = {key: source[key] for key in LABELS if source.get(key) is not None}
    if loaded.head == "classifier":
        stored = own if not {"head", "head.output"} & set(loaded.fresh) else {}
        return content | _labelled(leaves["head", "output", "bias"].shape[0], stored, labels, problem)
    if labels is not None or problem is not None:
        raise ValueError(f"Labels and a problem are a classifier's, and this model's head is {loaded.head}. Leave them out.")
    carried = not causal and weights.hf_name(("head", "output", "bias"), config, "classifier") in tensors
    return content | (own if carried else {})


def _labelled(outputs, stored, labels, problem):
    """Returns what the configuration says of a classifier's outputs; what is stored of them is taken where nothing is given."""
    if labels is None:
        found = {int(position): name for position, name in (stored.get("id2label") or {}).items()}
        labels = [found.get(position, f"LABEL_{position}") for position in range(outputs)]
    if len(set(labels)) != outputs or len(labels) != outputs:
        raise ValueError(
            f"{len(set(labels))} different labels do not name {outputs} outputs. Give one an output, in their order."
        )
    problem = problem or stored.get("problem_type") or ("regression" if outputs == 1 else "single_label_classification")
    if problem not in PROBLEMS:
        raise ValueError(f"problem is {problem!r}, and the known are {', '.join(PROBLEMS)}.")
    named = {str(position): label for position, label in enumerate(labels)}
    positions = {label: position for position, label in enumerate(labels)}
    return {"id2label": named, "label2id": positions, "problem_type": problem}


def _files(loaded, tokenizer_from):
    """Returns the files to copy, by their names below the folder: the tokeniser's, and what else the source has."""
    folder = loaded.source if tokenizer_from is None else Path(tokenizer_from)
    files = {name: folder / name for name in TOKENIZER_FILES if (folder / name).is_file()} if folder else {}
    if tokenizer_from is not None and not files:
        raise ValueError(f"{folder} has no tokeniser: none of {', '.join(TOKENIZER_FILES)}.")
    return (companions(loaded.source) if loaded.source else {}) | files


def _hf_tensors(loaded, leaves):
    """Returns the tensors by the names that the class of the head has; those of a body alone are without prefix."""
    config, head = loaded.config, loaded.head
    if head == "causal_lm":
        return decoder_weights.to_hf_tensors(leaves, config)
    tensors = {weights.hf_name(path, config, head): weights.to_hf_layout(path, leaf) for path, leaf in leaves.items()}
    if loaded.source:
        tensors |= _beside(loaded, tensors)
    prefix = weights.FAMILY_NAMES[config.family].prefix
    bare = head is None and all(name.startswith(prefix) for name in tensors)
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()} if bare else tensors


def _beside(loaded, written):
    """Returns the tensors of the model's source that are no part of its body and are not written otherwise."""
    config = loaded.config
    prefix = weights.FAMILY_NAMES[config.family].prefix
    tied = read_config(loaded.source).get("tie_word_embeddings") is not False
    source = Tensors(loaded.source)
    stored = weights.stored_names(source.names, config, tied=tied)
    again = {
        name
        for name, shared in weights.tied_names(config).items()
        if name in stored and shared in stored and source.equal(stored[name], stored[shared])
    }
    body = {name for name in stored if name.startswith(prefix) and not name.startswith(f"{prefix}pooler.")}
    return {name: source.copy(stored[name]) for name in sorted(stored.keys() - written.keys() - again - body)}
