"""CRISP (Grangier et al. 2025): importance sampling of the pool's clusters by how many targets fall into each."""

from __future__ import annotations

import functools

import numpy as np

from gotd_jax.data import sampling
from gotd_jax.methods.method import Method
from gotd_jax.methods.neighbours import embeddings_of, unit
from gotd_jax.methods.problem import Problem, Selection, drawn

TEXTS_PER_CLUSTER = 10  # at least, on average
TEXTS_CLUSTERED = 262_144
TEXTS_PER_BLOCK = 8192
CLUSTERING_SEED = 0  # the clusters, and so the values, are the same whatever seed the sample is drawn with


def select(problem: Problem, budget: int, *, seed: int, clusters: int = 256) -> Selection:
    """Returns `budget` candidates drawn without replacement in proportion to their clusters' importance weights.

    The pool's embeddings, scaled to length one, are clustered by k-means. A cluster c weighs w(c) = P(c | target) /
    P(c | pool), the shares of their texts in it, and so does each of its candidates (Grangier et al., ICLR 2025, arXiv
    2410.03735). They draw a cluster from the target's histogram and then a text of that cluster uniformly, which gives a
    text the same probability; they train on the stream and may see texts again, here each is drawn once. Clusters that no
    target fell into weigh 0; when the others are used up, their texts follow at random. The value of a candidate is
    -log w, infinite where w is 0. A smaller budget of the same seed begins a larger one.

    Their clusters are hierarchical, over a pool of web scale, of sentence embeddings, and of many sizes, up to millions;
    here they are few enough that hundreds of targets can tell them apart, by scikit-learn's MiniBatchKMeans on at most
    262,144 texts of the pool.

    Args:
      problem: pool and target; their embeddings are needed.
      budget: how many chunks to select.
      seed: draws the sample, and not the clusters.
      clusters: how many, at least 1; at most a tenth of the pool. With 1 it is `random`.

    Raises:
      ValueError: `clusters` is below 1; embeddings that are not finite or of different dimensions.
    """
    if clusters < 1:
        raise ValueError(f"CRISP needs 1 cluster or more, not {clusters}.")
    candidates, targets = embeddings_of(problem)
    clusters = min(clusters, max(len(candidates) // TEXTS_PER_CLUSTER, 1))
    of_pool, of_target = _clusters_of(problem, clusters)
    in_pool, in_target = (np.bincount(of, minlength=clusters) for of in (of_pool, of_target))
    with np.errstate(divide="ignore", invalid="ignore"):  # a cluster may have no text of either side
        values = -np.log((in_target / len(targets)) / (in_pool / len(candidates)))[of_pool].astype(np.float32)
    info = {
        "clusters": clusters,
        "clusters_with_targets": int((in_target > 0).sum()),
        "candidates_in_them": int(in_pool[in_target > 0].sum()),
        "targets_in_clusters_without_candidates": int(in_target[in_pool == 0].sum()),
    }
    return Selection(drawn(values, budget, seed=seed), values, info)


METHOD = Method(select, reads={"target", "embeddings"})


@functools.lru_cache(maxsize=1)  # a budget in tokens asks for several selections of one problem
def _clusters_of(problem: Problem, clusters: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cluster of each candidate and of each target, integers [n] and [m]."""
    k_means = _clustered(problem.candidates, clusters)
    return _assigned(problem.candidates, k_means), _assigned(problem.targets, k_means)


def _clustered(embeddings: np.ndarray, clusters: int):
    """Returns k-means fitted to at most `TEXTS_CLUSTERED` of the embeddings, scaled to length one."""
    from sklearn.cluster import MiniBatchKMeans

    k_means = MiniBatchKMeans(clusters, random_state=CLUSTERING_SEED, batch_size=4096, n_init=3)
    rows = sampling.drawn(len(embeddings), TEXTS_CLUSTERED, CLUSTERING_SEED)
    return k_means.fit(np.asarray(unit(embeddings[rows])))


def _assigned(embeddings: np.ndarray, k_means) -> np.ndarray:
    """Returns the cluster of each embedding, integers [rows], a block at a time."""
    starts = range(0, len(embeddings), TEXTS_PER_BLOCK)
    return np.concatenate([k_means.predict(np.asarray(unit(embeddings[start : start + TEXTS_PER_BLOCK]))) for start in starts])
