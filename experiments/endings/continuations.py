"""Continuations of prompts: generated in blocks of prompts, so that a stopped run goes on, and decoded as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gotd_jax import models
from gotd_jax.data.prompts import Prompt
from gotd_jax.data.tokens import load_tokenizer
from gotd_jax.evaluation.context_pairs import encode
from gotd_jax.evaluation.likelihood import log_likelihoods
from gotd_jax.evaluation.perplexity import Perplexity
from gotd_jax.files import whole_file
from gotd_jax.models.config_json import from_hf
from gotd_jax.models.folders import read_config
from gotd_jax.models.generation import generate
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import tokenizer_of

PROMPTS_PER_BLOCK = 512  # the most that a stop can lose


def check_room(prompts: Sequence[Prompt], config) -> None:
    """Raises ValueError for a prompt that leaves the model no room to write; none is cut."""
    folder = models.folder_of(config.model)
    room = from_hf(read_config(folder)).max_positions - config.detox.new_tokens
    for prompt, tokens in zip(prompts, _tokens(prompts, folder)):
        if not 0 < len(tokens) <= room:
            raise ValueError(
                f"The prompt {prompt.id} has {len(tokens)} tokens. With {config.detox.new_tokens} new ones it may have 1 to "
                f"{room} in {config.model}. Lower --config.detox.new_tokens, or take the prompt out of the file."
            )


def written(model: Loaded, prompts: Sequence[Prompt], config, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Returns tokens int32 [P, K, T] and lengths int32 [P, K] of the model's continuations, as `generate` does.

    Blocks of prompts that lie in `folder` already are not written again.
    """
    settings, tokens, blocks = config.detox, _tokens(prompts, model.source), []
    for start in range(0, len(prompts), PROMPTS_PER_BLOCK):
        path = folder / f"written-{start // PROMPTS_PER_BLOCK:04d}.npz"
        if not path.exists():
            block = tokens[start : start + PROMPTS_PER_BLOCK]
            found = generate(
                model,
                block,
                seed=config.seed,
                continuations=settings.continuations,
                new_tokens=settings.new_tokens,
                top_p=settings.top_p,
                temperature=settings.temperature,
                prompt_ids=np.arange(start, start + len(block)),
                batch_size=settings.batch_size,
            )
            with whole_file(path) as partial, open(partial, "wb") as file:
                np.savez_compressed(file, tokens=found.tokens, lengths=found.lengths)
        with np.load(path) as arrays:
            blocks.append((arrays["tokens"], arrays["lengths"]))
    return tuple(np.concatenate(parts) for parts in zip(*blocks))


def decoded(model: Loaded, tokens: np.ndarray, lengths: np.ndarray) -> list[list[str]]:
    """Returns the text of every continuation up to its end, by prompt."""
    tokenizer = tokenizer_of(model)
    cut = [[row[:length].tolist() for row, length in zip(*of_prompt)] for of_prompt in zip(tokens, lengths)]
    return [tokenizer.batch_decode(rows, skip_special_tokens=True) for rows in cut]


def fluency(base: Loaded, prompts: Sequence[Prompt], tokens: np.ndarray, lengths: np.ndarray) -> Perplexity:
    """Returns how well `base` predicts the continuations of each prompt, empty ones left out.

    Raises:
      RuntimeError: every continuation is empty.
    """
    contexts = _tokens(prompts, base.source)
    pairs = [
        (context, row[:length])
        for context, rows, of_prompt in zip(contexts, tokens, lengths)
        for row, length in zip(rows, of_prompt)
        if length
    ]
    if not pairs:
        raise RuntimeError(f"All {lengths.size} continuations are empty, so they have no perplexity. Train with a lower rate.")
    found = log_likelihoods(base, pairs)
    return Perplexity(float(-np.sum(found.sums)), int(found.tokens.sum()))


def _tokens(prompts: Sequence[Prompt], folder: Path) -> list[list[int]]:
    tokenizer = load_tokenizer(folder)
    return [encode(tokenizer, prompt.text) for prompt in prompts]
