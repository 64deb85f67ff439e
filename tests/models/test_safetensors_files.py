"""Which file a tensor is read from, and what is refused by its header."""

import json
import shutil

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gotd_jax import models
from gotd_jax.models.safetensors_files import Tensors
from tests.models.helpers import assert_same_trees, edit_json
from tests.models.test_decoder import REFERENCES

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
INDEX = "model.safetensors.index.json"
WORDS = "model.embed_tokens.weight"


@pytest.fixture
def sharded(tmp_path):
    """The tiny Llama in two files and their index; the first has the word embeddings."""
    folder = shutil.copytree(REFERENCES / "llama", tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    names = sorted(tensors, key=lambda name: name != WORDS)
    parts = dict(zip(SHARDS, (names[:10], names[10:]), strict=True))
    for file, held in parts.items():
        save_file({name: tensors[name] for name in held}, folder / file)
    (folder / INDEX).write_text(json.dumps({"weight_map": {name: file for file, held in parts.items() for name in held}}))
    (folder / "model.safetensors").unlink()
    return folder


def add(path, **tensors):
    save_file({**load_file(path), **tensors}, path)


@pytest.mark.parametrize("stale", SHARDS)
def test_the_index_says_which_copy_of_a_tensor_is_read(sharded, stale):
    current = next(name for name in SHARDS if name != stale)
    index = json.loads((sharded / INDEX).read_text())["weight_map"]
    name = next(name for name in index if index[name] == current)
    add(sharded / stale, **{name: load_file(sharded / current)[name] + 1})
    assert_same_trees(models.load(sharded).params, models.load(REFERENCES / "llama").params)


def test_a_tensor_that_is_not_in_the_file_that_the_index_names_is_refused(sharded):
    index = json.loads((sharded / INDEX).read_text())["weight_map"]
    edit_json(sharded / INDEX, weight_map={**index, WORDS: SHARDS[1]})
    with pytest.raises(ValueError, match=f"1 tensors named in .* are not in the file that it names, first '{WORDS}'"):
        models.load(sharded)


def test_a_tensor_that_the_index_does_not_name_is_refused(sharded):
    add(sharded / SHARDS[0], extra=np.ones(3, np.float32))
    with pytest.raises(
        ValueError, match=r"1 tensors in the files of .* are not named in its model.safetensors.index.json: extra"
    ):
        models.load(sharded)


def test_one_file_beside_shards_is_read_with_a_word(sharded, capsys):
    shutil.copy(REFERENCES / "llama" / "model.safetensors", sharded)
    add(sharded / SHARDS[0], **{WORDS: load_file(sharded / SHARDS[0])[WORDS] + 1})
    assert_same_trees(models.load(sharded).params, models.load(REFERENCES / "llama").params)
    assert "has model.safetensors beside model-00001-of-00002.safetensors" in capsys.readouterr().err


def test_shards_without_an_index_are_refused(sharded):
    (sharded / INDEX).unlink()
    with pytest.raises(ValueError, match=f"has {SHARDS[0]}, {SHARDS[1]}, and neither .* which says where each tensor lies"):
        models.load(sharded)


@pytest.mark.parametrize("name", ["../other/x.safetensors", "/elsewhere/x.safetensors", "below/x.safetensors"])
def test_a_shard_outside_of_the_folder_is_refused(sharded, name):
    index = json.loads((sharded / INDEX).read_text())["weight_map"]
    edit_json(sharded / INDEX, weight_map={**index, WORDS: name})
    with pytest.raises(ValueError, match=f"names '{name}', which is no file of its own folder"):
        models.load(sharded)


@pytest.mark.parametrize("kind", ["float8_e4m3fn", "float8_e5m2"])
def test_weights_of_eight_bits_are_refused_before_any_is_read(kind, tmp_path, monkeypatch):
    folder = shutil.copytree(REFERENCES / "llama", tmp_path / "model")
    small = np.ones((2, 2), getattr(ml_dtypes, kind))
    header = {"norm": {"dtype": "F8_" + kind.removeprefix("float8_").removesuffix("fn").upper(), "shape": [2, 2]}}
    header["norm"]["data_offsets"] = [0, 4]
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + small.tobytes())
    monkeypatch.setattr(Tensors, "copy", None)
    with pytest.raises(ValueError, match=r"1 tensors in .* norm is stored as F8_.* Quantised weights are not supported"):
        models.load(folder)


def test_whole_numbers_are_refused_as_weights_and_passed_over_as_masks(tmp_path, monkeypatch):
    folder = shutil.copytree(REFERENCES / "gpt2", tmp_path / "model")
    add(folder / "model.safetensors", **{"transformer.h.0.attn.bias": np.ones((1, 1, 64, 64), np.uint8)})
    assert_same_trees(models.load(folder).params, models.load(REFERENCES / "gpt2").params)
    name = "transformer.h.1.mlp.c_fc.weight"
    add(folder / "model.safetensors", **{name: np.ones((24, 96), np.int8), "transformer.h.1.mlp.c_fc.scales": np.ones(96)})
    monkeypatch.setattr(Tensors, "copy", None)
    with pytest.raises(ValueError, match=f"{name} is stored as I8. Quantised weights are not supported"):
        models.load(folder)
