"""A selection on vectors that a pool scales, and on gradients of the model's own loss."""

import numpy as np
import pytest

from gotd_jax import tool


def lengths(chosen):
    return np.linalg.norm(np.load(chosen.folder / "embeddings.npy"), axis=1)


@pytest.mark.slow
def test_vectors_whitened_by_the_candidates_are_selected_on_and_told_in_the_manifest(asked, texts, tmp_path):
    chosen = tool.select(asked(normalise="whitened", directions=8), tmp_path / "chosen")
    model = chosen.manifest["model"]
    assert {name: model[name] for name in ("normalise", "directions", "shrinkage", "of_unit_vectors")} == {
        "normalise": "whitened",
        "directions": 8,
        "shrinkage": 0.1,
        "of_unit_vectors": False,
    }
    np.testing.assert_allclose(lengths(chosen), 1, atol=1e-5)
    assert np.load(chosen.folder / "embeddings.npy").shape == (20, 8)
    assert not [fault for check in tool.verify(chosen) for fault in check.faults]
    fewer = asked(normalise="whitened", directions=8, pool=[str(texts / "food.jsonl"), str(texts / "sea.jsonl")])
    other = tool.select(fewer, tmp_path / "other", work=tmp_path / "chosen.work")
    assert other.manifest["model"]["pool"] != model["pool"]  # other candidates, another mean


@pytest.mark.slow
def test_gradients_of_a_decoders_loss_are_selected_on(asked, tiny_decoder, tmp_path):
    fields = {"model": str(tiny_decoder), "pooling": "gradient", "gradient_size": 64, "max_length": 16}
    chosen = tool.select(asked(**fields), tmp_path / "chosen")
    assert chosen.manifest["model"]["gradient"] == {"layers": None, "size": 64, "seed": 0, "base": None}
    assert chosen.manifest["model"]["normalise"] == "unit"
    np.testing.assert_allclose(lengths(chosen), 1, atol=1e-5)
    assert np.load(chosen.folder / "embeddings.npy").shape == (20, 64)
    assert not [fault for check in tool.verify(chosen) for fault in check.faults]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"normalise": "length"}, "no normalisation 'length'"),
        ({"directions": 8}, "Only whitened vectors"),
        ({"pooling": "gradient", "gradient_size": 100}, "power of two"),
        ({"pooling": "gradient", "gradient_layers": 9}, "gradient of the last 9"),
        ({"gradient_layers": 1}, "gradient_layers 1 go with gradient"),
        ({"layers": 9}, "has 2 layers, and 9 were asked for"),
    ],
)
def test_vectors_that_cannot_be_are_refused_before_texts_are_read(asked, tmp_path, fields, said):
    for command in (lambda request: tool.select(request, tmp_path / "chosen"), tool.plan):
        with pytest.raises(ValueError, match=said):
            command(asked(**fields))
    assert not (tmp_path / "chosen.work").exists()
