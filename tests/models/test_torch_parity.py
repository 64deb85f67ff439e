"""Live against the published PyTorch implementations, on fresh random weights: `pytest -m parity`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx, traverse_util

from gotd_jax.models.published import load, save
from gotd_jax.models.weights import names_of, to_hf_layout
from tests.models.helpers import hidden, logits
from third_party import torch_models

pytestmark = pytest.mark.parity
FAMILIES = tuple(torch_models.SIZES)
HEADS = tuple(torch_models.CLASSES)
TOLERANCE = {"rtol": 0, "atol": 1e-4}


def publish(folder, model_type, head, seed, **changes):
    model = torch_models.build(model_type, head, seed=seed, **changes)
    model.save_pretrained(folder)
    return model


def assert_same_numbers(model, loaded, batch):
    expected, mask = torch_models.run(model, batch), batch["mask"]
    np.testing.assert_allclose(hidden(loaded, batch)[mask], expected["hidden"][mask], **TOLERANCE)
    if loaded.head:
        rows = mask if loaded.head == "masked_lm" else slice(None)
        np.testing.assert_allclose(logits(loaded, batch)[rows], expected["logits"][rows], **TOLERANCE)


def trained(params, seed=0):
    """Parameters that have moved, each entry by its own amount."""
    random = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: leaf + 0.1 * random.normal(size=leaf.shape).astype(np.float32), params)


def reload(folder, head):
    import transformers

    automatic = getattr(transformers, torch_models.CLASSES[head])
    model, notes = automatic.from_pretrained(folder, output_loading_info=True)
    assert {kind: list(names) for kind, names in notes.items() if names} == {}
    return model.eval()


@pytest.mark.parametrize("seed", [101, 202])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("model_type", FAMILIES)
def test_hidden_states_and_logits_equal_pytorch(model_type, head, seed, tmp_path):
    model = publish(tmp_path, model_type, head, seed)
    loaded = load(tmp_path, head)
    for padded in (True, False):
        assert_same_numbers(model, loaded, torch_models.batch(model_type, seed=seed, padded=padded))


@pytest.mark.parametrize("activation", ["gelu_new", "gelu_pytorch_tanh", "relu"])
@pytest.mark.parametrize("model_type", ["bert", "roberta"])
def test_other_activations_equal_pytorch(model_type, activation, tmp_path):
    model = publish(tmp_path, model_type, "masked_lm", 303, hidden_act=activation)
    assert_same_numbers(model, load(tmp_path, "masked_lm"), torch_models.batch(model_type, seed=303, padded=True))


def test_a_padding_token_inside_a_roberta_text_is_counted_as_pytorch_counts_it(tmp_path):
    model = publish(tmp_path, "roberta", None, 404)
    batch = torch_models.batch("roberta", seed=404, padded=True)
    batch["ids"][0, 4] = 1
    assert_same_numbers(model, load(tmp_path), batch)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("model_type", FAMILIES)
def test_a_trained_model_is_loaded_by_transformers_with_the_same_numbers(model_type, head, tmp_path):
    publish(tmp_path / "published", model_type, head, 505)
    loaded = load(tmp_path / "published", head)
    params = trained(loaded.params)
    folder = save(tmp_path / "trained", loaded, params)
    ours = load(folder, head)
    assert jax.tree.all(jax.tree.map(lambda x, y: bool((x == y).all()), ours.params, params))
    assert_same_numbers(reload(folder, head), ours, torch_models.batch(model_type, seed=505, padded=True))


@pytest.mark.parametrize("head", ["masked_lm", "classifier"])
@pytest.mark.parametrize("model_type", FAMILIES)
def test_a_fresh_head_on_a_bare_body_is_loaded_by_transformers(model_type, head, tmp_path):
    publish(tmp_path / "published", model_type, None, 606)
    loaded = load(tmp_path / "published", head, outputs=1 if head == "classifier" else None)
    assert loaded.fresh in [("head",), ("head.output",)]
    folder = save(tmp_path / "trained", loaded)
    assert_same_numbers(reload(folder, head), loaded, torch_models.batch(model_type, seed=606, padded=True))


def test_labels_and_problem_reach_transformers(tmp_path):
    publish(tmp_path / "published", "bert", "masked_lm", 707)
    loaded = load(tmp_path / "published", "classifier", outputs=2)
    config = reload(save(tmp_path / "trained", loaded, labels=["no", "yes"]), "classifier").config
    assert config.id2label == {0: "no", 1: "yes"} and config.num_labels == 2
    assert config.problem_type == "single_label_classification"


def test_a_half_precision_source_is_saved_and_read_in_float32(tmp_path):
    import torch

    publish(tmp_path / "published", "bert", "masked_lm", 808)
    torch_models.build("bert", "masked_lm", seed=808).to(torch.bfloat16).save_pretrained(tmp_path / "half")
    loaded = load(tmp_path / "half", "masked_lm")
    model = reload(save(tmp_path / "trained", loaded), "masked_lm")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert_same_numbers(model, loaded, torch_models.batch("bert", seed=808, padded=True))


def torch_gradients(model, loss):
    loss.backward()
    return {name: parameter.grad.numpy() for name, parameter in model.named_parameters() if parameter.grad is not None}


@pytest.mark.parametrize("model_type", ["bert", "roberta", "distilbert"])
@pytest.mark.parametrize("head", ["masked_lm", "classifier"])
def test_gradients_equal_pytorch(model_type, head, tmp_path):
    import torch

    model = publish(tmp_path, model_type, head, 909)
    loaded = load(tmp_path, head)
    batch = torch_models.batch(model_type, seed=909, padded=True)
    positions = np.flatnonzero(batch["mask"])[::3] if head == "masked_lm" else np.arange(len(batch["ids"]))
    targets = np.random.default_rng(9).integers(0, 97 if head == "masked_lm" else 3, len(positions))

    def loss(params):
        extra = [jnp.asarray(positions)] if head == "masked_lm" else []
        found = nnx.merge(loaded.definition, params)(batch["ids"], batch["mask"], batch["types"], *extra)
        return -jnp.take_along_axis(jax.nn.log_softmax(found), targets[:, None], axis=1).mean()

    value, found = jax.jit(jax.value_and_grad(loss))(loaded.params)
    outputs = model(**torch_models.inputs(model, batch)).logits
    outputs = outputs.reshape(-1, outputs.shape[-1])[positions]
    expected_value = torch.nn.functional.cross_entropy(outputs, torch.tensor(targets))
    np.testing.assert_allclose(value, expected_value.item(), rtol=1e-5)
    expected = torch_gradients(model, expected_value)
    flat = traverse_util.flatten_dict(found)
    for path, name in names_of(found, loaded.config, head).items():
        gradient = to_hf_layout(path, np.asarray(flat[path]))
        np.testing.assert_allclose(
            gradient, expected[name], rtol=0, atol=1e-5 * max(1, np.abs(expected[name]).max()), err_msg=name
        )
