"""Live against the published PyTorch implementations, on fresh random weights: `pytest -m parity`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx, traverse_util
from safetensors.numpy import load_file

from gotd_jax.models import load, save
from gotd_jax.models.weight_names import names_of, to_hf_tensors
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


def reload(folder, head, **passed_over):
    """The model of transformers, which finds all it needs and passes over the parts that are named."""
    import transformers

    automatic = getattr(transformers, torch_models.CLASSES[head])
    model, notes = automatic.from_pretrained(folder, output_loading_info=True)
    parts = {kind: {name.rpartition(".")[0] for name in names} for kind, names in notes.items() if names}
    assert parts == {kind: names for kind, names in passed_over.items() if names}
    return model.eval()


def beside(model_type, *heads):
    """The parts of a folder that are no part of the model with a masked-LM head, or of the classifier, among such heads."""
    body = {"bert": "bert", "distilbert": "distilbert"}.get(model_type, "roberta")
    pooler = {f"{body}.pooler.dense"} if body != "distilbert" else set()
    masked_lm = {
        "bert": {"cls.predictions", "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"},
        "roberta": {"lm_head", "lm_head.dense", "lm_head.layer_norm"},
        "distilbert": {"vocab_projector", "vocab_transform", "vocab_layer_norm"},
    }[body]
    return set().union(*({"pooler": pooler, "masked_lm": masked_lm}[head] for head in heads))


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
    needed = head == "classifier" and model_type == "bert"  # the others' classifiers have a layer of their own for it
    passed_over = set() if needed else beside(model_type, "pooler")
    model = reload(folder, head, unexpected_keys=passed_over)
    assert_same_numbers(model, loaded, torch_models.batch(model_type, seed=606, padded=True))


@pytest.mark.parametrize("model_type", FAMILIES)
def test_transformers_finds_the_other_heads_where_the_source_has_them(model_type, tmp_path):
    publish(tmp_path / "published", model_type, "masked_lm", 616)
    batch = torch_models.batch(model_type, seed=616, padded=True)
    masked_lm = load(tmp_path / "published", "masked_lm")
    for head in (None, "classifier"):
        folder = save(tmp_path / f"{head}", load(tmp_path / "published", head, outputs=2 if head else None))
        assert_same_numbers(reload(folder, "masked_lm", unexpected_keys=own_parts(folder, masked_lm)), masked_lm, batch)
        reload(folder, head, unexpected_keys=beside(model_type, "masked_lm"), **missing_pooler(model_type, head))


def own_parts(folder, masked_lm):
    """The parts in a folder that a masked LM has no place for."""
    names = {name.rpartition(".")[0] for name in load_file(folder / "model.safetensors")}
    return names - {name.rpartition(".")[0] for name in names_of(masked_lm.params, masked_lm.config, "masked_lm").values()}


def missing_pooler(model_type, head):
    """What transformers' bare bodies have and a masked LM's source lacks."""
    return {"missing_keys": {"pooler.dense"}} if head is None and model_type != "distilbert" else {}


@pytest.mark.parametrize("model_type", ["bert", "roberta", "xlm-roberta"])
def test_the_pooler_of_a_body_reaches_transformers_through_a_masked_lm(model_type, tmp_path):
    model = publish(tmp_path / "published", model_type, None, 626)
    folder = save(tmp_path / "trained", load(tmp_path / "published", "masked_lm"))
    again = reload(folder, None, unexpected_keys=beside(model_type, "masked_lm"))
    assert (again.pooler.dense.weight == model.pooler.dense.weight).all()


def test_labels_and_problem_reach_transformers(tmp_path):
    publish(tmp_path / "published", "bert", "masked_lm", 707)
    loaded = load(tmp_path / "published", "classifier", outputs=2)
    folder = save(tmp_path / "trained", loaded, labels=["no", "yes"])
    config = reload(folder, "classifier", unexpected_keys=beside("bert", "masked_lm")).config
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
    flat = {path: np.asarray(leaf) for path, leaf in traverse_util.flatten_dict(found).items()}
    for name, gradient in to_hf_tensors(flat, loaded.config, head).items():
        np.testing.assert_allclose(
            gradient, expected[name], rtol=0, atol=1e-5 * max(1, np.abs(expected[name]).max()), err_msg=name
        )
