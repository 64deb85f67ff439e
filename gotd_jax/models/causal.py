"""Causal language models, published weights in: a Hugging Face folder or hub name to a Flax definition and its parameters."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

import jax.numpy as jnp
from flax import nnx, traverse_util

from gotd_jax import artifacts, files
from gotd_jax.models import decoder_weights as weights
from gotd_jax.models import model
from gotd_jax.models.decoder_config import DecoderConfig
from gotd_jax.models.decoder_families import from_hf
from gotd_jax.models.folders import CONFIG, GENERATION, beside_weights, find, read_config, say, some
from gotd_jax.models.keys import token_ids
from gotd_jax.models.model import Loaded
from gotd_jax.models.saving import save
from gotd_jax.models.tensors import Tensors

__all__ = ["Loaded", "blueprint", "find", "initialise", "load", "save"]

HEAD = "causal_lm"


def initialise(config: DecoderConfig, *, seed: int = 0) -> Loaded:
    """Returns a model with all its parameters drawn from `seed`."""
    return model.initialise(config, HEAD, seed=seed)


def blueprint(config: DecoderConfig) -> tuple[nnx.GraphDef, dict]:
    """Returns a model's definition, and its parameter tree with shapes in place of arrays; allocates nothing."""
    return model.blueprint(config, HEAD)


def load(source: str | os.PathLike, *, compute_dtype: str = "float32") -> Loaded:
    """Returns a published or trained causal language model.

    A stored head that is not the word embeddings is taken, with a word where the configuration says that the two are tied.

    Args:
      source: a Hugging Face folder or hub name; see `gotd_jax.models.folders.find`.
      compute_dtype: 'float32' or 'bfloat16'; see `DecoderConfig`.

    Raises:
      ValueError: no such model, pickled or damaged weights, an architecture that is not supported, or tensors that are
        missing, left over or of other shapes than the configuration says.
    """
    folder = find(source)
    try:
        config = from_hf(read_config(folder), compute_dtype)
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG} does not describe a model that loads here. {error}") from error
    config = dataclasses.replace(config, stop_ids=_stop_ids(folder, config))
    tensors = Tensors(folder)
    config, stored = _with_head(folder, config, tensors)
    definition, tree = blueprint(config)
    tensors.check_types(stored[name] for name in weights.shapes_of(tree, config) if name in stored)
    _check(folder, config, weights.shapes_of(tree, config), {name: tensors.shape(file) for name, file in stored.items()})
    params, last = {}, (None, None)
    for path, name in weights.names_of(tree, config).items():
        if name != last[0]:  # a fused tensor is read once for its three parts
            last = name, tensors.read(stored[name])
        params[path] = jnp.asarray(weights.from_hf_layout(path, last[1], config))
    made_of = {"weights": tensors.digest(), "config": dataclasses.asdict(config), "beside": beside_weights(folder)}
    return Loaded(config, definition, traverse_util.unflatten_dict(params), HEAD, folder, (), artifacts.fingerprint(made_of))


def _stop_ids(folder: Path, config: DecoderConfig) -> tuple[int, ...]:
    """Returns the tokens that writing ends at by the folder's settings of generation; () where these name no others."""
    if not (folder / GENERATION).is_file():
        return ()
    try:
        found = token_ids(files.read_object(folder / GENERATION).get("eos_token_id"))
    except ValueError as error:
        raise ValueError(f"{folder / GENERATION} does not say where writing ends. {error}") from error
    return () if set(found) <= set(config.end_ids) <= set(found) else found


def _with_head(folder: Path, config: DecoderConfig, tensors: Tensors) -> tuple[DecoderConfig, dict[str, str]]:
    """Returns the configuration, untied where the file has a head of its own, and the tensors' names in the file."""
    stored, words = weights.canonical_names(tensors.names, config), weights.words_name(config)
    if not config.tied or weights.HEAD not in stored:
        return config, stored
    head = stored.pop(weights.HEAD)
    if words not in stored:
        return config, {**stored, words: head}
    if tensors.equal(head, stored[words]):
        return config, stored
    say(f"{folder} has a {weights.HEAD} of its own, although its {CONFIG} ties it to {words}. The two are kept apart.")
    return dataclasses.replace(config, tied=False), {**stored, weights.HEAD: head}


def _check(
    folder: Path, config: DecoderConfig, expected: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]
) -> None:
    if not expected.keys() & found.keys():
        raise ValueError(
            f"{folder / CONFIG} says {config.model_type}, and none of the {len(expected)} tensors of such a model is among the "
            f"{len(found)} in the file, which begin with {some(found)}. These are weights of another architecture."
        )
    if missing := expected.keys() - found.keys():
        raise ValueError(f"{folder} lacks {len(missing)} of {len(expected)} tensors: {some(missing)}. Fetch it again.")
    if left := found.keys() - expected.keys():
        raise ValueError(
            f"{folder} has {len(left)} tensors that a {config.model_type} of {config.layers} layers as in its {CONFIG} has no "
            f"place for: {some(left)}. The two do not belong together."
        )
    if wrong := {name for name in expected if expected[name] != found[name]}:
        name = min(wrong)
        raise ValueError(
            f"{len(wrong)} tensors in {folder} have other shapes than its {CONFIG} says: {name} is {list(found[name])} and "
            f"should be {list(expected[name])}."
        )
