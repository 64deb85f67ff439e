"""Stray texts in the target (two per cent of it) take the published selection over, and none of the trimmed one."""

import numpy as np
import pytest

from gotd_jax import ot
from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, select

KIND, OTHER, IRRELEVANT, TARGETS, STRAY, WIDTH = 400, 1200, 400, 150, 3, 32
BUDGET, FAR = 20, 40


def problem(seed):
    """Returns a pool of A, B and irrelevant C, in that order, a target half A, half B, and strays far beyond C."""
    rng = np.random.default_rng(seed)
    a, b, c = 4 * np.eye(WIDTH)[:3]
    centres = np.concatenate([np.tile(a, (OTHER, 1)), np.tile(b, (KIND, 1)), np.tile(c, (IRRELEVANT, 1))])
    vectors = centres + rng.normal(size=centres.shape)
    sides = ((a, TARGETS // 2), (b, TARGETS // 2), (FAR * c, STRAY))
    target = np.concatenate([np.tile(centre, (rows, 1)) for centre, rows in sides])
    target = (target + rng.normal(size=target.shape)).astype(np.float32)
    pool, texts = (Corpus.from_texts([f"{side} {row}" for row in range(rows)]) for side, rows in
                   (("pool", len(vectors)), ("target", len(target))))  # fmt: skip
    vectors = vectors.astype(np.float32)
    return Problem(pool, texts, lambda of: vectors if of is pool else target)


def chosen(given, **options):
    """Returns the shares of the selection that are B and C, and the report."""
    found = select("got_d", given, BUDGET, seed=0, **options)
    return np.mean((found.rows >= OTHER) & (found.rows < OTHER + KIND)), np.mean(found.rows >= OTHER + KIND), found.info


@pytest.mark.parametrize("seed", range(3))
def test_strays_take_the_selection_over_as_published_and_none_of_it_trimmed(seed):
    given = problem(seed)
    assert chosen(given)[1] > 0.7
    wanted, strays, info = chosen(given, trim=0.05)
    assert (wanted, strays) == (1.0, 0.0)
    dropped = info["mixture"]["trimmed_targets"]
    assert set(range(TARGETS, TARGETS + STRAY)) <= set(dropped)
    kept = info["mixture"]["kept_of_target"]
    assert max(kept[TARGETS:]) < 0.01 and np.mean(kept) == pytest.approx(0.95, abs=1e-3)


@pytest.mark.slow
def test_a_share_and_debiasing_leave_the_strays_out_as_well():
    given = problem(0)
    assert chosen(given, share=0.05)[1] > 0 and chosen(given, debias=600, epsilon=0.05)[1] > 0.5
    for options in ({"share": 0.05}, {"share": 0.05, "solver": "semidual"}, {"debias": 600, "epsilon": 0.05}):
        wanted, strays, info = chosen(given, trim=0.05, **options)
        assert strays == 0.0 and wanted > 0.9
        assert info["mixture"]["gap"] <= 1e-4


def test_what_cannot_be_trimmed_is_refused():
    for options, message in (({"trim": 1.0}, "trim is 1.0"), ({"trim": 0.1, **ot.PUBLISHED}, "'published', the notebook's")):
        with pytest.raises(ValueError, match=message):
            select("got_d", problem(0), BUDGET, seed=0, **options)
