"""The published PyTorch encoders: `transformers` 5 (Apache-2.0) on `torch` 2.13 (BSD-3-Clause).

The reference for hidden states, logits and gradients of `gotd_jax.models`, and for the folders that it writes. The tiny
models here are random but shaken: every bias and normalisation differs from its default, so that no term can be left out
unnoticed.

    python -m third_party.torch_models          # makes tests/models/references again
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

CLASSES = {None: "AutoModel", "masked_lm": "AutoModelForMaskedLM", "classifier": "AutoModelForSequenceClassification"}
OUTPUTS = {"classification": 3, "regression": 1}
REFERENCES = Path(__file__).parent.parent / "tests" / "models" / "references"
STORED = ("bert", "roberta", "distilbert")

_BERT = {
    "vocab_size": 97,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 16,
    "layer_norm_eps": 3e-3,  # large enough to be missed where it is not read
}
_ROBERTA = {**_BERT, "max_position_embeddings": 18, "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-2}
SIZES = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "distilbert": {
        "vocab_size": 97,
        "dim": 24,
        "n_layers": 2,
        "n_heads": 3,
        "hidden_dim": 40,
        "max_position_embeddings": 16,
    },
}


def build(model_type: str, head: str | None, *, seed: int, outputs: int = 3, **changes):
    """Returns a tiny PyTorch model in evaluation mode, its parameters drawn from `seed`.

    Args:
      model_type: one of `SIZES`.
      head: None, 'masked_lm' or 'classifier'.
      seed: of the parameters.
      outputs: of a classifier.
      **changes: keys of its configuration that differ from `SIZES`.
    """
    import torch
    import transformers

    config = transformers.AutoConfig.for_model(model_type, **{**SIZES[model_type], "num_labels": outputs, **changes})
    model = getattr(transformers, CLASSES[head]).from_config(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim == 2 and "embedding" not in name:
                noise *= 1.5 / parameter.shape[1] ** 0.5
            elif parameter.ndim == 1:
                noise *= 0.3
            parameter.copy_(noise + ("norm" in name.lower() and name.endswith("weight")))
    return model


def batch(model_type: str, *, seed: int, padded: bool, rows: int = 3, width: int = 10) -> dict[str, np.ndarray]:
    """Returns a random batch: `ids` int32, `mask` bool and `types` int32, each [rows, width].

    With `padded` the rows shrink from the full width to two tokens, and the rest is padding on the right.
    """
    random = np.random.default_rng(seed)
    pad = SIZES[model_type].get("pad_token_id", 0)
    ids = random.integers(5, SIZES[model_type]["vocab_size"], (rows, width)).astype(np.int32)
    lengths = np.linspace(width, 2, rows).astype(int) if padded else np.full(rows, width)
    mask = np.arange(width) < lengths[:, None]
    types = mask & (np.arange(width) >= lengths[:, None] // 2) & (SIZES[model_type].get("type_vocab_size", 2) > 1)
    return {"ids": np.where(mask, ids, pad).astype(np.int32), "mask": mask, "types": types.astype(np.int32)}


def inputs(model, batch: dict[str, np.ndarray]) -> dict:
    """Returns a batch as the keyword arguments that a PyTorch model takes."""
    import torch

    arguments = {"input_ids": torch.tensor(batch["ids"]).long(), "attention_mask": torch.tensor(batch["mask"]).long()}
    if model.config.model_type != "distilbert":
        arguments["token_type_ids"] = torch.tensor(batch["types"]).long()
    return arguments


def run(model, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the model's `hidden` float32 [B, T, D] and, where it has a head, its `logits`."""
    import torch

    with torch.no_grad():
        result = model(**inputs(model, batch), output_hidden_states=True)
    arrays = {"hidden": result.hidden_states[-1].numpy()}
    return {**arrays, "logits": result.logits.numpy()} if "logits" in result else arrays


def store(folder: Path, model_type: str, head: str, *, seed: int, outputs: int = 3) -> None:
    """Writes a model as a Hugging Face folder, with what it computes on two batches as `padded.npz` and `full.npz`."""
    model = build(model_type, head, seed=seed, outputs=outputs)
    model.save_pretrained(folder)
    for name, padded in (("padded", True), ("full", False)):
        given = batch(model_type, seed=seed, padded=padded)
        np.savez_compressed(folder / f"{name}.npz", **given, **run(model, given))


def main(folder: str | Path = REFERENCES) -> None:
    """Writes the references of every stored family and head below `folder`."""
    for seed, model_type in enumerate(STORED):
        store(Path(folder) / model_type / "masked_lm", model_type, "masked_lm", seed=seed)
        for problem, outputs in OUTPUTS.items():
            store(Path(folder) / model_type / problem, model_type, "classifier", seed=seed, outputs=outputs)


if __name__ == "__main__":
    main(*sys.argv[1:])
