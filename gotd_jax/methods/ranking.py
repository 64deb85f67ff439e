"""Noise on a ranking: a sample in proportion to its values, in place of the best, whatever the method."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from gotd_jax.methods.problem import Problem, Selection, drawn, lowest

VALUED = ("all", "chosen", "none")


def with_noise(
    choose: Callable[..., Selection],
    valued: str,
    problem: Problem,
    budget: int,
    *,
    seed: int,
    noise: float | None = None,
    **options: bool | int | float | str | None,
) -> Selection:
    """Returns what a method selects, or a sample of the pool in proportion to what its values say.

    With `noise` t above 0, `budget` candidates are drawn without replacement in proportion to exp(-value / T), where the
    temperature T is t standard deviations of the method's finite values: the top of the values plus T times Gumbel noise
    (as `dsir` selects by itself, at T = 1; Kool et al. 2019, arXiv 1903.06059). A small t changes places near the budget's
    edge alone, a large one is a uniform draw. Candidates of infinite value come last. `values` are the method's own.

    Args:
      choose: the method's own `select`.
      valued: the candidates to which it gives values that do not depend on the budget: all, or the chosen alone; of the
        latter the whole pool is ranked before noise is added, which takes memory for every target's whole list.
      problem: pool and target.
      budget: how many chunks to select.
      seed: of the method, and of the noise.
      noise: t; 0 takes the lowest values, also of methods that draw by themselves, and equal values in random order. None is
        the method's own way.
      **options: of the method.

    Raises:
      ValueError: `noise` is below 0, or the method has no values.
    """
    if noise is None:
        return choose(problem, budget, seed=seed, **options)
    if noise < 0:
        raise ValueError(f"noise is {noise}. It is a temperature in standard deviations of the values: 0 or more.")
    chosen = choose(problem, len(problem.pool) if valued == "chosen" else budget, seed=seed, **options)
    if chosen.values is None:
        raise ValueError("The method gives its candidates no values, to which noise could be added. Leave noise out.")
    temperature = noise * _spread(chosen.values)
    if temperature > 0:
        rows = drawn(chosen.values.astype(np.float64) / temperature, budget, seed=seed)
    else:
        rows = lowest(chosen.values, budget, seed=seed)
    return dataclasses.replace(chosen, rows=rows, info=chosen.info | {"temperature": temperature})


def _spread(values: np.ndarray) -> float:
    """Returns the standard deviation of the finite `values`; 0 where there are none."""
    finite = values[np.isfinite(values)].astype(np.float64)
    return float(finite.std()) if len(finite) else 0.0
