"""Tokens: a corpus as one flat array of ids with offsets, and the padded batches cut from it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gotd_jax.data.corpus import Corpus

TEXTS_PER_CALL = 2048


@dataclasses.dataclass(frozen=True)
class Tokens:
    """The token ids of n texts, one after another.

    Attributes:
      ids: int32 [total], special tokens included.
      types: uint8 [total], 0 for the first sentence, 1 for the second of a pair.
      offsets: int64 [n + 1]; text i is `ids[offsets[i]:offsets[i + 1]]`.
    """

    ids: np.ndarray
    types: np.ndarray
    offsets: np.ndarray

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

    Raises:
      ValueError: there is none.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # it warns that PyTorch is missing, which is as it should be
    from transformers import AutoTokenizer

    folder = Path(source)
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder} to read a tokeniser from.")
    try:
        return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder} holds no tokeniser that transformers can read: {error}") from error


def tokenise(tokenizer, corpus: Corpus, max_length: int) -> Tokens:
    """Returns the tokens of every text (or pair) of `corpus`, with special tokens, cut to `max_length` tokens.

    Of a pair that is too long, the longer sentence is cut first.
    """
    parts = [_flat([])]
    for start in range(0, len(corpus), TEXTS_PER_CALL):
        rows = slice(start, start + TEXTS_PER_CALL)
        inputs = corpus.texts(rows)
        if corpus.is_paired:
            inputs = [text if pair is None else (text, pair) for text, pair in zip(inputs, corpus.pairs(rows))]
        parts.append(_flat(_encode(tokenizer, inputs, max_length)))
    ids, types, lengths = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Tokens(ids, types, np.concatenate([[0], np.cumsum(lengths)]))


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


def _encode(tokenizer, inputs: list, max_length: int) -> list:
    backend = tokenizer.backend_tokenizer
    backend.enable_truncation(max_length)
    backend.no_padding()
    return backend.encode_batch_fast(inputs)
