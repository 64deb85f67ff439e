import pytest

from gotd_jax.models.packaged import model_folder


def test_unknown_names_list_the_packaged_models():
    with pytest.raises(ValueError, match=r"no packaged model 'x'\. There are: all-MiniLM-L6-v2"):
        model_folder("x")


def test_the_packaged_model_has_the_files_that_a_model_folder_needs():
    names = {path.name for path in model_folder("all-MiniLM-L6-v2").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"} <= names
