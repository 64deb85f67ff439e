"""GGUF files of the Llama family, in: dequantised and written as a Hugging Face folder, tokeniser included."""

from __future__ import annotations

import os
import struct
import tempfile
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from gotd_jax import artifacts
from gotd_jax.models import weight_names
from gotd_jax.models.config import DecoderConfig
from gotd_jax.models.config_json import from_hf
from gotd_jax.models.model import Loaded, blueprint
from gotd_jax.models.saving import save

# Our module below a layer, or below the body -> the tensor's name in a GGUF file.
LAYER = {
    "attention_norm": "attn_norm",
    "attention.query": "attn_q",
    "attention.key": "attn_k",
    "attention.value": "attn_v",
    "attention.output": "attn_output",
    "mlp_norm": "ffn_norm",
    "mlp.gate": "ffn_gate",
    "mlp.expand": "ffn_up",
    "mlp.contract": "ffn_down",
}
BODY = {"words": "token_embd", "norm": "output_norm"}
HEAD = "output.weight"
CONTROL = 3  # the token type of end of text and similar tokens


def convert(path: str | os.PathLike, folder: str | os.PathLike) -> Path:
    """Returns `folder`, written as a Hugging Face folder in float32 from the GGUF file at `path`: whole or not at all.

    Raises:
      ValueError: the file is missing, damaged, of another architecture, or has a tokeniser that is not implemented.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(f"There is no file {path}. Give a GGUF file.")
    reader = _open(path)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    architecture = fields.get("general.architecture")
    if architecture != "llama":
        raise ValueError(f"{path} holds a model of the architecture {architecture!r}, and only 'llama' is read.")
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    config = from_hf(_config(fields, tied=HEAD not in tensors))
    loaded = _loaded(path, config, tensors)
    with tempfile.TemporaryDirectory() as tokenizer:
        _write_tokenizer(path, fields, tokenizer)
        return save(folder, loaded, tokenizer_from=tokenizer)


def _open(path: Path):
    from gguf import GGUFReader

    try:
        return GGUFReader(path)
    except (ValueError, IndexError, KeyError, UnicodeDecodeError, struct.error) as fault:
        raise ValueError(f"{path} ({path.stat().st_size} bytes) is no whole GGUF file: {fault}. Fetch it again.") from fault


def _config(fields: dict[str, Any], *, tied: bool) -> dict[str, Any]:
    """Returns the keys that the `config.json` of the model would have."""
    heads = fields["llama.attention.head_count"]
    content = {
        "model_type": "llama",
        "vocab_size": fields.get("llama.vocab_size", len(fields["tokenizer.ggml.tokens"])),
        "hidden_size": fields["llama.embedding_length"],
        "intermediate_size": fields["llama.feed_forward_length"],
        "num_hidden_layers": fields["llama.block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": fields.get("llama.attention.head_count_kv", heads),
        "head_dim": fields.get("llama.attention.key_length"),
        "max_position_embeddings": fields["llama.context_length"],
        "rms_norm_eps": fields["llama.attention.layer_norm_rms_epsilon"],
        "rope_theta": fields.get("llama.rope.freq_base", 10_000.0),
        "tie_word_embeddings": tied,
        "eos_token_id": fields.get("tokenizer.ggml.eos_token_id"),
    }
    if "llama.rope.scaling.type" in fields:
        content["rope_scaling"] = {"rope_type": fields["llama.rope.scaling.type"]}  # refused by its name
    return content


def _loaded(path: Path, config: DecoderConfig, tensors: dict) -> Loaded:
    from gguf.quants import dequantize

    definition, tree = blueprint(config)
    leaves, used = {}, set()
    for place, leaf in traverse_util.flatten_dict(tree).items():
        name = _name(place)
        if name not in tensors:
            raise ValueError(f"{path} lacks the tensor {name}. Fetch it again.")
        used.add(name)
        tensor = tensors[name]
        values = dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1]).astype(np.float32)
        if place[-1] == "kernel" and place[-2] in ("query", "key"):
            values = _in_halves(values, config.heads if place[-2] == "query" else config.key_heads)
        expected = weight_names.hf_shape(place, leaf.shape, config)
        if values.shape != expected:
            raise ValueError(
                f"Tensor {name} in {path} is {list(values.shape)} and should be {list(expected)} by its sizes. Fetch it again."
            )
        leaves[place] = jnp.asarray(weight_names.from_hf_layout(place, values, config))
    if left := set(tensors) - used - {"rope_freqs.weight"}:
        raise ValueError(f"{path} has {len(left)} tensors that a llama has no place for, first {min(left)}.")
    identity = artifacts.fingerprint({"gguf": path.name, "config": str(config)})
    return Loaded(config, definition, traverse_util.unflatten_dict(leaves), "causal_lm", None, (), identity)


def _name(place: weight_names.Path) -> str:
    if place[0] == "head":
        return HEAD
    if place[1] != "layers":
        return f"{BODY[place[1]]}.{weight_names.LEAVES[place[-1]]}"
    return f"blk.{place[2]}.{LAYER['.'.join(place[3:-1])]}.{weight_names.LEAVES[place[-1]]}"


def _in_halves(rows: np.ndarray, heads: int) -> np.ndarray:
    """Returns a projection's rows, which GGUF pairs for rotation as neighbours, paired half a head apart."""
    return rows.reshape(heads, -1, 2, rows.shape[-1]).swapaxes(1, 2).reshape(rows.shape)


def _write_tokenizer(path: Path, fields: dict[str, Any], folder: str) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    bytes_alone = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    splitters = {
        "gpt-2": bytes_alone,
        "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), bytes_alone]),
    }
    kind, splitter = fields.get("tokenizer.ggml.model"), fields.get("tokenizer.ggml.pre")
    if kind != "gpt2" or splitter not in splitters:
        raise ValueError(
            f"{path} has a tokeniser of the kind {kind!r}, {splitter!r}, and byte-level ones of the kinds "
            f"{', '.join(splitters)} are read. Take the model's Hugging Face folder."
        )
    tokens = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ", 1)) for merge in fields["tokenizer.ggml.merges"]]
    backend = Tokenizer(models.BPE({token: place for place, token in enumerate(tokens)}, merges))
    backend.pre_tokenizer = splitters[splitter]
    backend.decoder = decoders.ByteLevel()
    types = fields.get("tokenizer.ggml.token_type", [])
    special = [AddedToken(token, special=True, normalized=False) for token, kind in zip(tokens, types) if kind == CONTROL]
    backend.add_special_tokens(special)
    names = {
        "bos_token": "bos_token_id",
        "eos_token": "eos_token_id",
        "unk_token": "unknown_token_id",
        "pad_token": "padding_token_id",
    }
    known = {role: tokens[fields[f"tokenizer.ggml.{key}"]] for role, key in names.items() if f"tokenizer.ggml.{key}" in fields}
    PreTrainedTokenizerFast(tokenizer_object=backend, **known).save_pretrained(folder)
