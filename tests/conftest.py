"""A tiny encoder and a tiny decoder with tokenisers of real words, as Hugging Face folders, and texts that use them."""

import json
import os

import numpy as np
import pytest
import tokenizers
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from transformers import BertTokenizerFast, PreTrainedTokenizerFast

from gotd_jax import devices, models
from gotd_jax.models.config import EncoderConfig
from gotd_jax.models.config_json import from_hf

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = {
    "sea": "wave ship harbour tide sail anchor gull salt storm island".split(),
    "law": "court judge ruling appeal statute counsel verdict bail clause witness".split(),
    "food": "bread butter onion pepper oven recipe flour sugar stew plate".split(),
    "all": "the a of and in was with from good bad new old is".split(),
}
RUDE = "idiot stupid damn shit fool".split()
TOPICS = "Business Entertainment Politics Sports Technology".split()  # the options of bbc_topics


def pytest_addoption(parser):
    """Adds the option that decides what the processor is taken for, so that a run is the same on every machine."""
    parser.addoption(
        "--matrix-units", choices=("yes", "no"), default="no", help="whether the CPU is taken for one with matrix units (AMX)"
    )


def pytest_configure(config):
    """Prepares the process, and those that tests start, as a command does: before anything is computed."""
    os.environ["GOTD_MATRIX_UNITS"] = config.getoption("--matrix-units")
    devices.prepare()


@pytest.fixture(params=["yes", "no"])
def matrix_units(request, monkeypatch):
    """Returns whether the processor is taken for one with matrix units; a test that asks for it runs with and without."""
    monkeypatch.setenv("GOTD_MATRIX_UNITS", request.param)
    return request.param == "yes"


def write_tokenizer(folder):
    """Writes a WordPiece tokeniser of `WORDS` into `folder`."""
    words = [*SPECIAL, *(word for group in WORDS.values() for word in group)]
    backend = Tokenizer(tokenizers.models.WordPiece({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    BertTokenizerFast(tokenizer_object=backend).save_pretrained(folder)
    return len(words)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Returns the folder of a BERT of 2 layers and width 32, without heads."""
    tokenizer = tmp_path_factory.mktemp("tokenizer")
    size = write_tokenizer(tokenizer)
    config = EncoderConfig(
        model_type="bert", vocab_size=size, width=32, layers=2, heads=2, mlp_width=64, max_positions=128, type_vocab_size=2
    )
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return models.save(folder, models.initialise(config, seed=0), tokenizer_from=tokenizer)


@pytest.fixture(scope="session")
def tiny_decoder(tmp_path_factory):
    """Returns the folder of a GPT-2 of 1 layer and width 32 that knows `WORDS`, a few rude ones and the names of topics."""
    words = ["<end>", "<unk>", *RUDE, *TOPICS, *(word for group in WORDS.values() for word in group)]
    backend = Tokenizer(tokenizers.models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = tmp_path_factory.mktemp("decoder_tokenizer")
    PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", eos_token="<end>").save_pretrained(tokenizer)
    sizes = {"vocab_size": len(words), "n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 64, "eos_token_id": 0}
    model = models.initialise(from_hf({"model_type": "gpt2", **sizes}), seed=0)
    return models.save(tmp_path_factory.mktemp("decoders") / "tiny", model, tokenizer_from=tokenizer)


def sentence(rng, domain, length):
    """Returns `length` words, two thirds of them the domain's."""
    own = rng.random(length) < 2 / 3
    return " ".join(rng.choice(WORDS[domain if mine else "all"]) for mine in own)


@pytest.fixture(scope="session")
def texts(tmp_path_factory):
    """Returns a folder with pools sea.jsonl, law.jsonl and food.jsonl, and a task about food in train.jsonl and test.jsonl."""
    folder = tmp_path_factory.mktemp("texts")
    rng = np.random.default_rng(0)
    for domain in ("sea", "law", "food"):
        rows = [{"id": f"{domain}{i}", "text": sentence(rng, domain, 30)} for i in range(60)]
        (folder / f"{domain}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for split, count in (("train", 40), ("test", 20)):
        labels = rng.integers(2, size=count)
        rows = [{"text": f"{('bad', 'good')[label]} {sentence(rng, 'food', 8)}", "label": int(label)} for label in labels]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
