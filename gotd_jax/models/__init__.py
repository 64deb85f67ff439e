"""Encoders and causal language models in Flax, with published weights in and out.

>>> from gotd_jax import models
>>> model = models.load("all-MiniLM-L6-v2")  # a packaged model, a Hugging Face folder, or a name on the hub
>>> model.config.width, model.head
(384, None)
>>> writer = models.load("SmolLM2-135M-Instruct")
>>> tokenizer = models.tokenizer_of(writer)
>>> written = models.generate(writer, [tokenizer("The capital of France is")["input_ids"]], seed=0, continuations=4)
"""

from __future__ import annotations

import importlib

LATER = {  # imported when they are asked for, since they load JAX
    "DecoderConfig": "config",
    "EncoderConfig": "config",
    "Loaded": "model",
    "blueprint": "model",
    "embed": "embedding",
    "fingerprint_of": "loading",
    "folder_of": "lookup",
    "from_hf": "config_json",
    "generate": "generation",
    "initialise": "model",
    "is_causal": "loading",
    "load": "loading",
    "load_language_model": "loading",
    "save": "saving",
    "tokenizer_of": "tokenizer",
}

__all__ = [*LATER]


def __getattr__(name: str):
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{LATER[name]}"), name)
