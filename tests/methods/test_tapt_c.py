"""TAPT/c against exhaustive searches."""

import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select

DRAWS = np.random.default_rng(0)
CANDIDATES = DRAWS.normal(size=(137, 6)).astype(np.float32) * DRAWS.uniform(0.1, 10, (137, 1)).astype(np.float32)
TARGETS = DRAWS.normal(size=(11, 6)).astype(np.float32) + 1


def problem(candidates=CANDIDATES, targets=TARGETS):
    pool, target = (
        Corpus.from_texts([f"{side} {row}" for row in range(len(x))]) for side, x in (("c", candidates), ("t", targets))
    )
    return Problem(pool, target, lambda corpus: candidates if corpus is pool else targets)


def cosines(candidates=CANDIDATES, targets=TARGETS):
    candidates, targets = (
        x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1)[:, None] for x in (candidates, targets)
    )
    return targets @ candidates.T


def retrieved_one_by_one(budget):
    """The rule in words, as slow as it reads."""
    similar = cosines()
    neighbours = np.argsort(-similar, axis=1)
    rows = []
    for rank in range(len(CANDIDATES)):
        met = sorted(
            ((similar[target, neighbours[target, rank]], neighbours[target, rank]) for target in range(len(TARGETS))),
            reverse=True,
        )
        for _, row in met:
            if row not in rows:
                rows.append(row)
            if len(rows) == budget:
                return rows


def test_neighbours_are_taken_rank_by_rank_without_repeats():
    for budget in [1, 11, 12, 40, 136, 137]:
        assert select("tapt_c", problem(), budget, seed=0).rows.tolist() == retrieved_one_by_one(budget), budget


def test_value_is_the_best_rank_and_the_cosine_there():
    selection = select("tapt_c", problem(), 20, seed=0)
    similar = cosines()
    ranks = np.argsort(np.argsort(-similar, axis=1), axis=1) + 1
    searched = selection.info["neighbours_searched"]
    best = ranks.min(axis=0)
    closest = np.where(ranks == best, similar, -np.inf).max(axis=0)
    expected = np.where(best <= searched, best + (1 - closest) / 2, np.inf)
    np.testing.assert_allclose(selection.values, expected, rtol=1e-6)
    assert np.isinf(selection.values).any()


def test_equal_candidates_come_in_pool_order():
    twice = np.concatenate([CANDIDATES[:5]] * 2)
    rows = select("tapt_c", problem(twice, TARGETS[:1]), 10, seed=0).rows
    assert [row for row in rows if row < 5] == [row - 5 for row in rows if row >= 5]
    assert all(rows.tolist().index(row) < rows.tolist().index(row + 5) for row in range(5))


def test_candidates_that_all_targets_share_make_the_search_go_further():
    targets = np.concatenate([TARGETS[:1] * scale for scale in (1, 2, 3, 4)])
    selection = select("tapt_c", problem(targets=targets), 8, seed=0)
    assert selection.rows.tolist() == np.argsort(-cosines()[0])[:8].tolist()
    assert selection.info == {"neighbours_searched": 8, "last_rank": 8, "retrieved_with_repeats": 29}


@pytest.mark.parametrize("side", ["candidates", "targets"])
def test_embeddings_that_are_not_finite_are_an_error(side):
    broken = {"candidates": CANDIDATES.copy(), "targets": TARGETS.copy()}
    broken[side][3, 2] = np.nan
    with pytest.raises(ValueError, match=f"Row 3 of the {side}"):
        select("tapt_c", problem(**broken), 5, seed=0)
