"""The candidates with which a selection would go on under a larger budget."""

from __future__ import annotations

import numpy as np

from gotd_jax.tool.report_inputs import ReportInputs


def extended_ranking(inputs: ReportInputs, size: int) -> np.ndarray:
    """Returns the chosen rows and those that the method would choose next, rows of the candidates, int64 [up to size].

    The next ones are the candidates of the lowest values, several targets taking turns by their shares. A selection is
    extended only if it holds the lowest values of each target, not if it was drawn or has no values.
    """
    left = np.ones(len(inputs.candidates), bool)
    left[inputs.rows] = False
    if not left.any() or not all(_is_lowest(inputs, number, left) for number in range(len(inputs.targets))):
        return inputs.rows
    rest = np.flatnonzero(left)
    orders = [rest[np.argsort(target.values[rest], kind="stable")][:size] for target in inputs.targets]
    turns = [np.arange(1, len(order) + 1) / share for order, share in zip(orders, inputs.shares())]
    merged = np.concatenate(orders)[np.argsort(np.concatenate(turns), kind="stable")]
    _, firsts = np.unique(merged, return_index=True)
    return np.concatenate([inputs.rows, merged[np.sort(firsts)]])[:size]


def _is_lowest(inputs: ReportInputs, number: int, left: np.ndarray) -> bool:
    """Returns whether no candidate that is left has a lower value for a target than one that was chosen for it."""
    values = inputs.targets[number].values
    chosen = inputs.rows[inputs.served == number]
    return values is not None and (len(chosen) == 0 or bool(values[chosen].max() <= values[left].min()))
