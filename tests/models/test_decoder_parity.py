"""Decoders live against the published PyTorch implementations, on fresh random weights: `pytest -m parity`."""

import jax
import numpy as np
import pytest
from flax import nnx

from gotd_jax import models
from tests.models.test_decoder import logits
from third_party import torch_decoders

pytestmark = pytest.mark.parity
CASES = {
    f"{model_type}, {name}": (model_type, changes)
    for model_type in torch_decoders.SIZES
    for name, changes in {"plain": {}, **torch_decoders.VARIANTS[model_type]}.items()
}
cases = pytest.mark.parametrize(("model_type", "changes"), CASES.values(), ids=CASES)


@pytest.mark.parametrize("seed", [11, 12])
@cases
def test_logits_equal_pytorch(model_type, changes, seed, tmp_path):
    model = torch_decoders.build(model_type, seed=seed, **changes)
    model.save_pretrained(tmp_path)
    loaded = models.load(tmp_path)
    for side in (None, "left", "right"):
        batch = torch_decoders.batch(seed=seed, side=side)
        expected = torch_decoders.logits(model, batch)[batch["mask"]]
        np.testing.assert_allclose(logits(loaded, batch["ids"], batch["mask"])[batch["mask"]], expected, atol=1e-4)


@cases
def test_saved_folder_loads_in_transformers(model_type, changes, tmp_path):
    import transformers

    torch_decoders.build(model_type, seed=5, **changes).save_pretrained(tmp_path / "published")
    loaded = models.load(tmp_path / "published")
    moved = jax.tree.map(
        lambda leaf: leaf + 0.1 * np.random.default_rng(0).normal(size=leaf.shape).astype(np.float32), loaded.params
    )
    models.save(tmp_path / "ours", loaded, moved)
    again, notes = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert {kind: list(names) for kind, names in notes.items() if names} == {}
    batch = torch_decoders.batch(seed=5, side="left")
    found = np.asarray(nnx.merge(loaded.definition, moved)(batch["ids"], batch["mask"]))
    np.testing.assert_allclose(found[batch["mask"]], torch_decoders.logits(again.eval(), batch)[batch["mask"]], atol=1e-4)


def test_a_fresh_models_folder_loads_in_transformers(tmp_path):
    import transformers

    for model_type in torch_decoders.SIZES:
        torch_decoders.build(model_type, seed=5).save_pretrained(tmp_path / model_type)
        config = models.load(tmp_path / model_type).config
        fresh = models.initialise(config, seed=1)
        models.save(tmp_path / f"{model_type}-fresh", fresh)
        model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / f"{model_type}-fresh").eval()
        batch = torch_decoders.batch(seed=5, side="right")
        expected = torch_decoders.logits(model, batch)[batch["mask"]]
        np.testing.assert_allclose(logits(fresh, batch["ids"], batch["mask"])[batch["mask"]], expected, atol=1e-4)
