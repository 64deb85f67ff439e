"""A tiny decoder with a tokeniser of real words, as a Hugging Face folder, and the config of a cell on tiny texts."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from configs import common
from gotd_jax.models import causal
from gotd_jax.models.decoder_families import from_hf
from tests.conftest import WORDS

RUDE = "idiot stupid damn shit fool".split()
TOPICS = "Business Entertainment Politics Sports Technology".split()  # the options of bbc_topics


@pytest.fixture(scope="session")
def tiny_decoder(tmp_path_factory):
    """Returns the folder of a GPT-2 of 1 layer and width 32 that knows `WORDS`, a few rude ones and the names of topics."""
    words = ["<end>", "<unk>", *RUDE, *TOPICS, *(word for group in WORDS.values() for word in group)]
    backend = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = tmp_path_factory.mktemp("decoder_tokenizer")
    PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", eos_token="<end>").save_pretrained(tokenizer)
    sizes = {"vocab_size": len(words), "n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 64, "eos_token_id": 0}
    model = causal.initialise(from_hf({"model_type": "gpt2", **sizes}), seed=0)
    return causal.save(tmp_path_factory.mktemp("decoders") / "tiny", model, tokenizer_from=tokenizer)


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
    for recipe in (config.head.recipe, config.loss_difference, config.pre_finetune, config.finetune, config.embed.finetune):
        recipe.batch_size, recipe.max_length, recipe.epochs = 8, 32, 1
    return config
