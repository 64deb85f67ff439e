"""RTP (after Gehman et al. 2020): the least toxic candidates, by a scorer of every one of them."""

from __future__ import annotations

import numpy as np

from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection, lowest


def select(problem: Problem, budget: int, *, seed: int) -> Selection:
    """Returns the `budget` candidates of the lowest toxicity; the value of a candidate is its toxicity.

    Gehman et al. kept the lowest 2 % of their corpus by the Perspective API; the paper too takes its budget from
    the bottom. A local scorer gives many texts the very same number (a lexicon gives most of them 0), and in pool order the
    first domain of the pool would take all that is selected. So candidates of equal toxicity stand in random order.

    Args:
      problem: pool and toxicity are needed; the target is not read.
      budget: how many chunks to select.
      seed: draws the order of candidates of equal toxicity, and nothing where there are none.

    Raises:
      ValueError: the problem has no scorer.
    """
    values = problem.toxicity
    return Selection(lowest(values, budget, seed=seed), values, {"different_toxicities": len(np.unique(values))})


METHOD = Method(select, reads={"toxicity"})
