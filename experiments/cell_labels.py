"""The names by which a cell's folders are told apart, and by which cells that share a model are found."""

from __future__ import annotations

from experiments import relevance
from gotd_jax.artifacts import fingerprint
from gotd_jax.methods import METHODS


def model_fingerprint(config) -> str:
    """Returns what cells have in common that train from one pre-fine-tuned model, as far as their configs tell.

    They differ in what comes after it, and where the method reads nothing of the target also in the task.
    """
    fields = config.to_dict()
    del fields["finetune"], fields["protocol"]
    if METHODS[config.method].blind and not relevance.applies(config):
        for unread in ("target", "embed", "ot"):
            del fields[unread]
        fields["task"] = fields["task"]["home"]
    return fingerprint(fields)


def label(config) -> str:
    """Returns the beginning of the names of a cell's folders, before the hex digits: its task and its method."""
    return f"{config.task.name}-{method_label(config)}"


def method_label(config) -> str:
    """Returns the method, its budget and its seed; `none` has no budget."""
    budget = f"-{config.budget}" if METHODS[config.method].selects else ""
    return f"{config.method}{budget}-{config.seed}"
