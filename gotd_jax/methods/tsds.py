"""TSDS (Liu et al. 2024): optimal transport from the targets to their neighbours, kept from crowding on near duplicates."""

from __future__ import annotations

import numpy as np

from gotd_jax.methods.density import densities
from gotd_jax.methods.method import Method
from gotd_jax.methods.neighbours import embeddings_of, nearest
from gotd_jax.methods.problem import Problem, Selection, drawn


def select(
    problem: Problem,
    budget: int,
    *,
    seed: int,
    alpha: float = 0.5,
    scale: float = 5.0,
    sigma: float = 0.75,
    neighbours: int = 5000,
) -> Selection:
    """Returns `budget` candidates drawn without replacement in proportion to the mass that `transport` gives them.

    KNN-KDE of Liu et al. (NeurIPS 2024, arXiv 2410.11303), and with `sigma=0` their KNN-Uniform. Distances are Euclidean,
    between embeddings scaled to length one: their code takes embeddings as they come, and the numbers of its `config.yaml`,
    the defaults here, we take to be meant for unit length. A candidate's density, `densities`, is among the candidates
    that are some target's neighbour, as in their code. In embeddings that all lie within `sigma` of each other everything
    is a near duplicate; `info` says how many there are.

    It differs from their code in that the search is exact, that densities count all near duplicates and not the nearest
    1,000, that a target whose neighbours are all filled leaves nothing over for the last of them, and that texts are drawn
    once: theirs come with repeats. Candidates without any mass follow at random. The value of a candidate is minus the
    logarithm of its mass, infinite without any. A smaller budget of the same seed begins a larger one.

    Args:
      problem: pool and target; their embeddings are needed. An embedding of length zero has cosine 0 to all.
      budget: how many chunks to select.
      seed: draws the sample.
      alpha: weight of nearness against diversity, in [0, 1]: 1 is each target's nearest candidate, 0 spreads over all
        neighbours.
      scale: C, of the order of the embeddings' distances, above 0; the larger, the more diverse.
      sigma: the kernel's width for near duplicates; 0 counts none.
      neighbours: how far from a target mass can go, at least 1; at most a tenth of the pool.

    Raises:
      ValueError: an option is out of range; embeddings that are not finite or of different dimensions.
    """
    if not (0 <= alpha <= 1 and scale > 0 and sigma >= 0 and neighbours >= 1):
        raise ValueError(
            f"TSDS takes alpha in [0, 1], scale above 0, sigma of 0 or more and 1 neighbour or more, not alpha={alpha}, "
            f"scale={scale}, sigma={sigma}, neighbours={neighbours}."
        )
    candidates, targets = embeddings_of(problem)
    reach = min(neighbours, max(len(candidates) // 10, 1))
    similarities, rows = nearest(candidates, targets, reach)
    found, places = np.unique(rows, return_inverse=True)
    crowding = densities(candidates[found], sigma) if sigma else np.ones(len(found), np.float32)
    shares = transport(np.sqrt(2.0 - 2.0 * similarities), crowding[places], alpha, scale)
    mass = np.bincount(rows.ravel(), shares.ravel(), minlength=len(candidates))
    with np.errstate(divide="ignore"):
        values = -np.log(mass).astype(np.float32)
    info = {
        "neighbours_searched": reach,
        "mean_neighbours_with_mass": float((shares > 0).sum(axis=1).mean()),
        "candidates_with_mass": int((mass > 0).sum()),
        "mean_near_duplicates": float(crowding.mean() - 1.0),
    }
    return Selection(drawn(values, budget, seed=seed), values, info)


METHOD = Method(select, reads={"target", "embeddings"})


def transport(distances: np.ndarray, densities: np.ndarray, alpha: float, scale: float) -> np.ndarray:
    """Returns the mass g that each target sends to each of its neighbours, float64 [m, k]; a target sends 1/m.

    It minimises alpha/C sum_ij g_ij d_ij + (1 - alpha) m max_ij r_j g_ij over these g, r the densities. (Liu et al.'s G_KDE
    has |g_ij - (1/r_j) / (m sum_j' 1/r_j')| for g_ij; the two differ by a constant as long as mass goes no further than to
    half of the pool, by 1/r.) A neighbour's room is 1/r_j; each target fills the rooms nearest to it up to the same level s,
    g_ij = (mass in the room) / (m s). Raising s lowers the maximum, 1/s, and pushes mass away; at the best s the two
    balance: alpha/C sum_i sum_{j filled} (d_i,next - d_ij) / r_j reaches (1 - alpha) m. That sum only rises where a room
    becomes full, so it is enough to look at those levels, all targets' in order. Where it never does, all rooms are full.

    Args:
      distances: float [m, k], ascending in each row.
      densities: of those neighbours, float [m, k], at least 1.
      alpha: weight of nearness, in [0, 1].
      scale: C, above 0.
    """
    room = 1.0 / densities.astype(np.float64)
    filled = np.cumsum(room, axis=1)
    pushed = distances[:, 1:] * filled[:, :-1] - np.cumsum(distances * room, axis=1)[:, :-1]
    levels = filled[:, :-1].ravel()
    order = np.argsort(levels, kind="stable")
    pushed = np.cumsum(np.diff(pushed, axis=1, prepend=0.0).ravel()[order])
    balanced = np.flatnonzero(alpha * pushed >= (1.0 - alpha) * scale * len(distances))
    level = levels[order[balanced[0]]] if len(balanced) else np.inf
    held = np.clip(level - (filled - room), 0.0, room)
    return held / held.sum(axis=1, keepdims=True) / len(distances)
