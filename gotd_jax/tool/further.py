"""What a selection would go on with, had it a larger budget."""

from __future__ import annotations

import numpy as np

from gotd_jax.tool.material import Material


def ranking(material: Material, size: int) -> np.ndarray:
    """Returns the chosen rows and what the method would choose next, rows of the candidates, int64 [up to size].

    Next are the candidates of the lowest values, those of several targets in turn, in proportion to their shares. Only where
    the selection itself is the lowest values of each target: one that was drawn, or that has no values, ends where it ends.
    """
    left = np.ones(len(material.candidates), bool)
    left[material.rows] = False
    if not left.any() or not all(_is_lowest(material, number, left) for number in range(len(material.targets))):
        return material.rows
    rest = np.flatnonzero(left)
    orders = [rest[np.argsort(target.values[rest], kind="stable")][:size] for target in material.targets]
    turns = [np.arange(1, len(order) + 1) / share for order, share in zip(orders, material.shares())]
    merged = np.concatenate(orders)[np.argsort(np.concatenate(turns), kind="stable")]
    _, firsts = np.unique(merged, return_index=True)
    return np.concatenate([material.rows, merged[np.sort(firsts)]])[:size]


def _is_lowest(material: Material, number: int, left: np.ndarray) -> bool:
    """Returns whether no candidate that is left has a lower value for a target than one that was chosen for it."""
    values = material.targets[number].values
    chosen = material.rows[material.served == number]
    return values is not None and (len(chosen) == 0 or bool(values[chosen].max() <= values[left].min()))
