"""How much to regularise: the ranking by epsilon, measured."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from experiments.exact_transport import effective_cost, shared
from gotd_jax import ot
from gotd_jax.methods.problem import lowest
from third_party.pot_solvers import exact_duals

EPSILONS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # of the mean cost
SPLITS = 3
BUDGET = 0.05  # of the pool
MIX = 0.2  # lambda: the mass that the selection gets


def advice(x: np.ndarray, y: np.ndarray, *, targets: int) -> list[dict]:
    """Returns a row for each epsilon, then for the exact duals.

    Agreement with the exact duals of all candidates and the first `targets` targets; then, for targets of three sizes, the
    exact OT cost from (1 - lambda) pool + lambda selection to 700 held-out texts (fewer if there are fewer), relative to
    that from the pool alone: below 1 is nearer. Means over splits.

    Args:
      x: candidates, float32 [n, d].
      y: target texts, float32 [more than `targets`, d].
      targets: how many the duals are compared on.
    """
    exact, _, _ = exact_duals(x, y[:targets])
    few = (max(targets // 20, 5), max(targets // 5, 10), targets)
    half = x[: len(x) // 2]
    rows = []
    for epsilon in (*EPSILONS, 0.0):
        values = _values(x, y[:targets], epsilon)
        row = {
            "epsilon": f"{epsilon:.1%}" if epsilon else "0 (exact)",
            "rank correlation": f"{spearmanr(values, exact).statistic:.3f}",
            "top 1 %": f"{overlap(values, exact, 0.01):.2f}",
            "top 5 %": f"{overlap(values, exact, 0.05):.2f}",
        }
        for size in few:
            costs = [_held_out(half, y, size, epsilon, split) for split in range(SPLITS)]
            row[f"held out, {size} targets"] = f"{np.mean(costs):.4f}"
        print("  " + ", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
        rows.append(row)
    return rows


def _values(x: np.ndarray, y: np.ndarray, epsilon: float) -> np.ndarray:
    return ot.solve(x, y, epsilon=epsilon).candidate if epsilon else exact_duals(x, y)[0]


def overlap(values: np.ndarray, exact: np.ndarray, share: float) -> float:
    """Returns the share of the lowest `share` of `values` that is among as many of the lowest `exact`."""
    count = max(round(share * len(values)), 1)
    return shared(lowest(values, count), lowest(exact, count))


def _held_out(x: np.ndarray, y: np.ndarray, size: int, epsilon: float, split: int) -> float:
    order = np.random.default_rng(split).permutation(len(y))
    target, held = y[order[:size]], y[order[-(len(y) * 7 // 27) :]]
    chosen = x[lowest(_values(x, target, epsilon), round(BUDGET * len(x)))]
    return effective_cost(x, chosen, held, MIX) / effective_cost(x, chosen, held, 0.0)
