import numpy as np
import pytest

SOLVERS = ("sinkhorn", "semidual")


@pytest.fixture(scope="session")
def clouds():
    """Returns a pool of 1,201 candidates and 97 targets that differ in mean and spread."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(1201, 16)).astype(np.float32), (0.7 * rng.normal(size=(97, 16)) + 0.3).astype(np.float32)


@pytest.fixture(scope="session")
def clusters():
    """Returns 20,001 candidates of many clusters and 150 targets of a few: large enough to be solved on samples first."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(30, 12))
    candidates = centres[rng.integers(30, size=20_001)] + 0.5 * rng.normal(size=(20_001, 12))
    targets = centres[rng.integers(5, size=150)] + 0.5 * rng.normal(size=(150, 12)) + 0.1
    return candidates.astype(np.float32), targets.astype(np.float32)


@pytest.fixture(params=SOLVERS)
def solver(request):
    return request.param


def costs_of(x, y):
    """Returns |x_i - y_j|^2, float64 [n, m]."""
    return ((x[:, None].astype(np.float64) - y[None]) ** 2).sum(-1)


def plan_of(x, y, potentials):
    """Returns the plan of uniform weights, float64 [n, m]."""
    exponents = (potentials.candidate[:, None] + potentials.target[None] - costs_of(x, y)) / potentials.epsilon
    return np.exp(exponents) / (len(x) * len(y))


def centred(values):
    values = np.asarray(values, np.float64)
    return values - values.mean()
