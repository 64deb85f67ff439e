"""Text: read from files and libraries, kept as a corpus, and tokenised.

>>> from gotd_jax import data
>>> corpus = data.read("pool.jsonl")  # or a glob, a folder, "hf:owner/name:split", or several of them
>>> corpus.texts()
['Bread and butter.', 'Ships at sea.']
>>> corpus.take([1]).ids
['pool.jsonl:2']
"""

from __future__ import annotations

import importlib

LATER = {"Corpus": "corpus", "load_tokenizer": "tokens", "read": "readers", "tokenise": "tokens"}  # imported when asked for

__all__ = [*LATER]


def __getattr__(name: str):
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{LATER[name]}"), name)
