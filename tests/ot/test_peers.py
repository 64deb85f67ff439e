"""The peers of the benchmark solve the same problem: their potentials, in our convention, have a small true error."""

import functools

import numpy as np
import pytest

from gotd_jax.ot.transport import Transport
from third_party import geomloss_sinkhorn, ott_solvers, pot_solvers


@pytest.fixture(scope="module")
def transport(clouds):
    return Transport(*clouds, epsilon=0.05, absolute=False)


def true_error(transport, clouds, solve):
    return transport.evaluate(solve(*clouds, transport.epsilon)).error


@pytest.mark.parametrize(
    "solve",
    [
        ott_solvers.dense,
        ott_solvers.dense_momentum,
        functools.partial(ott_solvers.online, batch_size=500),
        pot_solvers.pot_sinkhorn,
    ],
    ids=["dense", "momentum", "online", "pot"],
)
def test_peers_reach_the_error_they_are_stopped_at(transport, clouds, solve):
    assert true_error(transport, clouds, solve) < 1.5e-3


@pytest.mark.parity
def test_geomloss_comes_near(transport, clouds):
    solve = geomloss_sinkhorn.geomloss
    nothing = transport.evaluate(np.zeros(len(clouds[1]))).error
    assert true_error(transport, clouds, solve) < 0.5 * nothing
    assert true_error(transport, clouds, functools.partial(solve, scaling=0.99)) < 0.02


def test_online_iterations_are_those_of_the_dense_solver(clouds, transport):
    assert ott_solvers.iterations_of_dense(*clouds, transport.epsilon) % 10 == 0
    ott_solvers.online_iterations(*clouds, transport.epsilon, 2, batch_size=500)
