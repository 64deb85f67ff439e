import pytest

from gotd_jax.models.packaged import model_folder


def test_the_packaged_model_has_what_a_model_folder_needs():
    names = {path.name for path in model_folder("all-MiniLM-L6-v2").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"} <= names


def test_an_unknown_name_lists_the_packaged_models():
    with pytest.raises(ValueError, match=r"no packaged model 'x'\. There are: all-MiniLM-L6-v2"):
        model_folder("x")
