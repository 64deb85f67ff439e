import json
import os
import shutil

import jax
import numpy as np
import pytest
from huggingface_hub import constants
from safetensors.numpy import load_file, save_file

from gotd_jax.models import fingerprint_of, folder_of, initialise, load, save
from gotd_jax.models.weight_names import FAMILY_NAMES
from tests.models.helpers import FAMILIES, REFERENCES, assert_same_trees, edit_json, hidden, logits, reference


@pytest.fixture
def folder(tmp_path):
    """A copy of the tiny BERT with its masked-LM head, to be damaged."""
    return shutil.copytree(REFERENCES / "bert" / "masked_lm", tmp_path / "model")


def edit_tensors(folder, change):
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path)


def rename(folder, new_name):
    edit_tensors(folder, lambda tensors: {new_name(name): tensor for name, tensor in tensors.items()})


def shard(folder):
    tensors = load_file(folder / "model.safetensors")
    parts = {f"model-0000{part}-of-00002.safetensors": sorted(tensors)[part - 1 :: 2] for part in (1, 2)}
    for file, names in parts.items():
        save_file({name: tensors[name] for name in names}, folder / file)
    index = {"metadata": {}, "weight_map": {name: file for file, names in parts.items() for name in names}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model.safetensors").unlink()


# What a file may look like and still be the same model.


@pytest.mark.parametrize("family", FAMILIES)
def test_a_bare_body_without_prefix_is_the_same_body(family, tmp_path):
    folder = shutil.copytree(REFERENCES / family / "masked_lm", tmp_path / "model")
    prefix = f"{family}."
    edit_tensors(folder, lambda tensors: {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)})
    bare = load(folder)
    assert_same_trees(bare.params, load(REFERENCES / family / "masked_lm").params)
    assert load(folder, "masked_lm").fresh == ("head",)


def test_gamma_and_beta_are_weight_and_bias(folder):
    rename(folder, lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"))
    assert "cls.predictions.transform.LayerNorm.gamma" in load_file(folder / "model.safetensors")
    assert_same_trees(load(folder, "masked_lm").params, load(REFERENCES / "bert" / "masked_lm", "masked_lm").params)


def test_sharded_weights_are_the_same_model(folder):
    shard(folder)
    assert_same_trees(load(folder, "masked_lm").params, load(REFERENCES / "bert" / "masked_lm", "masked_lm").params)


def test_what_other_classes_keep_beside_the_body_is_passed_over(folder):
    extra = {"cls.seq_relationship.weight": np.ones((2, 24)), "bert.embeddings.position_ids": np.arange(16)}
    extra["bert.pooler.dense.weight"] = np.ones((24, 24))
    edit_tensors(folder, lambda tensors: {**tensors, **extra})
    assert_same_trees(load(folder, "masked_lm").params, load(REFERENCES / "bert" / "masked_lm", "masked_lm").params)


def test_float16_weights_are_read_as_float32(folder):
    edit_tensors(folder, lambda tensors: {name: tensor.astype(np.float16) for name, tensor in tensors.items()})
    params, exact = load(folder).params, load(REFERENCES / "bert" / "masked_lm").params
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {np.dtype(np.float32)}
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=2e-3, atol=1e-6), params, exact)


# Heads that are in the file, and heads that are not.


@pytest.mark.parametrize("family", FAMILIES)
def test_a_masked_lm_serves_as_the_body_of_a_classifier(family):
    folder, batch = REFERENCES / family / "masked_lm", reference(family, "masked_lm")
    loaded = load(folder, "classifier", outputs=2)
    assert loaded.fresh == ("head",)
    assert (hidden(loaded, batch) == hidden(load(folder), batch)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_classifier_serves_as_the_body_of_a_masked_lm(family):
    folder, batch = REFERENCES / family / "classification", reference(family, "classification")
    loaded = load(folder, "masked_lm")
    assert loaded.fresh == ("head",)
    assert (hidden(loaded, batch) == hidden(load(folder), batch)).all()


@pytest.mark.parametrize("head", ["masked_lm", "classifier"])
def test_a_fresh_head_is_a_function_of_the_seed(head):
    source = REFERENCES / "bert" / ("classification" if head == "masked_lm" else "masked_lm")
    first, again, other = (load(source, head, outputs=3, seed=seed).params["head"] for seed in (0, 0, 1))
    assert_same_trees(first, again)
    part = "dense" if head == "masked_lm" else "output"
    assert (first[part]["kernel"] != other[part]["kernel"]).all()
    assert 0.01 < first[part]["kernel"].std() < 0.03


@pytest.mark.parametrize("family", FAMILIES)
def test_another_number_of_outputs_keeps_all_but_the_last_layer(family):
    folder = REFERENCES / family / "classification"
    stored, other = load(folder, "classifier"), load(folder, "classifier", outputs=5)
    assert other.fresh == ("head.output",)
    assert other.params["head"]["output"]["kernel"].shape == (24, 5)
    assert_same_trees(other.params["head"]["pooler"], stored.params["head"]["pooler"])


def test_a_pooler_without_a_classifier_is_kept(folder):
    pooler = {
        f"bert.pooler.dense.{leaf}": np.full(shape, 0.5, np.float32) for leaf, shape in (("weight", (24, 24)), ("bias", 24))
    }
    edit_tensors(folder, lambda tensors: {**tensors, **pooler})
    loaded = load(folder, "classifier", outputs=2)
    assert loaded.fresh == ("head.output",)
    assert (loaded.params["head"]["pooler"]["kernel"] == 0.5).all()


def test_a_whole_random_model_is_a_function_of_the_seed():
    config = load(REFERENCES / "bert" / "masked_lm").config
    first, again, other = (initialise(config, "masked_lm", seed=seed) for seed in (0, 0, 1))
    assert_same_trees(first.params, again.params)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert first.fresh == ("encoder", "head")
    assert first.definition == load(REFERENCES / "bert" / "masked_lm", "masked_lm").definition
    assert np.isfinite(logits(first, reference("bert", "masked_lm"))).all()


def test_fingerprint_names_the_weights_and_the_configuration(folder):
    original = load(REFERENCES / "bert" / "masked_lm").fingerprint
    assert load(folder, "classifier", outputs=2, seed=3).fingerprint == original
    assert load(folder, compute_dtype="bfloat16").fingerprint != original
    edit_tensors(folder, lambda tensors: {**tensors, "cls.predictions.bias": tensors["cls.predictions.bias"] + 1})
    assert load(folder).fingerprint != original


# What is refused.


@pytest.mark.parametrize("file", ["pytorch_model.bin", "model.pt", "tf_model.h5", "flax_model.msgpack"])
def test_pickled_and_other_weights_are_refused_unread(folder, file):
    (folder / "model.safetensors").rename(folder / file)
    with pytest.raises(ValueError, match=rf"only as {file}; pickled weights .* safe_serialization=True"):
        load(folder)


def test_a_pickle_beside_safetensors_is_passed_over(folder):
    (folder / "pytorch_model.bin").write_bytes(b"no pickle")
    assert load(folder, "masked_lm").fresh == ()


def test_a_folder_without_weights_or_configuration_is_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"neither model.safetensors nor model.safetensors.index.json"):
        load(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ValueError, match=r"has no config.json"):
        load(folder)


def test_a_file_in_place_of_a_folder_is_refused(folder):
    with pytest.raises(ValueError, match=r"is a file. Give the folder"):
        load(folder / "model.safetensors")


def test_another_family_is_refused_by_name(folder):
    edit_json(folder / "config.json", model_type="electra")
    with pytest.raises(ValueError, match="'electra', and the supported are bert, camembert, distilbert, gpt2"):
        load(folder)


def test_weights_of_another_architecture_are_refused(folder):
    shutil.copy(REFERENCES / "distilbert" / "masked_lm" / "model.safetensors", folder)
    with pytest.raises(ValueError, match=r"says bert, and none of the 37 tensors of such a model .* of another architecture"):
        load(folder)


def test_a_missing_tensor_of_the_body_is_named(folder):
    gone = "bert.encoder.layer.1.output.dense.bias"
    edit_tensors(folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if name != gone})
    with pytest.raises(ValueError, match=f"lacks 1 of the 37 tensors of a bert: {gone}"):
        load(folder)


def test_a_part_of_a_head_is_refused_and_not_made_up(folder):
    edit_tensors(folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if name != "cls.predictions.bias"})
    with pytest.raises(ValueError, match=r"only a part of its masked_lm head: it lacks cls.predictions.bias"):
        load(folder, "masked_lm")


def test_layers_that_the_configuration_does_not_know_are_refused(folder):
    edit_json(folder / "config.json", num_hidden_layers=1)
    with pytest.raises(ValueError, match=r"16 tensors that a bert of 1 layers .* has no place for"):
        load(folder)


def test_a_wrong_shape_is_named_with_both(folder):
    edit_json(folder / "config.json", intermediate_size=41)
    with pytest.raises(ValueError, match=r"6 tensors .*intermediate.dense.bias is \[40\] and should be \[41\]"):
        load(folder)


def test_a_truncated_file_is_refused(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"\(\d+ bytes\) is damaged or not whole"):
        load(folder)


def test_a_pointer_in_place_of_weights_is_refused(folder):
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(ValueError, match="is damaged or not whole"):
        load(folder)


def test_a_missing_shard_and_a_missing_entry_are_refused(folder):
    shard(folder)
    index = folder / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    edit_json(index, weight_map={**content["weight_map"], "bert.extra": "model-00001-of-00002.safetensors"})
    with pytest.raises(ValueError, match=r"1 tensors named in .* not in the file that it names, first 'bert.extra'"):
        load(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ValueError, match=r"model-00002-of-00002.safetensors is missing"):
        load(folder)


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "has 1 of 97 values that are not finite"), (None, "cls.predictions.bias is stored as I8. Quantised")],
)
def test_numbers_that_are_no_weights_are_refused(folder, value, message):
    def change(tensors):
        bias = tensors["cls.predictions.bias"].copy()
        bias[5] = 0 if value is None else value
        return {**tensors, "cls.predictions.bias": bias.astype(np.int8) if value is None else bias}

    edit_tensors(folder, change)
    with pytest.raises(ValueError, match=message):
        load(folder, "masked_lm")


@pytest.mark.parametrize("tied", [True, False, None])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_masked_lm_head_apart_from_the_embeddings_is_refused_for_a_masked_lm_alone(family, tied, tmp_path):
    folder = shutil.copytree(REFERENCES / family / "masked_lm", tmp_path / "model")
    content = {key: value for key, value in json.loads((folder / "config.json").read_text()).items() if "tie_" not in key}
    (folder / "config.json").write_text(json.dumps(content if tied is None else {**content, "tie_word_embeddings": tied}))
    head, words = FAMILY_NAMES[family].output, f"{family}.embeddings.word_embeddings.weight"
    if tied is False:
        with pytest.raises(ValueError, match=f"tie_word_embeddings false, and there is no {head}"):
            load(folder, "masked_lm")
    edit_tensors(folder, lambda tensors: {**tensors, head: tensors[words]})
    assert load(folder, "masked_lm").fresh == ()
    edit_tensors(folder, lambda tensors: {**tensors, head: np.nextafter(tensors[words], np.float32(9))})
    with pytest.raises(ValueError, match=f"{head} apart from {words}, and only masked-LM heads that share the two"):
        load(folder, "masked_lm")
    kept = load_file(save(tmp_path / "kept", load(folder)) / "model.safetensors")
    assert (kept[head] == load_file(folder / "model.safetensors")[head]).all()


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_a_bias_of_the_words_that_is_stored_twice_has_to_be_one(family, tmp_path):
    folder = shutil.copytree(REFERENCES / family / "masked_lm", tmp_path / "model")
    other, bias = FAMILY_NAMES[family].output_bias, {"bert": "cls.predictions.bias", "roberta": "lm_head.bias"}[family]
    edit_tensors(folder, lambda tensors: {**tensors, other: tensors[bias] + 1})
    with pytest.raises(ValueError, match=f"{other} apart from {bias}"):
        load(folder, "masked_lm")


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_head_shares_is_read_from_either_name(family, tmp_path):
    folder, source = tmp_path / "model", REFERENCES / family / "masked_lm"
    shutil.copytree(source, folder)
    words, bias = f"{family}.embeddings.word_embeddings.weight", {"bert": "cls.predictions.bias", "roberta": "lm_head.bias"}
    other = {words: FAMILY_NAMES[family].output}
    if family in bias:
        other[bias[family]] = FAMILY_NAMES[family].output_bias
    rename(folder, lambda name: other.get(name, name))
    assert_same_trees(load(folder, "masked_lm").params, load(source, "masked_lm").params)
    assert load(save(tmp_path / "kept", load(folder)), "masked_lm").fresh == ()


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_names_of_wrapped_models_are_those_of_the_model(family, wrapper, tmp_path):
    folder, source = tmp_path / "model", REFERENCES / family / "masked_lm"
    shutil.copytree(source, folder)
    rename(folder, lambda name: wrapper + name)
    assert_same_trees(load(folder, "masked_lm").params, load(source, "masked_lm").params)
    edit_tensors(folder, lambda tensors: {**tensors, **load_file(source / "model.safetensors")})
    with pytest.raises(ValueError, match=r"has both .* which are the same tensor"):
        load(folder)


def test_damaged_json_is_refused(folder):
    (folder / "config.json").write_text('{"model_type": ')
    with pytest.raises(ValueError, match=r"config.json is no JSON"):
        load(folder)
    (folder / "config.json").write_text("[]")
    with pytest.raises(ValueError, match="holds a list and not a JSON object"):
        load(folder)


def test_unknown_heads_and_missing_outputs_are_refused(folder):
    with pytest.raises(ValueError, match="A bert has no head 'mlm'; there are None, masked_lm, classifier"):
        load(folder, "mlm")
    with pytest.raises(ValueError, match="no classifier to take the number of outputs from"):
        load(folder, "classifier")
    with pytest.raises(ValueError, match="outputs is 0"):
        load(folder, "classifier", outputs=0)


# The hub, without a network.


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def test_a_hub_name_is_taken_from_the_cache(hub, folder):
    model = hub / "models--somebody--tiny"
    shutil.copytree(folder, model / "snapshots" / ("0" * 40))
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("0" * 40)
    assert folder_of("somebody/tiny") == model / "snapshots" / ("0" * 40)
    assert load("somebody/tiny", "masked_lm").fresh == ()


@pytest.mark.parametrize("source", ["somebody/absent", "./no/such/folder", "/no/such/folder"])
def test_what_is_neither_here_nor_on_the_hub_is_refused_in_a_sentence(hub, source):
    with pytest.raises(ValueError, match=f"'{source}' is neither a folder here nor a model that the Hugging Face hub gave"):
        load(source)


def test_other_words_of_the_tokeniser_are_another_model_even_at_the_same_size_and_time(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    before = load(folder).fingerprint, fingerprint_of(folder)
    path = folder / "tokenizer.json"
    state = path.stat()
    path.write_text(path.read_text().replace('"wave"', '"vane"'))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    after = load(folder).fingerprint, fingerprint_of(folder)
    assert path.stat().st_size == state.st_size
    assert before[0] != after[0] and before[1] != after[1]
