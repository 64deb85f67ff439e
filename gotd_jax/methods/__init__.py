"""Ways to select: one file a method, all with `select(problem, budget, *, seed, **options) -> Selection`."""

from gotd_jax.methods import contrast, dsir, got_d, none, rtp, tapt_c, uniform
from gotd_jax.methods.problem import Problem, Selection, check_budget

METHODS = {
    "none": none.select,
    "random": uniform.select,
    "dsir": dsir.select,
    "tapt_c": tapt_c.select,
    "got_d": got_d.select,
    "contrast": contrast.select,
    "rtp": rtp.select,
}

__all__ = ["METHODS", "Problem", "Selection", "check_budget", "select"]


def select(method: str, problem: Problem, budget: int, *, seed: int, **options) -> Selection:
    """Returns what the method called `method` selects from the pool of `problem`.

    Raises:
      ValueError: there is no such method, the pool or target is empty, the budget does not fit the pool, or the problem
        lacks what the method reads.
    """
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}. There are: {', '.join(METHODS)}.")
    check_budget(problem, budget)
    return METHODS[method](problem, budget, seed=seed, **options)
