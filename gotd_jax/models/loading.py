"""Published weights in: a Hugging Face folder, a hub name or a packaged model to a Flax definition and its parameters."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping
from pathlib import Path

import jax.numpy as jnp
from flax import nnx, traverse_util

from gotd_jax import artifacts, files
from gotd_jax.models import weight_names
from gotd_jax.models.config import DECODERS, DecoderConfig, EncoderConfig
from gotd_jax.models.config_json import from_hf
from gotd_jax.models.config_values import token_ids
from gotd_jax.models.folders import CONFIG, GENERATION, beside_weights, first_few, read_config, remark_once
from gotd_jax.models.lookup import folder_of
from gotd_jax.models.model import Loaded, blueprint, checked_head
from gotd_jax.models.prediction_heads import ClassifierHead, MaskedLMHead
from gotd_jax.models.safetensors_files import Tensors


def load(
    source: str | os.PathLike,
    head: str | None = None,
    *,
    outputs: int | None = None,
    seed: int = 0,
    compute_dtype: str = "float32",
) -> Loaded:
    """Returns a published or trained model with the head asked for; a decoder is loaded as a causal language model.

    The body must be in the file, whole. An encoder's head that is not there is initialised from `seed` and named in `fresh`; so
    is a classifier's last layer that has another number of outputs. A decoder's stored head that is not the word embeddings is
    taken, with a remark where the configuration says that the two are tied.

    Args:
      source: a Hugging Face folder, a hub name or a packaged model; see `folder_of`.
      head: of an encoder None for the bare body, 'masked_lm' or 'classifier'; of a decoder None or 'causal_lm'.
      outputs: of the classifier: classes, or 1 for regression. None takes the file's.
      seed: of the fresh parts.
      compute_dtype: 'float32' or 'bfloat16'; see `EncoderConfig`.

    Raises:
      ValueError: no such model, pickled or damaged weights, an architecture or a head that is not supported, or tensors that
        are missing, left over or of other shapes than the configuration says.
    """
    folder = folder_of(source)
    config = _configuration(folder, compute_dtype)
    head = checked_head(config, head)
    tensors = Tensors(folder)
    stored = weight_names.stored_names(tensors.names, config)
    if head == "causal_lm":
        config = _untied_where_apart(folder, config, tensors, stored)
    if head == "classifier" and outputs is None:
        outputs = _stored_outputs(folder, config, tensors, stored)
    definition, shapes = blueprint(config, head, outputs)
    names = weight_names.names_of(shapes, config, head)

    tensors.check_types(stored[name] for name in names.values() if name in stored)
    _check_needed(folder, config, {name for path, name in names.items() if path[0] != "head" or head == "causal_lm"}, stored)
    fresh = _fresh_parts(folder, head, names, tensors, stored, outputs)
    wanted = {path: name for path, name in names.items() if _part(path, head) not in fresh}
    _check_shapes(folder, config, shapes, wanted, tensors, stored)
    if head == "masked_lm":
        _check_tied(folder, config, tensors, stored, config.tied or "head" in fresh)

    leaves = _read(wanted, config, tensors, stored)
    if fresh:
        leaves |= {path: leaf for path, leaf in _fresh_head(config, head, outputs, seed).items() if path not in leaves}
    made_of = {"weights": tensors.digest(), "config": dataclasses.asdict(config), "beside": beside_weights(folder)}
    return Loaded(
        config=config,
        definition=definition,
        params=traverse_util.unflatten_dict(leaves),
        head=head,
        source=folder,
        fresh=("head",) if set(fresh) == {"head.pooler", "head.output"} else fresh,
        fingerprint=artifacts.fingerprint(made_of),
    )


def load_language_model(source: str | os.PathLike, *, seed: int = 0, compute_dtype: str = "float32") -> Loaded:
    """Returns a model as a language model, causal or masked, as it is pre-fine-tuned; arguments as for `load`."""
    folder = folder_of(source)  # once: a name on the hub may be asked for there
    return load(folder, None if is_causal(folder) else "masked_lm", seed=seed, compute_dtype=compute_dtype)


def is_causal(source: str | os.PathLike) -> bool:
    """Returns whether a model is a causal language model, by the type that its configuration names."""
    return read_config(folder_of(source)).get("model_type") in DECODERS


def fingerprint_of(source: str | os.PathLike) -> str:
    """Returns 16 hex digits that identify a model's weights, configuration, tokeniser and settings; loads nothing."""
    folder = folder_of(source)
    return artifacts.fingerprint([read_config(folder), Tensors(folder).digest(), beside_weights(folder)])


def _configuration(folder: Path, compute_dtype: str) -> EncoderConfig | DecoderConfig:
    try:
        config = from_hf(read_config(folder), compute_dtype)
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG} does not describe a model that loads here. {error}") from error
    return dataclasses.replace(config, stop_ids=_stop_ids(folder, config)) if isinstance(config, DecoderConfig) else config


def _stop_ids(folder: Path, config: DecoderConfig) -> tuple[int, ...]:
    """Returns the tokens that end a generated text by the folder's settings of generation; () where these are `end_ids`."""
    if not (folder / GENERATION).is_file():
        return ()
    try:
        found = token_ids(files.read_object(folder / GENERATION).get("eos_token_id"))
    except ValueError as error:
        raise ValueError(f"{folder / GENERATION} does not say where generated text ends. {error}") from error
    return () if set(found) <= set(config.end_ids) <= set(found) else found


def _untied_where_apart(folder: Path, config: DecoderConfig, tensors: Tensors, stored: Mapping[str, str]) -> DecoderConfig:
    """Returns the configuration, untied where the file has a head of its own."""
    names = weight_names.FAMILY_NAMES[config.family]
    head, words = names.output, names.prefix + names.words
    if not config.tied or head not in stored or tensors.equal(stored[head], stored[words]):
        return config
    remark_once(f"{folder} has a {head} of its own, although its {CONFIG} ties it to {words}. The two are kept apart.")
    return dataclasses.replace(config, tied=False)


def _stored_outputs(folder, config, tensors, stored):
    name = weight_names.classifier_bias(config)
    if name not in stored:
        raise ValueError(f"{folder} has no classifier to take the number of outputs from. Say it: outputs=1 is regression.")
    return tensors.shape(stored[name])[0]


def _check_needed(folder: Path, config, needed: set[str], stored: Collection[str]) -> None:
    if not needed & set(stored):
        raise ValueError(
            f"{folder / CONFIG} says {config.model_type}, and none of the {len(needed)} tensors of such a model is among the "
            f"{len(stored)} in the file, which begin with {first_few(stored)}. These are weights of another architecture."
        )
    if missing := needed - set(stored):
        raise ValueError(
            f"{folder} lacks {len(missing)} of the {len(needed)} tensors of a {config.model_type}: {first_few(missing)}. "
            "Fetch it again."
        )
    body = {name for name in stored if weight_names.in_body(name, config) and not weight_names.is_buffer(name, config)}
    if left := body - needed:
        raise ValueError(
            f"{folder} has {len(left)} tensors that a {config.model_type} of {config.layers} layers as in its {CONFIG} has no "
            f"place for: {first_few(left)}. The two do not belong together."
        )


def _part(path, head):
    """Returns the part that a parameter is fresh or stored with: a whole masked-LM head, or a layer of a classifier's head."""
    if path[0] != "head":
        return "body"
    return f"head.{path[1]}" if head == "classifier" else "head"


def _fresh_parts(folder, head, names, tensors, stored, outputs):
    parts = {}
    for path, name in names.items():
        if path[0] == "head":
            parts.setdefault(_part(path, head), []).append(name)
    fresh = []
    for part, members in parts.items():
        absent = [name for name in members if name not in stored]
        if 0 < len(absent) < len(members):
            raise ValueError(f"{folder} has only a part of its {head} head: it lacks {first_few(absent)}. Fetch it again.")
        if absent or (part == "head.output" and {tensors.shape(stored[name])[0] for name in members} != {outputs}):
            fresh.append(part)
    return tuple(sorted(fresh))


def _check_shapes(folder, config, shapes, wanted, tensors, stored):
    flat = traverse_util.flatten_dict(shapes)
    wrong = {}
    for path, name in wanted.items():
        found, expected = tensors.shape(stored[name]), weight_names.hf_shape(path, flat[path].shape, config)
        if found != expected:
            wrong[name] = f"{name} is {list(found)} and should be {list(expected)}"
    if wrong:
        said = "; ".join([*wrong.values()][:3])
        raise ValueError(f"{len(wrong)} tensors in {folder} have other shapes than its {CONFIG} says: {said}.")


def _check_tied(folder, config, tensors, stored, tied):
    output = weight_names.FAMILY_NAMES[config.family].output
    if not tied and output not in stored:
        raise ValueError(
            f"{folder / CONFIG} has tie_word_embeddings false, and there is no {output} in the file, which a masked-LM head "
            "then needs. Correct one of them."
        )
    for name, shared in weight_names.tied_names(config).items():
        if name in stored and shared in stored and not tensors.equal(stored[name], stored[shared]):
            raise ValueError(
                f"{folder} has {name} apart from {shared}, and only masked-LM heads that share the two are implemented. Load "
                f"it without a head or as a classifier, or make the two equal."
            )


def _read(wanted, config, tensors, stored):
    """Returns the parameters by path; a tensor that several lie in is read once."""
    paths: dict[str, list] = {}
    for path, name in wanted.items():
        paths.setdefault(name, []).append(path)
    leaves = {}
    for name, inside in paths.items():
        tensor = tensors.read(stored[name])
        leaves |= {path: jnp.asarray(weight_names.from_hf_layout(path, tensor, config)) for path in inside}
    return leaves


def _fresh_head(config, head, outputs, seed):
    rngs = nnx.Rngs(seed)
    module = MaskedLMHead(config, rngs) if head == "masked_lm" else ClassifierHead(config, outputs, rngs)
    return traverse_util.flatten_dict({"head": nnx.to_pure_dict(nnx.split(module)[1])})
