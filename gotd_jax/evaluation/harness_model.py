"""Our models behind the interface of the evaluation harness (lm_eval 0.4.13, MIT); imported only where that is installed.

Tokens, prefixes and cuts equal those of the harness's own PyTorch back-end (`hf`), and so do the scores.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from lm_eval.api.model import TemplateLM
from lm_eval.models.utils import handle_stop_sequences, normalize_gen_kwargs, postprocess_generated_text

from gotd_jax.evaluation.context_pairs import encode, prefix_id, rolling
from gotd_jax.evaluation.likelihood import log_likelihoods
from gotd_jax.models.generation import generate
from gotd_jax.models.model import Loaded

NEW_TOKENS = 256  # the harness's own default
SAMPLING = {"until", "max_gen_toks", "do_sample", "temperature", "top_p"}


class _Setting(NamedTuple):
    """The settings with which the harness asks for a continuation."""

    until: tuple[str, ...]
    new_tokens: int
    temperature: float
    top_p: float

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> _Setting:
        """Returns the settings that a request names; greedy by default."""
        named = normalize_gen_kwargs(dict(given), NEW_TOKENS)
        if unknown := sorted(named.keys() - SAMPLING):
            raise ValueError(
                f"A task asks for {', '.join(unknown)} in generation, which is not implemented. There are "
                f"{', '.join(sorted(SAMPLING))}."
            )
        temperature = float(named.get("temperature", 1.0)) if named["do_sample"] else 0.0
        return cls(tuple(named["until"]), named["max_gen_toks"], temperature, float(named.get("top_p", 1.0)))


class HarnessModel(TemplateLM):
    """A model as the harness uses it: for likelihoods of continuations and of texts, and for continuations.

    Args:
      model: a causal language model.
      tokenizer: the model's own, with a token that ends texts.
      params: to use instead of the model's own.
      seed: of sampled continuations; a request's place among those asked at once decides the rest.
    """

    def __init__(self, model: Loaded, tokenizer, *, params: dict | None = None, seed: int = 0):
        super().__init__()
        self.model = model if params is None else dataclasses.replace(model, params=params)
        self.tokenizer = tokenizer
        self.seed = seed

    @property
    def eot_token_id(self) -> int:
        """The token that ends a text."""
        return self.tokenizer.eos_token_id

    @property
    def prefix_token_id(self) -> int:
        """The token that stands where there is no context."""
        return prefix_id(self.tokenizer)

    @property
    def max_length(self) -> int:
        """Positions of the model."""
        return self.model.config.max_positions

    @property
    def max_gen_toks(self) -> int:
        """New tokens where a task does not say how many."""
        return NEW_TOKENS

    @property
    def tokenizer_name(self) -> str:
        """The key of the harness's caches of requests."""
        return str(self.tokenizer.name_or_path).replace("/", "__")

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """Returns a conversation as one text, by the tokeniser's template."""
        return self.tokenizer.apply_chat_template(
            chat_history,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=not add_generation_prompt,
        )

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_) -> list[int]:
        """Returns the tokens of a text, as `gotd_jax.evaluation.context_pairs.encode`."""
        return encode(self.tokenizer, string, special=add_special_tokens)

    def _loglikelihood_tokens(self, requests, disable_tqdm: bool = False, **_) -> list[tuple[float, bool]]:
        found = log_likelihoods(self.model, [(ctx, cont) for _, ctx, cont in requests], cut=True)
        answers = list(zip(found.sums.tolist(), found.greedy.tolist()))
        for (texts, _, _), answer in zip(requests, answers):
            self.cache_hook.add_partial("loglikelihood", texts, answer)
        return answers

    def loglikelihood_rolling(self, requests, disable_tqdm: bool = False) -> list[float]:
        """Returns the summed log-probability of each request's text, every token predicted once."""
        texts = [request.args[0] for request in requests]
        windows = [list(rolling(self.tok_encode(text), self.prefix_token_id, self.max_length)) for text in texts]
        found = log_likelihoods(self.model, [pair for pairs in windows for pair in pairs])
        ends = np.cumsum([len(pairs) for pairs in windows])
        sums = [float(found.sums[end - len(pairs) : end].sum()) for end, pairs in zip(ends, windows)]
        for text, total in zip(texts, sums):
            self.cache_hook.add_partial("loglikelihood_rolling", (text,), total)
        return sums

    def generate_until(self, requests, disable_tqdm: bool = False) -> list[str]:
        """Returns the model's continuation of each request's context, up to the first of its stop strings.

        Raises:
          ValueError: a request asks for a way of sampling other than a temperature and a nucleus.
        """
        written = [""] * len(requests)
        settings = [_Setting.of(request.args[1]) for request in requests]
        for setting in dict.fromkeys(settings):
            rows = [row for row, other in enumerate(settings) if other == setting]
            for row, text in zip(rows, self._write([requests[row].args[0] for row in rows], rows, setting)):
                written[row] = text
                self.cache_hook.add_partial("generate_until", requests[row].args, text)
        return written

    def _write(self, contexts: Sequence[str], rows: Sequence[int], setting: _Setting) -> list[str]:
        room = self.max_length - setting.new_tokens
        if room < 1:
            raise ValueError(
                f"A task asks for {setting.new_tokens} new tokens, and the model has positions for {self.max_length}, the "
                "context among them. Set max_gen_toks lower."
            )
        found = generate(
            self.model,
            [self.tok_encode(context)[-room:] for context in contexts],
            seed=self.seed,
            continuations=1,
            new_tokens=setting.new_tokens,
            top_p=setting.top_p,
            temperature=setting.temperature,
            prompt_ids=rows,
        )
        stops = handle_stop_sequences(list(setting.until), eos=self.tokenizer.decode([self.eot_token_id]))
        tokens = (row[:length] for row, length in zip(found.tokens[:, 0], found.lengths[:, 0]))
        texts = (self.tokenizer.decode(row, skip_special_tokens=True) for row in tokens)
        return [postprocess_generated_text(text, stops, None) for text in texts]
