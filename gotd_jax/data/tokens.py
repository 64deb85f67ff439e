"""Tokens: a corpus as one flat array of ids with offsets, and the padded batches cut from it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gotd_jax.data.corpus import Corpus
from gotd_jax.files import read_object

TEXTS_PER_CALL = 2048
# The settings of sentence-transformers for the tokeniser beside them, under all file names that it has used.
SENTENCE_CONFIGS = tuple(
    f"sentence_{name}_config.json" for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)


@dataclasses.dataclass(frozen=True)
class Tokens:
    """The token ids of n texts, one after another.

    Attributes:
      ids: int32 [total], special tokens included.
      types: uint8 [total], 0 for the first sentence, 1 for the second of a pair.
      offsets: int64 [n + 1]; text i is `ids[offsets[i]:offsets[i + 1]]`.
      whole: tokens of each text before any was cut off, int64 [n]; None where they were not counted.
    """

    ids: np.ndarray
    types: np.ndarray
    offsets: np.ndarray
    whole: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each text, int64 [n]."""
        return np.diff(self.offsets)

    def pad(self, rows: Sequence[int] | np.ndarray, width: int, *, height: int | None = None, pad_id: int = 0) -> dict:
        """Returns the texts of `rows` as one rectangle, cut to `width` tokens and padded with `pad_id`.

        Args:
          rows: positions of texts, int [k].
          width: columns of the rectangle.
          height: rows of the rectangle, at least k; those beyond k are padding. k by default.
          pad_id: id of the padding token.

        Returns:
          `ids` int32, `mask` bool (True at real tokens) and `types` int32, each [height, width].
        """
        height = len(rows) if height is None else height
        ids = np.full((height, width), pad_id, np.int32)
        types = np.zeros((height, width), np.int32)
        mask = np.zeros((height, width), bool)
        for place, row in enumerate(rows):
            start = self.offsets[row]
            stop = min(self.offsets[row + 1], start + width)
            ids[place, : stop - start] = self.ids[start:stop]
            types[place, : stop - start] = self.types[start:stop]
            mask[place, : stop - start] = True
        return {"ids": ids, "mask": mask, "types": types}


def load_tokenizer(source: str | os.PathLike):
    """Returns the Hugging Face tokeniser that lies in the folder `source`.

    Where sentence-transformers' own file beside it says `do_lower_case`, it lower-cases every text.

    Raises:
      ValueError: the folder has no tokeniser.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # it warns that PyTorch is missing, which is as it should be
    from transformers import AutoTokenizer

    folder = Path(source)
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder} to read a tokeniser from.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder} holds no tokeniser that transformers can read: {error}") from error
    if sentence_config(folder).get("do_lower_case"):
        _lower_case(tokenizer.backend_tokenizer)
    return tokenizer


def sentence_config(folder: Path) -> dict[str, Any]:
    """Returns the settings of sentence-transformers for the transformer in `folder`, `sentence_bert_config.json`; {} without.

    Raises:
      ValueError: it is no JSON object.
    """
    path = next((folder / name for name in SENTENCE_CONFIGS if (folder / name).is_file()), None)
    return {} if path is None else read_object(path)


def tokenise(tokenizer, corpus: Corpus, max_length: int, *, prompt: str = "") -> Tokens:
    """Returns the tokens of every text (or pair) of `corpus`, with special tokens, cut to `max_length` tokens.

    The end is cut off, or the beginning where the tokeniser's `truncation_side` is left. Of a pair that is too long, the
    longer sentence is cut first.

    Args:
      tokenizer: as `load_tokenizer` returns it.
      corpus: n texts.
      max_length: tokens of a text that are kept, special ones included.
      prompt: put before every text.
    """
    parts = [(*_flat([]), np.zeros(0, np.int64))]
    for start in range(0, len(corpus), TEXTS_PER_CALL):
        rows = slice(start, start + TEXTS_PER_CALL)
        inputs = [prompt + text for text in corpus.texts(rows)] if prompt else corpus.texts(rows)
        if corpus.is_paired:
            inputs = [text if pair is None else (text, pair) for text, pair in zip(inputs, corpus.pairs(rows))]
        encodings, whole = _encode(tokenizer, inputs, max_length)
        parts.append((*_flat(encodings), whole))
    ids, types, lengths, whole = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Tokens(ids, types, np.concatenate([[0], np.cumsum(lengths)]), whole)


def count_tokens(tokenizer, corpus: Corpus) -> np.ndarray:
    """Returns the tokens of every text of `corpus`, int64 [n], without special tokens, however long it is."""
    backend, counts = tokenizer.backend_tokenizer, []
    backend.no_truncation()
    backend.no_padding()
    for start in range(0, len(corpus), TEXTS_PER_CALL):
        encodings = backend.encode_batch_fast(corpus.texts(slice(start, start + TEXTS_PER_CALL)), add_special_tokens=False)
        counts += [len(encoding.ids) for encoding in encodings]
    return np.array(counts, np.int64)


def _flat(encodings: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ids = np.fromiter((i for encoding in encodings for i in encoding.ids), np.int32)
    types = np.fromiter((t for encoding in encodings for t in encoding.type_ids), np.uint8)
    return ids, types, np.asarray([len(encoding.ids) for encoding in encodings], np.int64)


def _encode(tokenizer, inputs: list, max_length: int) -> tuple[list, np.ndarray]:
    """Returns the encodings of `inputs`, cut, and how many tokens each has uncut, int64 [inputs]."""
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    encodings = backend.encode_batch_fast(inputs)
    whole = np.asarray([len(encoding) for encoding in encodings], np.int64)
    backend.enable_truncation(max_length, direction=tokenizer.truncation_side)
    too_long = np.flatnonzero(whole > max_length)
    for row, encoding in zip(too_long, backend.encode_batch_fast([inputs[row] for row in too_long])):
        encodings[row] = encoding
    return encodings, whole


def _lower_case(backend) -> None:
    """Makes the tokenizers library's `backend` lower-case texts before its other steps."""
    from tokenizers import normalizers

    others = [] if backend.normalizer is None else [backend.normalizer]
    backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), *others])
