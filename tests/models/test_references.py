"""The stored numbers of the published PyTorch implementations; `python -m third_party.torch_models` makes them."""

import numpy as np
import pytest

from gotd_jax.models import load
from tests.models.helpers import FAMILIES, HEADS, REFERENCES, hidden, logits, reference

# Logits here are of order 10 and agree to about 1e-5, hidden states of order 1 to 1e-6.
TOLERANCE = {"rtol": 0, "atol": 5e-5}


@pytest.mark.parametrize("padded", [True, False], ids=["padded", "full"])
@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_states_and_logits_equal_the_published(family, kind, padded):
    expected = reference(family, kind, padded)
    loaded = load(REFERENCES / family / kind, HEADS[kind])
    assert loaded.fresh == ()
    np.testing.assert_allclose(hidden(loaded, expected)[expected["mask"]], expected["hidden"][expected["mask"]], **TOLERANCE)
    rows = expected["mask"] if kind == "masked_lm" else slice(None)
    np.testing.assert_allclose(logits(loaded, expected)[rows], expected["logits"][rows], **TOLERANCE)


@pytest.mark.parametrize("family", FAMILIES)
def test_references_depend_on_the_padding_mask(family):
    expected = reference(family, "classification")
    unmasked = {**expected, "mask": np.ones_like(expected["mask"])}
    found = logits(load(REFERENCES / family / "classification", "classifier"), unmasked)
    assert np.abs(found - expected["logits"])[1:].min() > 1e-3
