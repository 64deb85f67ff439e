"""The baseline without pre-fine-tuning."""

from __future__ import annotations

import numpy as np

from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection


def select(problem: Problem, budget: int, *, seed: int) -> Selection:
    """Returns the empty selection: the model goes to fine-tuning as it was published ("vanilla" in the paper's tables)."""
    return Selection(np.empty(0, np.int64))


METHOD = Method(select, selects=False, valued="none")
