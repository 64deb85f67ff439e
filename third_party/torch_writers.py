"""The published PyTorch decoders at work: `transformers` 5 (Apache-2.0) on `torch` 2.13 (BSD-3-Clause), in float32.

The reference for the speed of reading prompts, of sampling and of training in `gotd_jax.models` and `gotd_jax.training`.
Attention is PyTorch's own kernel (`sdpa`), the loss and `generate` are those of `transformers`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np


class TorchWriter:
    """A published decoder on all cores.

    Args:
      folder: a Hugging Face folder.
    """

    def __init__(self, folder: str | Path):
        import torch
        import transformers

        transformers.logging.set_verbosity_error()
        self.torch = torch
        self.model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def next_tokens(self, ids: np.ndarray) -> np.ndarray:
        """Returns the likeliest token after each row of `ids`, int [B, T]; logits are computed at the last position alone."""
        with self.torch.inference_mode():
            logits = self.model(input_ids=self._tensor(ids), logits_to_keep=1).logits
        return logits[:, -1].argmax(-1).numpy()

    def sample(self, ids: np.ndarray, *, continuations: int, new_tokens: int, top_p: float) -> np.ndarray:
        """Returns sampled continuations of each row of `ids`, none of which ends early, int [B * continuations, new tokens]."""
        given = self._tensor(ids)
        with self.torch.inference_mode():
            found = self.model.generate(
                input_ids=given,
                attention_mask=self.torch.ones_like(given),
                do_sample=True,
                top_p=top_p,
                top_k=0,
                num_return_sequences=continuations,
                min_new_tokens=new_tokens,
                max_new_tokens=new_tokens,
                pad_token_id=0,
            )
        return found[:, ids.shape[1] :].numpy()

    def training(self, *, clip_norm: float, **options) -> Callable:
        """Returns a function from ids [B, T] to the loss of one step of AdamW (its `options`), which it makes."""
        torch, model = self.torch, self.model
        optimiser = torch.optim.AdamW(model.parameters(), **options)

        def step(ids: np.ndarray) -> float:
            given = self._tensor(ids)
            loss = model(input_ids=given, labels=given).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
            optimiser.step()
            optimiser.zero_grad()
            return float(loss.detach())

        return step

    def _tensor(self, ids: np.ndarray):
        return self.torch.tensor(ids).long()
