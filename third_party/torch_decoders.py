"""The published PyTorch decoders: `transformers` 5 (Apache-2.0) on `torch` 2.13 (BSD-3-Clause).

The reference for logits and gradients of `gotd_jax.models`, and for the folders that it writes. The tiny models here
are random but shaken: every bias and normalisation differs from its default, so that no term can be left out unnoticed.

    python -m third_party.torch_decoders          # makes tests/models/decoder_references again
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

REFERENCES = Path(__file__).parent.parent / "tests" / "models" / "decoder_references"
VOCABULARY = 89

_LLAMA = {
    "vocab_size": VOCABULARY,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-2,
    "rope_theta": 500.0,
}
SIZES = {
    "gpt2": {
        "vocab_size": VOCABULARY,
        "n_embd": 24,
        "n_layer": 2,
        "n_head": 3,
        "n_positions": 64,
        "layer_norm_epsilon": 3e-3,
    },
    "gpt_neo": {
        "vocab_size": VOCABULARY,
        "hidden_size": 24,
        "num_layers": 4,
        "attention_types": [[["global", "local"], 2]],
        "num_heads": 3,
        "window_size": 5,
        "max_position_embeddings": 64,
        "layer_norm_epsilon": 3e-3,
    },
    "llama": _LLAMA,
}
VARIANTS = {  # further keys of a configuration, by name
    "llama": {
        "tied": {"tie_word_embeddings": True},
        "biased": {"attention_bias": True, "mlp_bias": True},
        "wide heads": {"head_dim": 8},
        "stretched": {
            "rope_parameters": {
                "rope_type": "llama3",
                "rope_theta": 500.0,
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 32,
            }
        },
    },
    "gpt2": {"narrow": {"n_inner": 31, "activation_function": "relu"}, "untied": {"tie_word_embeddings": False}},
    "gpt_neo": {"global": {"attention_types": [[["global"], 4]]}},
}


def build(model_type: str, *, seed: int, **changes):
    """Returns a tiny PyTorch model in evaluation mode, its parameters drawn from `seed`.

    Args:
      model_type: one of `SIZES`.
      seed: of the parameters.
      **changes: keys of its configuration that differ from `SIZES`.
    """
    import torch
    import transformers

    config = transformers.AutoConfig.for_model(model_type, **{**SIZES[model_type], **changes})
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim == 2 and "embed" not in name and "wte" not in name and "wpe" not in name:
                noise *= 1.5 / parameter.shape[1] ** 0.5
            elif parameter.ndim == 1:
                noise *= 0.3
            norm = any(part in name for part in ("norm", "ln_"))
            parameter.copy_(noise + (norm and name.endswith("weight")))
    return model


def batch(*, seed: int, side: str | None, rows: int = 3, width: int = 12) -> dict[str, np.ndarray]:
    """Returns a random batch: `ids` int32 and `mask` bool, each [rows, width], padded on `side` ('left', 'right', None)."""
    random = np.random.default_rng(seed)
    ids = random.integers(5, VOCABULARY, (rows, width)).astype(np.int32)
    lengths = np.linspace(width, 2, rows).astype(int) if side else np.full(rows, width)
    mask = np.arange(width) < lengths[:, None]
    mask = mask[:, ::-1] if side == "left" else mask
    return {"ids": np.where(mask, ids, 0).astype(np.int32), "mask": mask}


def logits(model, batch: dict[str, np.ndarray]) -> np.ndarray:
    """Returns the model's logits, float32 [B, T, vocabulary], with positions counted over what is no padding."""
    import torch

    mask = torch.tensor(np.ascontiguousarray(batch["mask"])).long()
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    with torch.no_grad():
        found = model(input_ids=torch.tensor(batch["ids"]).long(), attention_mask=mask, position_ids=positions)
    return found.logits.numpy()


def store(folder: Path, model_type: str, *, seed: int) -> None:
    """Writes a model as a Hugging Face folder, with its logits on batches padded left and right."""
    model = build(model_type, seed=seed)
    model.save_pretrained(folder)
    for side in ("left", "right"):
        given = batch(seed=seed, side=side)
        np.savez_compressed(folder / f"{side}.npz", **given, logits=logits(model, given))


def main(folder: str | Path = REFERENCES) -> None:
    """Writes the references of every family below `folder`."""
    for seed, model_type in enumerate(SIZES):
        store(Path(folder) / model_type, model_type, seed=seed)


if __name__ == "__main__":
    main(*sys.argv[1:])
