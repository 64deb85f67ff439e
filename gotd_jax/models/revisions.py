"""Models of the Hugging Face hub, at a commit: fetched by name and revision, with safetensors or not at all.

No download was run by us from the hub itself: the tests fetch from a server of the same interface on the machine they run on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

# The commits of the models that the configs name, where the name says no revision itself. Each has its weights as safetensors
# there, as far as the hub's pages and those who cite these commits tell; where a repository's newest has pickles alone, it is
# the converted copy proposed to it.
REVISIONS = {
    "bert-base-uncased": "86b5e0934494bd15c9632b12f734a8a67f723594",
    "distilbert-base-uncased": "12040accade4e8a0f71eabdb258fecc2e7e948be",
    "gpt2": "607a30d783dfa663caf39e06633721c8d4cfcd7e",
    "gpt2-xl": "15ea56dee5df4983c59b2538573817e1667135e2",
    "EleutherAI/gpt-neo-2.7B": "e24fa291132763e59f4a5422741b424fb5d59056",
    "sentence-transformers/all-MiniLM-L6-v2": "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    "ishan/bert-base-uncased-mnli": "6d07ba1bf15b6fad4479514e7679f0c8e9c793c0",  # its main has pickles alone
    "unitary/toxic-bert": "4d6c22e74ba2fdd26bc4f7238f50766b045a0d94",
    "unitary/unbiased-toxic-roberta": "91650552a4f31b7120c36680cfa47ddd47676b48",  # its main has pickles alone
    "tomh/toxigen_roberta": "bd3c36d7dc6424a02a599879b02b4faadfc246f5",  # its main has pickles alone
}


def fetched(source: str, files: Sequence[str]) -> Path:
    """Returns the folder of a model of the hub, fetched into the hub's cache or taken from there.

    Args:
      source: `owner/model`, or `owner/model@revision`: a commit, a tag or a branch. Without one it is the commit in
        `REVISIONS`, or for other models the newest.
      files: patterns of the files to fetch.

    Raises:
      ValueError: the hub did not give a model of that name, or one without safetensors.
    """
    from huggingface_hub import snapshot_download

    name, _, revision = source.partition("@")
    revision = revision or REVISIONS.get(name)
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=list(files)))
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        wanted = f" at the revision {revision}" if revision else ""
        raise ValueError(
            f"{source!r} is neither a folder here nor a model that the Hugging Face hub gave{wanted} ({type(error).__name__}: "
            f"{reason}). Check the name, take another revision ({name}@main is the newest), or download the model where there "
            "is a network and give its folder."
        ) from error
    if not any(folder.glob("model*.safetensors")):
        raise ValueError(
            f"The hub's {name} has no safetensors at the revision {revision or 'main'}, and pickled weights run code when "
            f"read. Name a revision that has them, as {name}@refs/pr/1 where a converted copy was proposed, or another."
        )
    return folder
