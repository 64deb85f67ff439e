"""A tiny language model with a tokeniser that reads English, as a Hugging Face folder."""

import shutil
import string

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from tests.models.helpers import edit_json
from tests.models.test_decoder import REFERENCES

BEGIN, END = "<|begin|>", "<|end|>"
CHARACTERS = [*"ĠĊ", *string.ascii_lowercase, *string.ascii_uppercase, *string.digits, *".,?:'-/()"]
MERGES = [
    ("t", "h"),
    ("th", "e"),
    ("i", "n"),
    ("a", "n"),
    ("e", "r"),
    ("Ġ", "t"),
    ("Ġ", "a"),
    ("e", "s"),
    ("Y", "es"),
    ("N", "o"),
]


def language_model(folder, family):
    """Writes the reference model of `family` with a tokeniser; of a llama, one that begins every text with a token."""
    shutil.copytree(REFERENCES / family, folder)
    pieces = [END, BEGIN, *CHARACTERS, *("".join(merge) for merge in MERGES)]
    backend = Tokenizer(models.BPE({piece: place for place, piece in enumerate(pieces)}, MERGES))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    special = {"eos_token": END, "pad_token": END}
    if family == "llama":
        backend.post_processor = processors.TemplateProcessing(f"{BEGIN} $A", f"{BEGIN} $A {BEGIN} $B", [(BEGIN, 1), (END, 0)])
        special["bos_token"] = BEGIN
    elif family == "gpt2":
        special["bos_token"] = END
    PreTrainedTokenizerFast(tokenizer_object=backend, **special).save_pretrained(folder)
    edit_json(folder / "config.json", eos_token_id=0, bos_token_id=1)
    edit_json(folder / "generation_config.json", eos_token_id=0, bos_token_id=1)
    return folder
