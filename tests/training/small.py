"""A small model, small tokens and a small tokeniser for the tests of training."""

import functools

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from gotd_jax.data.tokens import Tokens
from gotd_jax.models.config import EncoderConfig
from gotd_jax.models.model import initialise
from gotd_jax.models.tokenizer import Vocabulary
from gotd_jax.training.batches import LabelledBatches, MaskedBatches
from gotd_jax.training.objectives import Classification, MaskedLanguageModel, Regression
from gotd_jax.training.recipe import Recipe

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY = Vocabulary(size=40, pad_id=0, mask_id=4, special_ids=(0, 1, 2, 3, 4))
RECIPE = Recipe(batch_size=8, max_length=24, epochs=2, learning_rate=1e-3)
CONFIG = EncoderConfig(
    "bert", vocab_size=40, width=32, layers=1, heads=2, mlp_width=64, max_positions=64, type_vocab_size=2, initializer_range=0.1
)


def random_tokens(count, *, shortest=4, longest=24, seed=0):
    """Texts of ordinary ids between [CLS] and [SEP]."""
    random = np.random.default_rng(seed)
    texts = [[2, *random.integers(5, 40, length - 2), 3] for length in random.integers(shortest, longest + 1, count)]
    offsets = np.cumsum([0, *map(len, texts)])
    return Tokens(np.concatenate(texts).astype(np.int32), np.zeros(offsets[-1], np.uint8), offsets)


@functools.cache
def model_of(head, outputs=None):
    """The small model with random weights."""
    return initialise(CONFIG, head, outputs=outputs)


def masked_run(count=45, recipe=RECIPE, seed=0):
    """The arguments of `train` for a masked language model."""
    model = model_of("masked_lm")
    return (
        MaskedLanguageModel(model.definition),
        model.params,
        MaskedBatches(random_tokens(count), VOCABULARY, recipe, seed),
        recipe,
    )


def labelled_run(count=45, recipe=RECIPE, seed=0, outputs=3):
    """The arguments of `train` for a classifier, or for a regression where it has one output."""
    model = model_of("classifier", outputs)
    random, tokens = np.random.default_rng(1), random_tokens(count)
    labels = (
        random.integers(outputs, size=count).astype(np.int32) if outputs > 1 else random.normal(size=count).astype(np.float32)
    )
    objective = (Classification if outputs > 1 else Regression)(model.definition)
    return objective, model.params, LabelledBatches(tokens, labels, recipe, seed), recipe


def save_tokenizer(folder, words):
    """A word-level tokeniser of the special tokens and `words`, as a Hugging Face folder."""
    ids = {word: place for place, word in enumerate([*SPECIAL, *words])}
    backend = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {f"{name[1:-1].lower()}_token": name for name in SPECIAL}
    PreTrainedTokenizerFast(tokenizer_object=backend, **names).save_pretrained(folder)
    return folder
