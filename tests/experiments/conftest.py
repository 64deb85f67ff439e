"""The config of a cell on tiny texts."""

import pytest

from configs import common
from experiments import cell, config_fields


@pytest.fixture
def config(tiny_model, texts):
    """Returns the config of a cell of 24 chunks out of 180, a tiny BERT and a task about food."""
    config = common.get_config()
    config.pool.domains = {name: str(texts / f"{name}.jsonl") for name in ("sea", "law", "food")}
    config.pool.characters = 80
    config.budget = 24
    config.task.name = "taste"
    config.task.train = str(texts / "train.jsonl")
    config.task.test = str(texts / "test.jsonl")
    config.embed.model = config.model = str(tiny_model)
    config.embed.finetuned = False
    config.embed.max_length = 32
    config.head.chunks = 32
    for recipe in (config.head.recipe, config.target_model, config.pre_finetune, config.finetune, config.embed.finetune):
        recipe.batch_size, recipe.max_length, recipe.epochs = 8, 32, 1
    return config


@pytest.fixture
def check_refused(config, tmp_path):
    """Returns a function that changes fields of the config, and asserts that its check refuses it, before any long work."""

    def check(change, message):
        with pytest.raises(ValueError, match=message):
            cell.check(config_fields.replaced(config, change), tmp_path)
        assert not (tmp_path / "embeddings").exists()

    return check
