"""A trained model out: a Hugging Face folder that `transformers` loads, and so does `loading.load`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from flax import traverse_util
from safetensors.numpy import save_file

from gotd_jax.files import whole_folder, write_json
from gotd_jax.models import weight_names
from gotd_jax.models.config_json import to_hf
from gotd_jax.models.folders import CONFIG, TOKENIZER_FILES, WEIGHTS, companions, read_config
from gotd_jax.models.model import Loaded
from gotd_jax.models.safetensors_files import Tensors

PROBLEMS = ("single_label_classification", "multi_label_classification", "regression")
# Keys of a source's configuration that are about the file it came with, and not about the model.
NOT_CARRIED = ("_name_or_path", "torch_dtype", "transformers_version")
LABELS = ("num_labels", "id2label", "label2id", "problem_type")
# The class in `transformers` that a model is.
CLASSES = {
    "bert": "Bert",
    "distilbert": "DistilBert",
    "roberta": "Roberta",
    "xlm-roberta": "XLMRoberta",
    "camembert": "Camembert",
    "gpt2": "GPT2LMHeadModel",
    "gpt_neo": "GPTNeoForCausalLM",
    "llama": "LlamaForCausalLM",
}
CLASS_ENDINGS = {None: "Model", "masked_lm": "ForMaskedLM", "classifier": "ForSequenceClassification", "causal_lm": ""}


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

    Whatever the model's source has beside the loaded part stays as it is: a pooler, other heads, the settings of generation,
    the modules of sentence-transformers. So a later `load` finds in `folder` all that it would find in the source, and the same
    heads are fresh on both.

    Args:
      folder: must not exist, or be empty.
      loaded: the model.
      params: its parameters after training, a tree like `loaded.params`; None takes `loaded.params`.
      tokenizer_from: a folder whose tokeniser files are copied; None takes the model's source, where it has one.
      labels: the classes of a classifier, in the order of its outputs; None takes the source's, where the outputs are, and
        calls them LABEL_0, LABEL_1, ... where they are fresh.
      problem: of a classifier, one of `PROBLEMS`; None takes the source's, and where it has none regression for one output
        and one label a text for more.

    Raises:
      ValueError: the folder is taken, the parameters are another model's, the labels do not match the outputs in number, or
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

    with whole_folder(folder) as partial:
        write_json(partial / CONFIG, content)
        save_file(tensors, partial / WEIGHTS, metadata={"format": "pt"})
        for name, file in files.items():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, partial / name)
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
    config = loaded.config
    content = {**to_hf(config), **{key: value for key, value in source.items() if key not in (*NOT_CARRIED, *LABELS)}}
    content |= {
        "architectures": [CLASSES[config.model_type] + CLASS_ENDINGS[loaded.head]],
        "dtype": "float32",
        "tie_word_embeddings": weight_names.FAMILY_NAMES[config.family].output not in tensors,
    }
    own = {key: source[key] for key in LABELS if source.get(key) is not None}
    if loaded.head == "classifier":
        stored = own if not {"head", "head.output"} & set(loaded.fresh) else {}
        return content | _labelled(leaves["head", "output", "bias"].shape[0], stored, labels, problem)
    if labels is not None or problem is not None:
        raise ValueError(f"Labels and a problem are a classifier's, and this model's head is {loaded.head}. Leave them out.")
    return content | (own if weight_names.classifier_bias(config) in tensors else {})


def _labelled(outputs, stored, labels, problem):
    """Returns the keys of the configuration about a classifier's outputs; the stored ones are taken where none are given."""
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
    """Returns the files to copy, by their names below the folder: the tokeniser's, and the source's companions."""
    folder = loaded.source if tokenizer_from is None else Path(tokenizer_from)
    files = {name: folder / name for name in TOKENIZER_FILES if (folder / name).is_file()} if folder else {}
    if tokenizer_from is not None and not files:
        raise ValueError(f"{folder} has no tokeniser: none of {', '.join(TOKENIZER_FILES)}.")
    return (companions(loaded.source) if loaded.source else {}) | files


def _hf_tensors(loaded, leaves):
    """Returns the tensors by the names that the class of the head has; those of a body alone are without prefix."""
    config, head = loaded.config, loaded.head
    tensors = weight_names.to_hf_tensors(leaves, config, head)
    if loaded.source:
        tensors |= _beside(loaded, tensors)
    prefix = weight_names.FAMILY_NAMES[config.family].prefix
    bare = head is None and all(name.startswith(prefix) for name in tensors)
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()} if bare else tensors


def _beside(loaded, written):
    """Returns the tensors of the model's source that are no part of its body and are not written otherwise."""
    config, source = loaded.config, Tensors(loaded.source)
    stored = weight_names.stored_names(source.names, config)
    again = {
        name
        for name, shared in weight_names.tied_names(config).items()
        if name in stored and shared in stored and source.equal(stored[name], stored[shared])
    }
    kept = {name for name in stored.keys() - written.keys() - again if not weight_names.in_body(name, config)}
    return {name: source.copy(stored[name]) for name in sorted(kept)}
