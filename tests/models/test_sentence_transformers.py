"""What a sentence-transformers folder says is done, or refused with its name."""

import json
import shutil

import numpy as np
import pytest

from gotd_jax import models
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import load_tokenizer, tokenise
from gotd_jax.models import sentence_transformers
from gotd_jax.models.embedding import embed
from gotd_jax.models.sentence_transformers import instructions
from tests.models.helpers import edit_json
from tests.models.sentence_models import sentence_model, write_json

TRANSFORMER = "sentence_transformers.models.Transformer"
POOLING = "sentence_transformers.models.Pooling"
NORMALIZE = "sentence_transformers.models.Normalize"


@pytest.mark.parametrize(
    ("config", "pooling"),
    [
        ({"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False}, "mean"),
        ({"word_embedding_dimension": 32, "pooling_mode_mean_tokens": False, "pooling_mode_lasttoken": True}, "last"),
        ({"pooling_mode_weightedmean_tokens": True}, "position"),
        ({"embedding_dimension": 32, "pooling_mode": "cls", "include_prompt": True}, "cls"),
        ({"embedding_dimension": 32, "pooling_mode": ["lasttoken"]}, "last"),
        ({"word_embedding_dimension": 32}, "mean"),
    ],
)
def test_pooling_is_read_from_old_and_new_files(tiny_model, tmp_path, config, pooling):
    folder = sentence_model(tiny_model, tmp_path / "model", pooling=config)
    assert instructions(folder) == sentence_transformers.Instructions(pooling, False, 64, "")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"pooling_mode_max_tokens": True}, "pools by max"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, "pools by mean and cls"),
        ({"pooling_mode": ["mean", "max"]}, "pools by mean and max"),
        ({"pooling_mode_mean_tokens": False}, "pools by nothing"),
        ({"pooling_mode": "mean", "heads": 4}, "says heads 4"),
    ],
)
def test_a_pooling_that_is_not_there_is_refused_by_name_and_one_that_is_asked_for_is_taken(tiny_model, tmp_path, config, said):
    folder = sentence_model(tiny_model, tmp_path / "model", pooling=config)
    with pytest.raises(ValueError, match=said):
        instructions(folder)
    assert instructions(folder, pooling="last").pooling == "last"


@pytest.mark.parametrize(
    ("types", "said"),
    [
        ((TRANSFORMER, POOLING, "sentence_transformers.models.Dense", NORMALIZE), "Transformer, Pooling, Dense, Normalize"),
        ((TRANSFORMER,), "asks for Transformer;"),
        ((TRANSFORMER, NORMALIZE, POOLING), "Transformer, Normalize, Pooling"),
        (("custom_code.Transformer", POOLING), "custom_code.Transformer"),
    ],
)
def test_other_modules_are_refused_by_name(tiny_model, tmp_path, types, said):
    folder = sentence_model(tiny_model, tmp_path / "model", types=types)
    with pytest.raises(ValueError, match=said):
        instructions(folder)


def test_names_of_classes_since_version_5_are_known(tiny_model, tmp_path):
    types = (
        "sentence_transformers.base.modules.transformer.Transformer",
        "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
        "sentence_transformers.sentence_transformer.modules.normalize.Normalize",
    )
    assert instructions(sentence_model(tiny_model, tmp_path / "model", types=types)).normalise


def test_a_pooling_without_modules_is_refused(tiny_model, tmp_path):
    folder = sentence_model(tiny_model, tmp_path / "model")
    (folder / "modules.json").unlink()
    with pytest.raises(ValueError, match=r"1_Pooling and no modules\.json"):
        instructions(folder)


def test_a_folder_that_says_nothing_is_a_plain_mean(tiny_model):
    assert instructions(tiny_model) == sentence_transformers.Instructions("mean", False, None, "")


def test_what_is_asked_for_stands_over_what_the_folder_says(tiny_model, tmp_path):
    folder = sentence_model(tiny_model, tmp_path / "model", types=(TRANSFORMER, POOLING, NORMALIZE))
    assert instructions(folder) == sentence_transformers.Instructions("mean", True, 64, "")
    assert instructions(folder, pooling="cls", normalise=False) == sentence_transformers.Instructions("cls", False, 64, "")


def test_length_is_the_folders_then_the_tokenisers_then_256_and_never_more_than_the_model_reads(tiny_model, tmp_path):
    folder = sentence_model(tiny_model, tmp_path / "model")
    model = models.load(folder)
    assert sentence_transformers.instructions_for(model).max_length == 64
    assert sentence_transformers.instructions_for(model, max_length=16).max_length == 16
    edit_json(folder / "sentence_bert_config.json", max_seq_length=None)
    edit_json(folder / "tokenizer_config.json", model_max_length=100)
    assert sentence_transformers.instructions_for(model).max_length == 100
    assert sentence_transformers.instructions_for(models.load(tiny_model)).max_length == 128  # the positions that the model has
    edit_json(folder / "sentence_bert_config.json", max_seq_length=0)
    with pytest.raises(ValueError, match="0 tokens of a text"):
        sentence_transformers.instructions_for(model)


def test_a_default_prompt_is_found_and_one_that_is_missing_refused(tiny_model, tmp_path):
    folder = sentence_model(tiny_model, tmp_path / "model")
    prompts = {"query": "good ", "document": "bad "}
    write_json(folder / "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": None})
    assert instructions(folder).prompt == ""
    edit_json(folder / "config_sentence_transformers.json", default_prompt_name="document")
    assert instructions(folder).prompt == "bad "
    edit_json(folder / "1_Pooling/config.json", include_prompt=False)
    with pytest.raises(ValueError, match="leaves the prompt out"):
        instructions(folder)
    edit_json(folder / "config_sentence_transformers.json", default_prompt_name="passage")
    with pytest.raises(ValueError, match="no prompt 'passage'"):
        instructions(folder)
    write_json(folder / "config_sentence_transformers.json", {"truncate_dim": 16})
    with pytest.raises(ValueError, match="keeps 16 dimensions"):
        instructions(folder)


def test_a_setting_of_the_transformer_that_is_not_followed_is_refused(tiny_model, tmp_path):
    folder = sentence_model(tiny_model, tmp_path / "model")
    edit_json(
        folder / "sentence_bert_config.json", transformer_task="feature-extraction", module_output_name="token_embeddings"
    )
    assert instructions(folder).pooling == "mean"
    edit_json(folder / "sentence_bert_config.json", transformer_task="fill-mask")
    with pytest.raises(ValueError, match="set to transformer_task 'fill-mask'"):
        instructions(folder)


def test_a_transformer_in_a_folder_of_its_own_is_found_from_above_and_followed_from_within(tiny_model, tmp_path):
    root = tmp_path / "model"
    inside = sentence_model(tiny_model, root / "0_Transformer")
    for name in ("modules.json", "1_Pooling"):
        (inside / name).rename(root / name)
    edit_json(root / "1_Pooling/config.json", pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    modules = json.loads((root / "modules.json").read_text())
    modules[0]["path"] = "0_Transformer"
    write_json(root / "modules.json", modules)
    for given in (root, inside):
        model = models.load(given)
        assert model.source == inside
        assert sentence_transformers.instructions_for(model).pooling == "cls"
        assert sentence_transformers.instructions_for(model).max_length == 64


def test_lower_case_is_that_of_the_sentence_model(tmp_path, tiny_model):
    folder = sentence_model(tiny_model, tmp_path / "model")
    edit_json(folder / "tokenizer_config.json", do_lower_case=False)
    corpus = Corpus.from_texts(["Wave SHIP"])
    assert 1 in tokenise(load_tokenizer(folder), corpus, 16).ids  # unknown in capitals
    edit_json(folder / "sentence_bert_config.json", do_lower_case=True)
    lowered = tokenise(load_tokenizer(folder), corpus, 16).ids
    np.testing.assert_array_equal(lowered, tokenise(load_tokenizer(folder), Corpus.from_texts(["wave ship"]), 16).ids)
    assert 1 not in lowered


def test_another_tokeniser_beside_the_same_weights_is_not_served_the_old_embeddings(tmp_path, tiny_model):
    folder = sentence_model(tiny_model, tmp_path / "model")
    corpus = Corpus.from_texts(["wave ship " * 20])
    embed(corpus, models.load(folder), tmp_path / "e", max_length=8)
    edit_json(folder / "tokenizer_config.json", truncation_side="left")
    with pytest.raises(ValueError, match="model was"):
        embed(corpus, models.load(folder), tmp_path / "e", max_length=8)


def test_modules_that_cannot_be_followed_to_their_settings_are_refused(tiny_model, tmp_path):
    folder = sentence_model(tiny_model, tmp_path / "model")
    (folder / "1_Pooling/config.json").unlink()
    with pytest.raises(ValueError, match=r"1_Pooling/config\.json is missing, although modules\.json names its folder"):
        instructions(folder)
    for damaged in ('{"0": 1}', '[{"path": ""}]', "[1]", "["):
        (folder / "modules.json").write_text(damaged)
        with pytest.raises(ValueError, match=r"modules\.json is no list of modules with a path and a type each"):
            instructions(folder)


def test_a_length_is_a_whole_number_and_that_of_no_limit_is_none(tiny_model, tmp_path):
    folder = sentence_model(tiny_model, tmp_path / "model")
    edit_json(folder / "sentence_bert_config.json", max_seq_length=None)
    edit_json(folder / "tokenizer_config.json", model_max_length=10**30)  # as transformers writes that there is no limit
    assert instructions(folder).max_length is None
    edit_json(folder / "sentence_bert_config.json", max_seq_length=64.5)
    with pytest.raises(ValueError, match=r"64\.5 tokens of a text are read"):
        instructions(folder)


def test_a_model_in_the_folder_of_another_is_not_taken_for_a_module_of_it(tiny_model, tmp_path):
    outside = sentence_model(tiny_model, tmp_path / "model", pooling={"pooling_mode": "cls"})
    shutil.copytree(tiny_model, outside / "another")
    assert instructions(outside).pooling == "cls"
    assert instructions(outside / "another") == sentence_transformers.Instructions("mean", False, None, "")
