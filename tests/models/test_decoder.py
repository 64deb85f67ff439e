"""Causal language models: against stored logits of PyTorch, and by what must hold of any."""

import dataclasses
import functools
import json
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from safetensors.numpy import load_file, save_file

from gotd_jax import models
from gotd_jax.models.config import RotaryScaling
from gotd_jax.models.config_json import from_hf, to_hf
from gotd_jax.models.weight_names import FAMILY_NAMES
from tests.models.helpers import assert_same_trees, edit_json

REFERENCES = Path(__file__).parent / "decoder_references"
ENCODER = Path(__file__).parent / "references" / "bert" / "masked_lm"
FAMILIES = ("gpt2", "gpt_neo", "llama")

PUBLISHED = {  # configurations as published, and their parameters
    "gpt2": ({"model_type": "gpt2", "vocab_size": 50257, "n_embd": 768, "n_layer": 12, "n_head": 12}, 124_439_808),
    "gpt2-xl": ({"model_type": "gpt2", "vocab_size": 50257, "n_embd": 1600, "n_layer": 48, "n_head": 25}, 1_557_611_200),
    "gpt-neo-2.7B": (
        {
            "model_type": "gpt_neo",
            "vocab_size": 50257,
            "hidden_size": 2560,
            "num_layers": 32,
            "num_heads": 20,
            "attention_types": [[["global", "local"], 16]],
        },
        2_651_307_520,
    ),
    "SmolLM2-135M": (
        {
            "model_type": "llama",
            "vocab_size": 49152,
            "hidden_size": 576,
            "intermediate_size": 1536,
            "num_hidden_layers": 30,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
            "tie_word_embeddings": True,
        },
        134_515_008,
    ),
}


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param


@functools.partial(jax.jit, static_argnums=0)
def _logits(definition, params, ids, mask):
    return nnx.merge(definition, params)(ids, mask)


def logits(loaded, ids, mask):
    return np.asarray(_logits(loaded.definition, loaded.params, ids, mask))


@pytest.mark.parametrize("side", ["left", "right"])
def test_logits_equal_pytorch(family, side):
    loaded = models.load(REFERENCES / family)
    with np.load(REFERENCES / family / f"{side}.npz") as stored:
        found = logits(loaded, stored["ids"], stored["mask"])
        np.testing.assert_allclose(found[stored["mask"]], stored["logits"][stored["mask"]], atol=1e-4)


def test_padding_on_either_side_changes_nothing(family):
    loaded = models.load(REFERENCES / family)
    ids = np.random.default_rng(0).integers(5, 89, (2, 9)).astype(np.int32)
    alone = logits(loaded, ids, np.ones_like(ids, bool))
    rounding = 16 * np.finfo(np.float32).eps * np.abs(alone).max()  # products of another height add up in another order
    for left, right in ((3, 0), (0, 3), (1, 2)):
        padded = np.pad(ids, ((0, 0), (left, right)))
        mask = np.pad(np.ones_like(ids, bool), ((0, 0), (left, right)))
        np.testing.assert_allclose(logits(loaded, padded, mask)[:, left : left + 9], alone, rtol=0, atol=rounding)


def test_a_token_never_depends_on_later_ones(family):
    loaded = models.load(REFERENCES / family)
    ids = np.random.default_rng(0).integers(5, 89, (1, 12)).astype(np.int32)
    changed = ids.copy()
    changed[:, 8:] = (changed[:, 8:] + 7) % 80
    mask = np.ones_like(ids, bool)
    before, after = logits(loaded, ids, mask), logits(loaded, changed, mask)
    np.testing.assert_allclose(before[:, :8], after[:, :8], atol=1e-6)
    assert np.abs(before[:, 8:] - after[:, 8:]).max() > 0.1


def test_a_cut_decoder_gives_the_states_of_one_whose_later_layers_add_nothing(family):
    model = models.load(REFERENCES / family)
    batch = jnp.arange(5, 17).reshape(2, 6), jnp.ones((2, 6), bool)
    params = jax.tree.map(lambda leaf: leaf, model.params)
    states = [nnx.merge(model.definition, params).decoder(*batch)[0]]
    for count in reversed(range(model.config.layers)):
        layer = params["decoder"]["layers"][count]
        layer["attention"]["output"], layer["mlp"]["contract"] = (
            jax.tree.map(jnp.zeros_like, part) for part in (layer["attention"]["output"], layer["mlp"]["contract"])
        )
        states.append(nnx.merge(model.definition, params).decoder(*batch)[0])
        cut = model.cut(count)
        np.testing.assert_allclose(nnx.merge(cut.definition, cut.params).decoder(*batch)[0], states[-1], atol=1e-6)
        assert np.abs(states[-1] - states[-2]).max() > 1e-3


def test_local_attention_reaches_back_as_far_as_its_window():
    content = json.loads((REFERENCES / "gpt_neo" / "config.json").read_text())
    edit = {"attention_types": [[["local"], 1]], "num_layers": 1, "attention_layers": None, "window_size": 5}
    loaded = models.initialise(dataclasses.replace(from_hf({**content, **edit}), initializer_range=0.5))
    ids = np.random.default_rng(0).integers(5, 89, (1, 12)).astype(np.int32)
    changed = ids.copy()
    changed[0, 3] += 1
    moved = np.abs(logits(loaded, ids, np.ones_like(ids, bool)) - logits(loaded, changed, np.ones_like(ids, bool))).max(-1)[0]
    assert (moved[3:8] > 1e-6).all()
    assert (moved[8:] == 0).all()


def test_blocks_of_positions_see_what_the_whole_sees(family, monkeypatch):
    loaded = models.load(REFERENCES / family)
    with np.load(REFERENCES / family / "left.npz") as stored:
        ids, mask = stored["ids"], stored["mask"]
    whole = logits(loaded, ids, mask)
    monkeypatch.setattr("gotd_jax.models.decoder.QUERY_BLOCK", 5)
    in_blocks = nnx.merge(loaded.definition, loaded.params)(ids, mask)  # not jitted: what is compiled is kept
    np.testing.assert_allclose(np.asarray(in_blocks)[mask], whole[mask], atol=5e-5)


def test_reading_with_a_cache_equals_reading_at_once(family):
    loaded = models.load(REFERENCES / family)
    with np.load(REFERENCES / family / "left.npz") as stored:
        ids, mask = stored["ids"], stored["mask"]

    @jax.jit
    def read(params, ids, mask, cache):
        model = nnx.merge(loaded.definition, params)
        hidden, cache = model.decoder(ids, mask, cache, room=20 - ids.shape[1])
        return model.logits(hidden), cache

    cache, found, start = None, [], 0
    for length in (4, 1, 1, 6):
        part = slice(start, start + length)
        piece, cache = read(loaded.params, ids[:, part], mask[:, part], cache)
        found.append(np.asarray(piece))
        start += length
    np.testing.assert_allclose(np.concatenate(found, axis=1)[mask], logits(loaded, ids, mask)[mask], atol=5e-5)
    assert int(cache.filled) == 12


def test_published_sizes_have_their_parameters_by_shape_alone():
    for name, (content, count) in PUBLISHED.items():
        _, tree = models.blueprint(from_hf(content))
        assert sum(leaf.size for leaf in jax.tree.leaves(tree)) == count, name


def test_a_published_size_is_laid_out_by_shape_alone():
    config = from_hf(PUBLISHED["gpt2"][0])
    definition, tree = models.blueprint(config)
    batch = jax.ShapeDtypeStruct((2, 16), jnp.int32), jax.ShapeDtypeStruct((2, 16), jnp.bool_)
    found = jax.eval_shape(lambda params, *batch: nnx.merge(definition, params)(*batch), tree, *batch)
    assert found.shape == (2, 16, config.vocab_size)


def test_bfloat16_products_are_near(family):
    exact, fast = (models.load(REFERENCES / family, compute_dtype=dtype) for dtype in ("float32", "bfloat16"))
    ids = np.random.default_rng(0).integers(5, 89, (2, 9)).astype(np.int32)
    one, other = (logits(loaded, ids, np.ones_like(ids, bool)) for loaded in (exact, fast))
    assert 0 < np.abs(one - other).max() < 0.1 * np.abs(one).max()


def test_saved_model_is_the_same_and_has_the_published_tensors(family, tmp_path):
    loaded = models.load(REFERENCES / family)
    models.save(tmp_path / "saved", loaded)
    again = models.load(tmp_path / "saved")
    assert_same_trees(again.params, loaded.params)
    assert again.config == loaded.config
    published, written = (load_file(folder / "model.safetensors") for folder in (REFERENCES / family, tmp_path / "saved"))
    assert {name: tensor.shape for name, tensor in published.items()} == {
        name: tensor.shape for name, tensor in written.items()
    }


def test_fresh_model_is_saved_with_a_configuration_that_describes_it(family, tmp_path):
    config = models.load(REFERENCES / family).config
    loaded = models.initialise(config, seed=3)
    models.save(tmp_path / "saved", loaded)
    assert models.load(tmp_path / "saved").config == config
    assert from_hf(to_hf(config)) == config


def test_wider_texts_than_the_model_has_positions_for_are_refused(family):
    loaded = models.load(REFERENCES / family)
    ids = np.zeros((1, 65), np.int32)
    with pytest.raises(ValueError, match=r"65 tokens .* positions for 64"):
        logits(loaded, ids, np.ones_like(ids, bool))


@pytest.fixture
def copied(family, tmp_path):
    shutil.copytree(REFERENCES / family, tmp_path / "model")
    return tmp_path / "model"


def test_missing_and_foreign_tensors_and_other_shapes_are_named(copied):
    weights = load_file(copied / "model.safetensors")
    names = sorted(weights)
    save_file({name: weights[name] for name in names[1:]}, copied / "model.safetensors")
    with pytest.raises(ValueError, match=rf"lacks 1 of .* {names[0]}"):
        models.load(copied)
    body = next(name for name in names if name.startswith(("transformer.h.0", "model.layers.0")))
    save_file(weights | {body.replace(".0.", ".9."): weights[body]}, copied / "model.safetensors")
    with pytest.raises(ValueError, match=r"has 1 tensors that .* no place for"):
        models.load(copied)
    save_file(weights | {body: weights[body][..., :-1].copy()}, copied / "model.safetensors")
    with pytest.raises(ValueError, match=rf"1 tensors in .* other shapes .*{body}"):
        models.load(copied)
    save_file({"other": np.zeros(3, np.float32)}, copied / "model.safetensors")
    with pytest.raises(ValueError, match="weights of another architecture"):
        models.load(copied)


def edit_tensors(folder, change):
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors")


def words_of(family):
    names = FAMILY_NAMES[family]
    return names.prefix + names.words


def with_head(folder, family, change, tied):
    """The folder with a head that is a change of its word embeddings, and what its configuration says of the two."""
    edit_json(folder / "config.json", tie_word_embeddings=tied)
    edit_tensors(folder, lambda tensors: {**tensors, "lm_head.weight": change(tensors[words_of(family)])})
    return folder


IDS = np.random.default_rng(0).integers(5, 89, (2, 9)).astype(np.int32)


def test_a_stored_head_that_is_not_the_embeddings_is_used_with_a_word(copied, family, tmp_path, capsys):
    untied = with_head(shutil.copytree(copied, tmp_path / "untied"), family, lambda words: words[::-1].copy(), tied=False)
    mask = np.ones_like(IDS, bool)
    expected = logits(models.load(untied), IDS, mask)
    assert capsys.readouterr().err == ""
    loaded = models.load(with_head(copied, family, lambda words: words[::-1].copy(), tied=True))
    assert "a lm_head.weight of its own, although its config.json ties it" in capsys.readouterr().err
    np.testing.assert_array_equal(logits(loaded, IDS, mask), expected)
    assert not loaded.config.tied
    saved = models.save(tmp_path / "saved", loaded)
    assert json.loads((saved / "config.json").read_text())["tie_word_embeddings"] is False
    np.testing.assert_array_equal(logits(models.load(saved), IDS, mask), expected)


def test_a_stored_head_that_is_the_embeddings_is_one_parameter_with_them(copied, family, capsys):
    loaded = models.load(with_head(copied, family, lambda words: words.copy(), tied=True))
    assert loaded.config.tied and "head" not in loaded.params and capsys.readouterr().err == ""


def test_a_head_of_another_shape_is_refused(copied, family):
    with_head(copied, family, lambda words: words[:-1].copy(), tied=True)
    with pytest.raises(ValueError, match=r"lm_head.weight is \[88, 24\] and should be \[89, 24\]"):
        models.load(copied)


def test_an_untied_model_without_a_head_is_refused(copied, family):
    edit_json(copied / "config.json", tie_word_embeddings=False)
    edit_tensors(copied, lambda tensors: {name: one for name, one in tensors.items() if name != "lm_head.weight"})
    with pytest.raises(ValueError, match=r"lacks 1 of .* lm_head.weight"):
        models.load(copied)


def test_tied_embeddings_are_read_where_the_head_alone_is_stored(copied, family):
    tied = with_head(copied, family, lambda words: words.copy(), tied=True)
    expected = models.load(tied).params
    words = words_of(family)
    edit_tensors(copied, lambda tensors: {name: one for name, one in tensors.items() if name != words})
    assert_same_trees(models.load(copied).params, expected)
    edit_json(copied / "config.json", tie_word_embeddings=False)
    with pytest.raises(ValueError, match=f"lacks 1 of .* {words}"):
        models.load(copied)


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_the_names_of_wrapped_models_are_those_of_the_model(copied, family, wrapper):
    edit_tensors(copied, lambda tensors: {wrapper + name: one for name, one in tensors.items()})
    assert_same_trees(models.load(copied).params, models.load(REFERENCES / family).params)


def test_writing_ends_where_the_settings_of_generation_say_and_training_parts_texts_as_before(copied, family, tmp_path):
    before = models.load(copied).config
    edit_json(copied / "generation_config.json", eos_token_id=[3, 7])
    loaded = models.load(copied)
    assert (loaded.config.stop_ids, loaded.config.end_ids) == ((3, 7), before.end_ids)
    assert models.load(models.save(tmp_path / "saved", loaded)).config == loaded.config
    edit_json(copied / "generation_config.json", eos_token_id=None)
    assert models.load(copied).config == before
    edit_json(copied / "generation_config.json", eos_token_id="</s>")
    with pytest.raises(ValueError, match=r"generation_config.json does not say .* eos_token_id is '</s>'"):
        models.load(copied)


LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}


def llama(**changes):
    content = json.loads((REFERENCES / "llama" / "config.json").read_text())
    del content["rope_parameters"]
    return from_hf({**content, **changes})


def test_rotary_positions_are_the_same_under_older_and_newer_keys():
    newer = llama(rope_parameters={**LLAMA3, "rope_theta": 5e5})
    assert newer.rotary_base == 5e5 and newer.rotary_scaling == RotaryScaling(8.0, 1.0, 4.0, 32)
    oldest = {"type" if key == "rope_type" else key: value for key, value in LLAMA3.items()}
    assert llama(rope_scaling=LLAMA3, rope_theta=500_000) == newer
    assert llama(rope_scaling=oldest, rope_theta=5e5, rope_parameters=None) == newer
    assert llama(rope_scaling=None, rope_theta=5e5).rotary_scaling is None
    assert llama(rope_scaling=None).rotary_base == 10_000.0


def test_settings_that_are_missing_wrong_or_unread_are_refused_by_name(subtests):
    cases = [
        *(({"rope_scaling": {**LLAMA3, key: None}}, f"rope_scaling is of .* lacks '{key}'") for key in [*LLAMA3][1:]),
        ({"rope_parameters": {**LLAMA3, "factor": "8"}}, "factor is '8', and should be a number"),
        ({"rope_parameters": {**LLAMA3, "high_freq_factor": 0.5}}, "high_freq_factor 0.5"),
        ({"rope_scaling": {"type": "linear", "factor": 2}}, "type 'linear' in rope_scaling"),
        ({"rope_scaling": {"factor": 2}}, "rope_scaling has 'factor', which .* 'default' do not read"),
        ({"rope_scaling": LLAMA3, "rope_parameters": {**LLAMA3, "factor": 4.0}}, "factor is 8.0 in rope_scaling and 4.0 in"),
        ({"rope_parameters": {"full_attention": LLAMA3}}, "of its own for 'full_attention'"),
        ({"rope_parameters": [1]}, "should be an object"),
        ({"rope_theta": "5e5"}, "rope_theta is '5e5'"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor is 0.5"),
        ({"hidden_size": "24"}, "hidden_size is '24', and should be a whole number"),
        ({"eos_token_id": [2, "</s>"]}, "eos_token_id is"),
        ({"quantization_config": {"quant_method": "fp8"}}, "quantised weights are not supported"),
    ]
    for changes, message in cases:
        with subtests.test(changes=changes), pytest.raises(ValueError, match=message):
            llama(**changes)


def test_the_file_that_lacks_a_setting_is_named(tmp_path):
    folder = shutil.copytree(REFERENCES / "llama", tmp_path / "model")
    edit_json(folder / "config.json", rope_parameters={**LLAMA3, "high_freq_factor": None})
    with pytest.raises(ValueError, match=r"model/config.json does not .* lacks 'high_freq_factor'"):
        models.load(folder)


def test_truncated_weights_are_refused(copied):
    content = (copied / "model.safetensors").read_bytes()
    (copied / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="damaged or not whole"):
        models.load(copied)


@pytest.mark.parametrize(
    ("family", "change", "message"),
    [
        ("gpt2", {"model_type": "bloom"}, "model_type is 'bloom'.*gpt2, gpt_neo, llama"),
        ("gpt2", {"n_embd": None}, "lacks 'n_embd'"),
        ("gpt2", {"n_head": 5}, "5 attention heads do not divide"),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True"),
        ("gpt2", {"activation_function": "swish9"}, "activation is 'swish9'"),
        ("gpt_neo", {"attention_layers": None, "attention_types": [[["global", "sparse"], 2]]}, "sparse"),
        ("gpt_neo", {"attention_layers": None, "attention_types": [[["global"], 3]]}, "3 attention types for 4 layers"),
        ("llama", {"num_key_value_heads": 4}, "4 heads of keys do not divide 6"),
        ("llama", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1.0}}, "type 'yarn'"),
    ],
)
def test_variants_that_are_not_implemented_are_refused(copied, change, message):
    edit_json(copied / "config.json", **change)
    with pytest.raises(ValueError, match=message):
        models.load(copied)


@pytest.mark.parametrize(
    ("folder", "head", "message"),
    [
        (REFERENCES / "gpt2", "masked_lm", "A gpt2 has no head 'masked_lm'; there are None, causal_lm"),
        (REFERENCES / "gpt2", "classifier", "A gpt2 has no head 'classifier'"),
        (ENCODER, "causal_lm", "A bert has no head 'causal_lm'; there are None, masked_lm, classifier"),
    ],
)
def test_a_head_of_another_architecture_is_refused(folder, head, message):
    with pytest.raises(ValueError, match=message):
        models.load(folder, head)


def test_tensors_of_other_heads_stay_with_a_decoder(copied, tmp_path):
    score = np.ones((2, 24), np.float32)
    edit_tensors(copied, lambda tensors: {**tensors, "score.weight": score})
    saved = models.save(tmp_path / "saved", models.load(copied))
    np.testing.assert_array_equal(load_file(saved / "model.safetensors")["score.weight"], score)
