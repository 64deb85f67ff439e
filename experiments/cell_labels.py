"""The names of a cell's folders, and the fingerprint by which cells that share a model are found."""

from __future__ import annotations

from experiments import relevance
from gotd_jax.artifacts import fingerprint
from gotd_jax.methods import METHODS


def model_fingerprint(config) -> str:
    """Returns a fingerprint that is the same for cells whose configs lead to one pre-fine-tuned model.

    They differ in the steps after it and, where the method reads nothing of the target, in the task.
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
