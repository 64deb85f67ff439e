"""Provenance: the versions of the code behind each kind of stage, the commit, the packages, the devices."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

import gotd_jax
from gotd_jax import machine

PACKAGES = ("jax", "jaxlib", "flax", "optax", "ott-jax", "numpy")

# The version of the code that makes each kind of stage (see `gotd_jax.artifacts.stage`). Whoever changes the content
# of a stage for the same settings, by a fix or otherwise, raises its number by one: stages of lower numbers, and all that
# were made from them, are then made anew. Stages from before there were numbers count as 0.
VERSIONS: Mapping[str, int] = {
    "domains": 2,  # a domain's texts as chunks
    "samples": 2,  # of a domain, drawn by a seed
    "parts": 2,  # of a pool that its own domains are held out of
    "candidates": 2,  # of a pool: chunks that hold tested text, and near duplicates
    "detox": 2,  # texts of detoxification
    "relevance": 1,  # distances of domains
    "relevant": 2,  # the closest domains' chunks
    "encoders": 1,  # fine-tuned on the task
    "embeddings": 1,
    "scalings": 1,  # the mean and covariance of a pool's embeddings
    "scaled": 1,  # embeddings by such a mean and covariance
    "toxicity": 1,
    "heads": 1,  # masked-LM heads, trained on a pool
    "target_models": 1,  # trained lightly on a target
    "losses": 1,
    "selections": 2,
    "exact": 1,  # exact transport, which selections are measured by
    "pre_trained": 1,  # from nothing, on a known mixture
    "pre_finetuned": 1,
    "scores": 1,
    "benchmarks": 1,
    "coverage": 1,  # how much of each text is read
    "warmed": 1,  # of `gotd warm`
}

# The steps by which the seconds of stages are counted.
STEPS = ("embed", "losses", "select", "pre_finetune", "evaluate")


def now() -> dict:
    """Returns the code, packages, devices and machine in use now, JSON-like.

    `commit` is that of the checkout this package runs from, and `modified` whether files differ from it; outside a
    checkout they are None, and `version` tells. Then Python's and the packages' versions, the devices, and the machine.
    """
    from gotd_jax import devices  # starts JAX

    return {**_code(), "versions": _versions(), "device": devices.describe(), "machine": machine.describe()}


@functools.cache
def _code() -> dict:
    root = Path(gotd_jax.__file__).parents[1]
    commit = _git(root, "rev-parse", "HEAD") if (root / ".git").exists() else None
    modified = None if commit is None else bool(_git(root, "status", "--porcelain", "--", ".", ":!experiments/results"))
    return {"version": gotd_jax.__version__, "commit": commit, "modified": modified}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        run = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # no git here, or no commit yet
        return None
    return run.stdout.strip()


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}
