"""Mixtures of clusters, and the linear programme that the selection for a finite share solves."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from tests.ot.conftest import costs_of


def mixture_of_clusters(seed, candidates, targets, dimensions=16, clusters=25):
    """Returns a pool and a target, float32, of the same clusters in other proportions: first-order selections cover few."""
    rng = np.random.default_rng(seed)
    centres = 2.0 * rng.normal(size=(clusters, dimensions))
    sides = ((candidates, rng.dirichlet(np.ones(clusters))), (targets, rng.dirichlet(np.full(clusters, 0.5))))
    return tuple(
        (centres[rng.choice(clusters, rows, p=shares)] + rng.normal(size=(rows, dimensions))).astype(np.float32)
        for rows, shares in sides
    )


def programme(x, y, count, share, trim=0.0, rest=None):
    """Returns the least cost, the selection w, [n], and the target's weights that are kept, [m], by scipy's HiGHS.

    Args:
      x: candidates, [n, d].
      y: targets, [m, d].
      count: at least as many candidates share the selection's mass.
      share: of the mass that the selection has.
      trim: share of the target that need not be served.
      rest: where the rest of the mass lies, [l, d]; None for x.
    """
    rest = x if rest is None else rest
    sources, m, n = np.concatenate([x, rest]), len(y), len(x)
    plan = len(sources) * m
    rows = sparse.kron(sparse.eye(len(sources)), np.ones((1, m)))
    columns = sparse.kron(np.ones((1, len(sources))), sparse.eye(m))
    selected = sparse.vstack([-share * sparse.eye(n), sparse.csr_matrix((len(rest), n))])
    equal = sparse.bmat(
        [[rows, selected, None], [columns, None, -sparse.eye(m)], [None, np.ones((1, n)), None], [None, None, np.ones((1, m))]]
    )
    right = np.concatenate([np.zeros(n), np.full(len(rest), (1 - share) / len(rest)), np.zeros(m), [1.0, 1.0]])
    bounds = [(0, None)] * plan + [(0, 1 / count)] * n + [(0, 1 / m / (1 - trim))] * m
    found = linprog(np.append(costs_of(sources, y).ravel(), np.zeros(n + m)), A_eq=equal, b_eq=right, bounds=bounds)
    return found.fun, found.x[plan : plan + n], found.x[plan + n :]
