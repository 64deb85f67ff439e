"""Published weights in: a Hugging Face folder or hub name to a Flax definition and its parameters."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

import jax.numpy as jnp
from flax import nnx, traverse_util

from gotd_jax import artifacts
from gotd_jax.models import weights
from gotd_jax.models.config import EncoderConfig, from_hf
from gotd_jax.models.folders import CONFIG, beside_weights, find, read_config, some
from gotd_jax.models.heads import ClassifierHead, MaskedLMHead
from gotd_jax.models.model import Loaded, blueprint, initialise
from gotd_jax.models.saving import save
from gotd_jax.models.tensors import Tensors

__all__ = ["Loaded", "blueprint", "find", "initialise", "load", "save"]


def load(
    source: str | os.PathLike,
    head: str | None = None,
    *,
    outputs: int | None = None,
    seed: int = 0,
    compute_dtype: str = "float32",
) -> Loaded:
    """Returns a published or trained model with the head asked for.

    The body must be in the file, whole. A head that is not is initialised from `seed` and named in `fresh`; so is a
    classifier's last layer that has another number of outputs.

    Args:
      source: a Hugging Face folder or hub name; see `find`.
      head: None for the bare encoder, 'masked_lm' or 'classifier'.
      outputs: of the classifier: classes, or 1 for regression. None takes the file's.
      seed: of what is fresh.
      compute_dtype: 'float32' or 'bfloat16'; see `EncoderConfig`.

    Raises:
      ValueError: no such model, pickled or damaged weights, an architecture that is not supported, or tensors that are
        missing, left over or of other shapes than the configuration says.
    """
    folder = find(source)
    content = read_config(folder)
    config = _from_hf(folder, content, compute_dtype)
    tensors = Tensors(folder)
    tied = content.get("tie_word_embeddings") is not False
    stored = weights.stored_names(tensors.names, config, tied=tied)
    if head == "classifier" and outputs is None:
        outputs = _stored_outputs(folder, config, tensors, stored)
    definition, shapes = blueprint(config, head, outputs)
    names = weights.names_of(shapes, config, head)

    _check_body(folder, config, {name for path, name in names.items() if path[0] != "head"}, stored)
    fresh = _fresh_parts(folder, head, names, tensors, stored, outputs)
    wanted = {path: name for path, name in names.items() if _part(path, head) not in fresh}
    tensors.check_types(stored[name] for name in wanted.values())
    _check_shapes(folder, shapes, wanted, tensors, stored)
    if head == "masked_lm":
        _check_tied(folder, config, tensors, stored, tied or "head" in fresh)

    leaves = {path: jnp.asarray(weights.to_hf_layout(path, tensors.read(stored[name]))) for path, name in wanted.items()}
    if fresh:
        leaves |= {path: leaf for path, leaf in _fresh_head(config, head, outputs, seed).items() if path not in leaves}
    return Loaded(
        config=config,
        definition=definition,
        params=traverse_util.unflatten_dict(leaves),
        head=head,
        source=folder,
        fresh=("head",) if set(fresh) == {"head.pooler", "head.output"} else fresh,
        fingerprint=artifacts.fingerprint(
            {"weights": tensors.digest(), "config": dataclasses.asdict(config), "beside": beside_weights(folder)}
        ),
    )


def _from_hf(folder, content, compute_dtype):
    try:
        return from_hf(content, compute_dtype)
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG} does not describe a model that loads here. {error}") from error


def _stored_outputs(folder, config, tensors, stored):
    name = weights.hf_name(("head", "output", "bias"), config, "classifier")
    if name not in stored:
        raise ValueError(f"{folder} has no classifier to take the number of outputs from. Say it: outputs=1 is regression.")
    return tensors.shape(stored[name])[0]


def _check_body(folder: Path, config: EncoderConfig, expected: set[str], stored: Mapping[str, str]) -> None:
    prefix = weights.FAMILY_NAMES[config.family].prefix
    beside = tuple(prefix + name for name in weights.BESIDE_BODY)
    found = {name for name in stored if name.startswith(prefix) and not name.startswith(beside)}
    if not found & expected:
        raise ValueError(
            f"{folder / CONFIG} says {config.model_type}, and none of the {len(expected)} tensors of such a body is among the "
            f"{len(stored)} in the file, which begin with {some(stored)}. These are weights of another architecture."
        )
    if missing := expected - found:
        raise ValueError(
            f"{folder} lacks {len(missing)} of the {len(expected)} tensors of its body: {some(missing)}. Fetch it again."
        )
    if left := found - expected:
        raise ValueError(
            f"{folder} has {len(left)} tensors that a body of {config.layers} layers as in its {CONFIG} has no place for: "
            f"{some(left)}. The two do not belong together."
        )


def _part(path, head):
    """Returns what is fresh or not as one: the whole of a masked-LM head, each layer of a classifier's."""
    if path[0] != "head":
        return "encoder"
    return "head" if head == "masked_lm" else f"head.{path[1]}"


def _fresh_parts(folder, head, names, tensors, stored, outputs):
    parts = {}
    for path, name in names.items():
        if path[0] == "head":
            parts.setdefault(_part(path, head), []).append(name)
    fresh = []
    for part, members in parts.items():
        absent = [name for name in members if name not in stored]
        if 0 < len(absent) < len(members):
            raise ValueError(f"{folder} has only a part of its {head} head: it lacks {some(absent)}. Fetch it again.")
        if absent or (part == "head.output" and {tensors.shape(stored[name])[0] for name in members} != {outputs}):
            fresh.append(part)
    return tuple(sorted(fresh))


def _check_shapes(folder, shapes, wanted, tensors, stored):
    flat = traverse_util.flatten_dict(shapes)
    wrong = []
    for path, name in wanted.items():
        found, expected = tensors.shape(stored[name]), weights.hf_shape(path, flat[path].shape)
        if found != expected:
            wrong.append(f"{name} is {list(found)} and should be {list(expected)}")
    if wrong:
        raise ValueError(f"{len(wrong)} tensors in {folder} have other shapes than its {CONFIG} says: {'; '.join(wrong[:3])}.")


def _check_tied(folder, config, tensors, stored, tied):
    if not tied and (head := weights.DECODERS[config.family]) not in stored:
        raise ValueError(
            f"{folder / CONFIG} has tie_word_embeddings false, and there is no {head} in the file, which a masked-LM head then "
            f"needs. Correct one of them."
        )
    for name, shared in weights.tied_names(config).items():
        if name in stored and shared in stored and not tensors.equal(stored[name], stored[shared]):
            raise ValueError(
                f"{folder} has {name} apart from {shared}, and only masked-LM heads that share the two are implemented. Load "
                f"it without a head or as a classifier, or make the two equal."
            )


def _fresh_head(config, head, outputs, seed):
    rngs = nnx.Rngs(seed)
    module = MaskedLMHead(config, rngs) if head == "masked_lm" else ClassifierHead(config, outputs, rngs)
    return traverse_util.flatten_dict({"head": nnx.to_pure_dict(nnx.split(module)[1])})
