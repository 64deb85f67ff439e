"""A tokeniser of one's own: byte-level byte pairs, learned from texts and kept as `transformers` reads it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gotd_jax.files import write_json

END = "<|endoftext|>"
ENCODER_TOKENS = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "mask": "<mask>"}  # RoBERTa's, in its order


def learn(texts: Iterable[str], vocabulary: int, folder: Path, *, masked: bool) -> None:
    """Writes a byte-level BPE tokeniser (Sennrich et al. 2016; bytes as in GPT-2) learned from `texts` into `folder`.

    No text is unknown to it, since every byte is a token.

    Args:
      texts: to learn from, read once.
      vocabulary: number of tokens, the 256 bytes and the special tokens among them.
      folder: is made if it does not exist.
      masked: whether the tokeniser is a masked language model's, with RoBERTa's special tokens around every text; a causal
        one's has the end of a text alone.

    Raises:
      ValueError: the vocabulary has no room for bytes and special tokens.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    special = list(ENCODER_TOKENS.values()) if masked else [END]
    if vocabulary < 256 + len(special):
        raise ValueError(f"A vocabulary of {vocabulary} has no room for 256 bytes and {len(special)} special tokens. Raise it.")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    names = {"eos": END, "bos": END}
    if masked:
        names = ENCODER_TOKENS
        ends = [(names[part], tokenizer.token_to_id(names[part])) for part in ("eos", "bos")]
        tokenizer.post_processor = processors.RobertaProcessing(*ends, trim_offsets=False, add_prefix_space=False)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {f"{part}_token": token for part, token in names.items()}
    write_json(folder / "tokenizer_config.json", settings | {"tokenizer_class": "PreTrainedTokenizerFast"})
