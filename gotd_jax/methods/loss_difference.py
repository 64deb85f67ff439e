"""Loss difference (Moore & Lewis 2010): the candidates that a language model predicts better for having read the target."""

from __future__ import annotations

import numpy as np

from gotd_jax.methods.method import Method
from gotd_jax.methods.problem import Problem, Selection, lowest


def select(problem: Problem, budget: int, *, seed: int, normalised: bool = False) -> Selection:
    """Returns the `budget` candidates whose loss falls the most when the model is lightly trained on the target.

    The value of a candidate x is L(x; after) - L(x; before), L the mean loss per token in nats. Moore & Lewis 2010 rank
    by it: cross-entropy under a model of the domain minus that under a general one. Their two models are n-grams of either
    corpus; ours are the model that is to be pre-fine-tuned, before and after light training on the target, as in RHO-LOSS
    (Mindermann et al. 2022: the loss of the model in training minus that of one trained on held-out data; the most is
    selected). Subtracting the loss before keeps text that is merely easy from being chosen. With `normalised` it is the
    share of its loss that a candidate loses, (L(x; after) - L(x; before)) / L(x; before): texts with much to lose, which are
    hard, lose more nats of it, whatever the target is.

    Args:
      problem: pool and losses are needed; the target is read through the losses alone.
      budget: how many chunks to select.
      seed: nothing is drawn.
      normalised: whether the difference is divided by the loss before. A text of loss 0, which had no token to predict, has
        nothing to lose and keeps the value 0.

    Raises:
      ValueError: the problem has no losses, or losses before are below 0 and are to divide by.
    """
    before, after = problem.losses
    values = after - before
    if normalised:
        if (before < 0).any():
            raise ValueError(f"{np.sum(before < 0):,} of {len(before):,} losses before are below 0: they can be no divisors.")
        values = np.divide(values, before, out=np.zeros_like(values), where=before > 0)
    info = {
        "mean_loss_before": float(before.mean(dtype=np.float64)),
        "mean_loss_after": float(after.mean(dtype=np.float64)),
        "candidates_that_gain": int(np.sum(values < 0)),
    }
    return Selection(lowest(values, budget), values, info)


METHOD = Method(select, reads={"target", "losses"})
