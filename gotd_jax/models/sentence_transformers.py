"""The files of sentence-transformers in a model's folder: how hidden states become a text's vector, followed or refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gotd_jax.data.tokens import sentence_config
from gotd_jax.files import read_object
from gotd_jax.models.folders import CONFIG, MODULES, modules_of
from gotd_jax.models.model import Loaded

LENGTH = 256  # tokens of a text that are read by default
PROMPTS = "config_sentence_transformers.json"
SEQUENCES = (("Transformer", "Pooling"), ("Transformer", "Pooling", "Normalize"))
POOLINGS = {"mean": "mean", "cls": "cls", "lasttoken": "last", "weightedmean": "position"}  # sentence-transformers' name: ours
# One key a pooling, true or false, as files had it up to sentence-transformers 5.
OLD_POOLINGS = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "lasttoken",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
}
SIZES = {"word_embedding_dimension", "embedding_dimension"}
# Keys of the transformer's own file: those that are followed, and values that change nothing.
FOLLOWED = {"max_seq_length", "do_lower_case"}
AS_DONE = {
    "transformer_task": ("feature-extraction",),
    "module_output_name": ("token_embeddings",),
    "modality_config": ({"text": {"method": "forward", "method_output_name": "last_hidden_state"}},),
    "unpad_inputs": (True, False),
}
ASK = "Say how its hidden states are pooled (pooling: mean, cls, last or position), or name another model."


@dataclasses.dataclass(frozen=True)
class Instructions:
    """How a text becomes a vector.

    Attributes:
      pooling: one of `gotd_jax.models.embedding.POOLINGS`.
      normalise: whether vectors are scaled to length one.
      max_length: tokens of a text that are read; None where no file says.
      prompt: put before every text.
    """

    pooling: str = "mean"
    normalise: bool = False
    max_length: int | None = None
    prompt: str = ""


def instructions(folder: Path, *, pooling: str | None = None, normalise: bool | None = None) -> Instructions:
    """Returns the instructions in the files of sentence-transformers in `folder`; where there are none, a plain mean.

    Args:
      folder: of the model; of one whose `modules.json` names a folder for its transformer, that folder.
      pooling: in place of the folder's. The modules after the transformer are then not followed, but for a Normalize.
      normalise: in place of a Normalize.

    Raises:
      ValueError: they ask for a module, a pooling or a setting that is not implemented.
    """
    root = _root(folder)
    names = modules_of(root)
    if not names and pooling is None and (pools := sorted(folder.glob("*_Pooling"))):
        raise ValueError(f"{folder} has {pools[0].name} and no {MODULES}, which says how it is used. Fetch it whole. {ASK}")
    if names and pooling is None:
        pooling = _pooling(root, names)
    return Instructions(
        pooling or "mean",
        ("Normalize" in names.values()) if normalise is None else normalise,
        _max_length(folder, bool(names)),
        _prompt(root),
    )


def instructions_for(
    model: Loaded, *, pooling: str | None = None, normalise: bool | None = None, max_length: int | None = None
) -> Instructions:
    """Returns how texts become vectors by a loaded model: the arguments, or where they are None the folder's instructions.

    The default of both is a mean over 256 tokens, or over as many as the model reads.

    Args:
      model: an encoder without head, or a causal language model.
      pooling: one of `gotd_jax.models.embedding.POOLINGS`.
      normalise: whether vectors are scaled to unit length.
      max_length: tokens of a text that are read.

    Raises:
      ValueError: the folder asks for something that is not implemented.
    """
    said = instructions(model.source, pooling=pooling, normalise=normalise)
    length = max_length or min(said.max_length or LENGTH, model.config.max_length)
    return dataclasses.replace(said, max_length=length)


def is_sentence_encoder(folder: Path) -> bool:
    """Returns whether the model in `folder` is one of sentence-transformers, whose vectors are made to be compared."""
    return bool(modules_of(_root(folder)))


def _root(folder: Path) -> Path:
    """Returns the folder whose `modules.json` `folder` is under, or else `folder`."""
    outside = folder.resolve().parent
    named = not (folder / MODULES).is_file() and folder.resolve().name in modules_of(outside)
    return outside if named else folder


def _pooling(root: Path, names: Mapping[str, str]) -> str:
    if tuple(names.values()) not in SEQUENCES:
        followed = " or ".join(map(", ".join, SEQUENCES))
        raise ValueError(f"{root / MODULES} asks for {', '.join(names.values())}; the supported modules are {followed}. {ASK}")
    settings = sentence_config(root / next(iter(names)))
    for key, value in settings.items():
        if key not in FOLLOWED and value and value not in AS_DONE.get(key, ()):
            raise ValueError(f"The transformer of {root} is set to {key} {value!r}, which is not followed. {ASK}")
    path = root / next(path for path, kind in names.items() if kind == "Pooling") / CONFIG
    if not path.is_file():
        raise ValueError(f"{path} is missing, although {MODULES} names its folder. Fetch it again. {ASK}")
    return _pooling_of(read_object(path), path)


def _pooling_of(content: Mapping[str, Any], path: Path) -> str:
    known = {"pooling_mode", "include_prompt", *OLD_POOLINGS, *SIZES}
    if unknown := sorted(content.keys() - known):
        raise ValueError(f"{path} says {unknown[0]} {content[unknown[0]]!r}, which is not followed. {ASK}")
    if not content.get("include_prompt", True) and _prompt(path.parent.parent):
        raise ValueError(f"{path} leaves the prompt out of the pooling, which is not followed. {ASK}")
    modes = content.get("pooling_mode")
    if modes is None:
        said = [mode for key, mode in OLD_POOLINGS.items() if content.get(key)]
        modes = said if OLD_POOLINGS.keys() & content.keys() else "mean"  # sentence-transformers' default
    modes = [modes] if isinstance(modes, str) else list(modes)
    if len(modes) != 1 or modes[0] not in POOLINGS:
        asked, followed = " and ".join(modes) or "nothing", ", ".join(POOLINGS)
        raise ValueError(f"{path} pools by {asked}; the supported poolings are {followed}. {ASK}")
    return POOLINGS[modes[0]]


def _max_length(folder: Path, is_sentence_model: bool) -> int | None:
    """Returns `max_seq_length`, or where a sentence model's folder has none, its tokeniser's limit."""
    length = sentence_config(folder).get("max_seq_length")
    path = folder / "tokenizer_config.json"
    if length is None and is_sentence_model and path.is_file():
        length = read_object(path).get("model_max_length")
        length = None if length is None or length > 1 << 30 else length  # transformers writes 1e30 for no limit
    if length is not None and (isinstance(length, bool) or length != int(length) or length < 1):
        raise ValueError(f"{folder} says that {length!r} tokens of a text are read. It must be a whole number, at least 1.")
    return None if length is None else int(length)


def _prompt(root: Path) -> str:
    """Returns the prompt that is put before every text by default; '' without one."""
    path = root / PROMPTS
    content = read_object(path) if path.is_file() else {}
    if content.get("truncate_dim"):
        raise ValueError(
            f"{path} keeps {content['truncate_dim']} dimensions of each vector, which is not implemented. Name another model."
        )
    name, prompts = content.get("default_prompt_name"), content.get("prompts") or {}
    if name is not None and name not in prompts:
        raise ValueError(f"{path} has no prompt {name!r}, its default_prompt_name. It has: {', '.join(prompts) or 'none'}.")
    return (prompts.get(name) or "") if name is not None else ""
