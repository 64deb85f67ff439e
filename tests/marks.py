"""Which cases are in every run of the tests, and which in CI's alone."""

import pytest


def others_slow(first, *others):
    """Returns the values of a parameter, all but the first marked slow: one of a kind in every run, each of them in CI."""
    return [first, *(pytest.param(value, marks=pytest.mark.slow) for value in others)]
