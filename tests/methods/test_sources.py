"""Methods that read embeddings, on a pool whose sources are known."""

import numpy as np
import pytest

from gotd_jax.methods import select
from tests.methods.test_tapt_c import problem

DRAWS = np.random.default_rng(0)
CENTRES = DRAWS.normal(size=(8, 16))
SOURCES = np.repeat(np.arange(8), 60)
OF_THE_TARGET = (2, 5)


def around(sources):
    return (CENTRES[sources] + 0.3 * DRAWS.normal(size=(len(sources), 16))).astype(np.float32)


GIVEN = problem(around(SOURCES), around(np.repeat(OF_THE_TARGET, 10)))


@pytest.mark.parametrize("method", ["tapt_c", "rds_plus", "top_cosine", "tsds", "crisp"])
def test_what_is_selected_comes_from_the_target_s_sources(method):
    rows = select(method, GIVEN, 60, seed=0).rows
    assert np.isin(SOURCES[rows], OF_THE_TARGET).all()


@pytest.mark.parametrize("method", ["tapt_c", "rds_plus", "tsds", "crisp"])
def test_both_of_the_target_s_sources_are_served(method):
    rows = select(method, GIVEN, 60, seed=0).rows
    assert min((SOURCES[rows] == source).sum() for source in OF_THE_TARGET) >= 18
