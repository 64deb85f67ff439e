"""Ways to select: one file a method, all with `select(problem, budget, *, seed, **options) -> Selection`."""

from gotd_jax.methods import (
    all_domains,
    contrast,
    crisp,
    dapt,
    dsir,
    got_d,
    loss_difference,
    none,
    rds_plus,
    rtp,
    tapt_c,
    top_cosine,
    tsds,
    uniform,
)
from gotd_jax.methods.problem import Problem, Selection, check_budget

METHODS = {
    "none": none.select,
    "random": uniform.select,
    "all_domains": all_domains.select,
    "dapt": dapt.select,
    "dsir": dsir.select,
    "tapt_c": tapt_c.select,
    "rds_plus": rds_plus.select,
    "top_cosine": top_cosine.select,
    "tsds": tsds.select,
    "crisp": crisp.select,
    "got_d": got_d.select,
    "contrast": contrast.select,
    "rtp": rtp.select,
    "loss_difference": loss_difference.select,
}
# Those that embed the pool; the others read its texts, its domains, or nothing.
READ_EMBEDDINGS = frozenset({"tapt_c", "rds_plus", "top_cosine", "tsds", "crisp", "got_d", "contrast"})
# Those that read nothing of the target: for one pool and seed they choose the same for every task.
BLIND = frozenset({"random", "all_domains", "dapt"})
# Those that solve a transport problem, and take the options of `gotd_jax.ot.solve`.
SOLVING = frozenset({"got_d", "contrast"})

__all__ = ["BLIND", "METHODS", "READ_EMBEDDINGS", "SOLVING", "Problem", "Selection", "check_budget", "select"]


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
