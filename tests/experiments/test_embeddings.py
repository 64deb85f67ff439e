"""How a config's texts become vectors: as it says, or as the folder of its model says where it asks for that."""

import numpy as np
import pytest

from experiments import cell, embeddings
from experiments.cell_data import CellData
from gotd_jax.data.corpus import Corpus
from tests.marks import others_slow
from tests.models.helpers import edit_json
from tests.models.sentence_models import TYPES, sentence_model


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A sentence model that takes the first token and normalises."""
    types = (*TYPES, "sentence_transformers.models.Normalize")
    folder = sentence_model(tiny_model, tmp_path / "model", types=types)
    edit_json(folder / "1_Pooling/config.json", pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    return folder


def test_a_config_says_how_texts_become_vectors_unless_it_asks_for_the_folder(config, folder, tmp_path):
    config.embed.model = str(folder)
    said = embeddings.embedder(config, tmp_path).how
    assert (said.pooling, said.normalise, said.max_length) == ("mean", False, 32)
    corpus = Corpus.from_texts(["the wave", "a ship in the harbour"])
    plain = np.array(CellData(config, tmp_path).embedded(corpus))
    config.embed.pooling, config.embed.normalise = "folder", "own"
    said = embeddings.embedder(config, tmp_path).how
    assert (said.pooling, said.normalise, said.max_length) == ("cls", True, 32)
    followed = CellData(config, tmp_path).embedded(corpus)
    np.testing.assert_allclose(np.linalg.norm(followed, axis=1), 1, atol=1e-5)
    assert np.linalg.norm(plain, axis=1).max() > 2
    edit_json(folder / "1_Pooling/config.json", pooling_mode_cls_token=False, pooling_mode_lasttoken=True)
    assert not np.allclose(CellData(config, tmp_path).embedded(corpus), followed)  # the folder now says something else


def test_another_tokeniser_makes_other_embeddings_of_the_same_config(config, folder, tmp_path):
    config.embed.model, config.embed.max_length = str(folder), 8
    corpus = Corpus.from_texts(["the wave and a ship in the harbour with salt"])
    before = CellData(config, tmp_path).embedded(corpus)
    edit_json(folder / "tokenizer_config.json", truncation_side="left")
    assert not np.allclose(CellData(config, tmp_path).embedded(corpus), before)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pooling": "max"}, "no pooling 'max'"),
        ({"dtype": "int8"}, "float32 or float16"),
        ({"normalise": "length"}, "no normalisation 'length'"),
        ({"pooling": "gradient", "gradient_size": 7}, "power of two"),
        ({"pooling": "gradient", "finetuned": True}, "has no loss of texts"),
    ],
)
def test_what_cannot_be_done_is_said_when_a_cell_is_checked(config, tmp_path, changes, said):
    config.embed.update(changes)
    with pytest.raises(ValueError, match=said):
        cell.check(config, tmp_path)


@pytest.mark.parametrize(
    "changes",
    others_slow(
        {"normalise": "whitened", "directions": 4},
        {"pooling": "gradient", "normalise": "unit", "gradient_layers": 1, "gradient_size": 32},
    ),
)
def test_a_cell_selects_on_vectors_that_take_its_candidates(config, tmp_path, changes):
    config.method, config.evaluation = "top_cosine", "selection"
    plain = cell.run(config, tmp_path)
    config.embed.update(changes)
    cell.check(config, tmp_path)
    found = cell.run(config, tmp_path)
    assert found["cell"] != plain["cell"] and found["scores"] != plain["scores"]
    assert set(found["read"]) == {"pool", "target"}
    config.pool.relevance.keep, config.pool.relevance.sample = 2, 20
    assert len(cell.run(config, tmp_path)["relevance"]["kept"]) == 2


def test_a_row_says_what_was_read_of_pool_and_target_where_they_were_embedded(config, tmp_path):
    config.method, config.embed.max_length, config.embed.dtype, config.evaluation = "top_cosine", 8, "float16", "selection"
    read = cell.run(config, tmp_path)["read"]
    assert read["pool"]["texts"] == len(CellData(config, tmp_path).pool) == read["pool"]["read_in_part"]
    assert read["pool"]["tokens"] - read["pool"]["tokens_not_read"] == 6 * read["pool"]["texts"]
    assert set(read) == {"pool", "target"} and read["target"]["unknown_tokens"] == 0
    config.method = "random"
    assert cell.run(config, tmp_path)["read"] == {}
