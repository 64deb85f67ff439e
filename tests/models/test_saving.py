import json
import shutil

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from gotd_jax.models import initialise, load, save, saving
from tests.models.helpers import FAMILIES, HEADS, REFERENCES, assert_same_trees, edit_json


def tiny(kind="classification"):
    return load(REFERENCES / "bert" / kind, HEADS[kind])


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("family", FAMILIES)
def test_saved_weights_are_the_published_file_again(family, kind, tmp_path):
    source = REFERENCES / family / kind
    save(tmp_path / "model", load(source, HEADS[kind]))
    written, published = load_file(tmp_path / "model" / "model.safetensors"), load_file(source / "model.safetensors")
    assert written.keys() == published.keys()
    assert all((written[name] == published[name]).all() for name in published)
    passed_over = {"transformers_version", "problem_type", "id2label", "label2id"}  # a classifier's are tested below
    ours, theirs = (json.loads((folder / "config.json").read_text()) for folder in (tmp_path / "model", source))
    assert ours.items() >= {key: value for key, value in theirs.items() if key not in passed_over}.items()


@pytest.mark.parametrize("head", [None, "masked_lm", "classifier"])
@pytest.mark.parametrize("model_type", FAMILIES)
def test_a_model_saved_and_loaded_is_the_same(model_type, head, tmp_path):
    config = load(REFERENCES / model_type / "masked_lm").config
    model = initialise(config, head, outputs=3)
    again = load(save(tmp_path / "model", model), head)
    assert again.config == config and again.definition == model.definition and again.fresh == ()
    assert_same_trees(again.params, model.params)


def test_trained_parameters_are_saved_and_not_the_loaded_ones(tmp_path):
    model = tiny()
    trained = {**model.params, "head": initialise(model.config, "classifier", outputs=3, seed=9).params["head"]}
    assert_same_trees(load(save(tmp_path / "model", model, trained), "classifier").params, trained)


def test_a_masked_lm_of_a_body_without_a_head_is_saved_with_its_own(tmp_path):
    save(tmp_path / "body", initialise(load(REFERENCES / "bert" / "masked_lm").config))
    model = load(tmp_path / "body", "masked_lm", seed=4)
    assert model.fresh == ("head",)
    again = load(save(tmp_path / "model", model), "masked_lm")
    assert again.fresh == ()
    assert_same_trees(again.params, model.params)


def test_a_bare_body_keeps_the_pooler_and_the_head_of_its_source(tmp_path):
    source = shutil.copytree(REFERENCES / "bert" / "classification", tmp_path / "source")
    published = load_file(source / "model.safetensors")
    written = load_file(save(tmp_path / "with", load(source)) / "model.safetensors")
    assert written.keys() == published.keys()
    assert (written["classifier.weight"] == published["classifier.weight"]).all()
    body = {name: tensor for name, tensor in published.items() if name.startswith("bert.")}
    save_file(body, source / "model.safetensors")
    written = load_file(save(tmp_path / "without", load(source)) / "model.safetensors")
    assert written.keys() == {name.removeprefix("bert.") for name in body}
    assert (written["pooler.dense.weight"] == published["bert.pooler.dense.weight"]).all()


def test_the_configuration_names_the_class_the_labels_and_the_problem(tmp_path):
    content = json.loads((save(tmp_path / "a", tiny(), labels=["no", "yes", "maybe"]) / "config.json").read_text())
    assert content["architectures"] == ["BertForSequenceClassification"]
    assert content["id2label"] == {"0": "no", "1": "yes", "2": "maybe"}
    assert content["label2id"] == {"no": 0, "yes": 1, "maybe": 2}
    assert content["problem_type"] == "single_label_classification"
    content = json.loads((save(tmp_path / "b", tiny("regression")) / "config.json").read_text())
    assert content["problem_type"] == "regression" and content["id2label"] == {"0": "LABEL_0"}


def test_weights_are_marked_as_pytorch_layout_and_float32_whatever_the_source_was(tmp_path):
    source = shutil.copytree(REFERENCES / "bert" / "classification", tmp_path / "source")
    edit_json(source / "config.json", dtype="bfloat16", torch_dtype="bfloat16")
    folder = save(tmp_path / "model", load(source, "classifier"))
    with safe_open(folder / "model.safetensors", "numpy") as file:
        assert file.metadata() == {"format": "pt"}
    content = json.loads((folder / "config.json").read_text())
    assert content["dtype"] == "float32" and "torch_dtype" not in content


def test_the_tokeniser_is_copied(tmp_path):
    tokenizer = tmp_path / "tokenizer"
    tokenizer.mkdir()
    (tokenizer / "tokenizer.json").write_text("{}")
    (tokenizer / "README.md").write_text("not a tokeniser")
    folder = save(tmp_path / "model", tiny(), tokenizer_from=tokenizer)
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "tokenizer.json"}


def test_what_belongs_to_the_folder_is_copied_with_it(tmp_path):
    source = shutil.copytree(REFERENCES / "bert" / "masked_lm", tmp_path / "source")
    modules = [{"idx": place, "path": path, "type": "a.B"} for place, path in enumerate(["", "1_Pooling", "2_Normalize"])]
    files = {
        "chat_template.jinja": "{{ messages }}",
        "generation_config.json": '{"eos_token_id": [3, 7]}',
        "special_tokens_map.json": '{"mask_token": "[MASK]"}',
        "sentence_bert_config.json": '{"max_seq_length": 64}',
        "config_sentence_transformers.json": "{}",
        "modules.json": json.dumps(modules),
        "1_Pooling/config.json": '{"pooling_mode_cls_token": true}',
        "additional_chat_templates/tool.jinja": "{{ tools }}",
    }
    for name, content in {**files, "notes.txt": "mine", "3_Dense/config.json": "{}"}.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(content)
    once = save(tmp_path / "once", load(source, "masked_lm"))
    twice = save(tmp_path / "twice", load(once, "classifier", outputs=2))
    for folder in (once, twice):
        found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        assert found.keys() == {*files, "config.json", "model.safetensors"}
        assert all(found[name].read_text() == content for name, content in files.items())
    assert load(once).fingerprint == load(source).fingerprint
    edit_json(once / "1_Pooling" / "config.json", pooling_mode_cls_token=False)
    assert load(once).fingerprint != load(source).fingerprint


@pytest.mark.parametrize("path", ["../other", "/elsewhere"])
def test_modules_outside_of_the_folder_are_refused(path, tmp_path):
    source = shutil.copytree(REFERENCES / "bert" / "masked_lm", tmp_path / "source")
    (source / "modules.json").write_text(json.dumps([{"path": "", "type": "a.B"}, {"path": path, "type": "a.B"}]))
    with pytest.raises(ValueError, match=f"modules.json names '{path}', which lies outside"):
        load(source)


def test_a_folder_without_a_tokeniser_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has no tokeniser: none of"):
        save(tmp_path / "model", tiny(), tokenizer_from=REFERENCES)


def test_a_taken_folder_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="exists already"):
        save(tmp_path, tiny())
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_failure_on_the_way_leaves_nothing(tmp_path, monkeypatch):
    def full_disk(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(saving, "save_file", full_disk)
    with pytest.raises(OSError, match="no space"):
        save(tmp_path / "model", tiny())
    assert list(tmp_path.iterdir()) == []


def test_parameters_of_another_model_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"head.output.bias has the shape \(5,\), and \(3,\) in the model"):
        save(tmp_path / "model", tiny(), load(REFERENCES / "bert" / "classification", "classifier", outputs=5).params)
    with pytest.raises(ValueError, match=r"has the shape None, and \(24,\) in the model"):
        save(tmp_path / "model", load(REFERENCES / "bert" / "classification"), tiny().params)


def test_parameters_that_are_not_finite_are_not_saved(tmp_path):
    model = tiny()
    model.params["head"]["output"]["bias"] = np.array([0, np.inf, 0], np.float32)
    with pytest.raises(RuntimeError, match=r"head.output.bias is not finite"):
        save(tmp_path / "model", model)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("classification", {"labels": ["a", "b"]}, "2 different labels do not name 3 outputs"),
        ("classification", {"labels": ["a", "b", "a"]}, "2 different labels do not name 3 outputs"),
        ("classification", {"problem": "ranking"}, "problem is 'ranking', and the known are single_label_classification"),
        ("masked_lm", {"labels": ["a"]}, "this model's head is masked_lm"),
    ],
)
def test_labels_and_problems_that_do_not_fit_are_refused(kind, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        save(tmp_path / "model", tiny(kind), **options)
