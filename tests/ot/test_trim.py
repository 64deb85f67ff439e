"""A target without its costliest part: against linear programmes, and stray points that would take the selection over."""

import numpy as np
import pytest

from gotd_jax import ot
from tests.ot.conftest import centred, costs_of
from tests.ot.mixtures import mixture_of_clusters, programme


@pytest.mark.parametrize(("share", "trim"), [(0.0, 0.2), (0.0, 0.4), (0.5, 0.3)])
def test_cost_and_what_is_kept_are_those_of_the_linear_programme(share, trim):
    x, y = mixture_of_clusters(11, 40, 8, dimensions=3, clusters=5)
    found = ot.solve_mixture(x, y, count=6, share=share, trim=trim, epsilon=2e-3)
    cost, weights, kept = programme(x, y, 6, share, trim)
    slack = found.gap * found.potentials.mean_cost
    # The plan's distance from independence is taken to the whole target, of which the kept part is 1 / (1 - trim) as dense.
    assert cost - slack <= found.potentials.cost <= cost + slack + found.potentials.epsilon * np.log(8)
    np.testing.assert_allclose(found.kept / 8 / (1 - trim), kept, atol=0.02)
    if share:
        np.testing.assert_allclose(found.weights, weights, atol=0.02)
    assert 0 < found.potentials.cost < ot.solve(x, y, epsilon=2e-3).cost


def test_to_trim_next_to_nothing_is_to_trim_nothing():
    x, y = mixture_of_clusters(12, 2000, 40)
    whole, trimmed = ot.solve(x, y, threshold=1e-4), ot.solve_mixture(x, y, count=10, trim=1e-6, threshold=1e-4).potentials
    np.testing.assert_allclose(centred(trimmed.candidate), centred(whole.candidate), atol=1e-3 * whole.mean_cost)
    assert trimmed.cost == pytest.approx(whole.cost, rel=1e-4)


def test_the_plan_serves_no_target_beyond_its_allowance():
    x, y = mixture_of_clusters(13, 2000, 40)
    found = ot.solve_mixture(x, y, count=10, trim=0.3)
    potentials = found.potentials
    exponents = (potentials.candidate[:, None] + potentials.target[None] - costs_of(x, y)) / potentials.epsilon
    plan = np.exp(exponents) / (len(x) * len(y))
    np.testing.assert_allclose(plan.sum(axis=0), found.kept / len(y) / 0.7, atol=2e-3 / len(y))
    np.testing.assert_allclose(plan.sum(axis=1), 1 / len(x), rtol=1e-3)
    assert found.kept.max() <= 1 + 1e-9 and found.kept.mean() == pytest.approx(0.7)


def test_unequal_target_weights_are_repeated_targets():
    x, y = mixture_of_clusters(14, 300, 40)
    weights = np.full(40, 1 / 60)
    weights[:20] *= 2
    merged = ot.solve_mixture(x, y, count=10, trim=0.2, share=0.2, epsilon=0.02, target_weights=weights)
    given = {"epsilon": merged.potentials.epsilon, "absolute": True}
    repeated = ot.solve_mixture(x, np.concatenate([y, y[:20]]), count=10, trim=0.2, share=0.2, **given)
    assert merged.potentials.cost == pytest.approx(repeated.potentials.cost, rel=1e-4)
    np.testing.assert_allclose(merged.kept, repeated.kept[:40], atol=0.02)
