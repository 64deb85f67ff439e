"""A model pre-fine-tuned on a selection: its folder loads and describes it, and a stopped run ends as a whole one."""

import dataclasses
import hashlib
import json
import signal

import jax
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from huggingface_hub import ModelCard
from safetensors.numpy import load_file
from transformers import AutoConfig, AutoTokenizer

from gotd_jax import models
from gotd_jax.data.tokens import load_tokenizer
from gotd_jax.tool.pre_finetuning import chosen_texts, warm
from gotd_jax.training.batches import MaskedBatches
from tests.conftest import WORDS, sentence
from tests.models.test_decoder import REFERENCES
from tests.training.runs import entries
from tests.training.small import save_tokenizer

pytestmark = pytest.mark.slow  # every training compiles
RECIPE = {"batch_size": 4, "max_length": 16, "epochs": 2, "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """The folder of a selection in two parts, with a manifest."""
    folder = tmp_path_factory.mktemp("chosen")
    rng = np.random.default_rng(0)
    rows = [{"id": f"f{rank}", "text": sentence(rng, "food", 10), "rank": rank} for rank in range(20)]
    for part in range(2):
        lines = "".join(json.dumps(row) + "\n" for row in rows[part * 10 : part * 10 + 10])
        (folder / f"part-{part:05d}-of-00002.jsonl").write_text(lines)
    (folder / "manifest.json").write_text('{"text": "no text of the selection"}')
    return folder


@pytest.fixture(scope="module")
def warmed(tiny_model, chosen, tmp_path_factory):
    return warm(tiny_model, chosen, tmp_path_factory.mktemp("out") / "warmed", **RECIPE)


def front_of(folder):
    return ModelCard.load(folder / "README.md").data


def test_the_folder_loads_again_with_its_head_and_another_body(warmed, tiny_model):
    model, before = models.load(warmed, "masked_lm"), models.load(tiny_model)
    assert model.fresh == ()
    changed = jax.tree.map(lambda one, other: bool((one != other).any()), model.params["encoder"], before.params)
    assert all(jax.tree.leaves(changed))


def test_transformers_takes_its_configuration_and_tokeniser(warmed, tiny_model):
    config = AutoConfig.from_pretrained(warmed)
    assert (config.model_type, config.architectures) == ("bert", ["BertForMaskedLM"])
    assert len(AutoTokenizer.from_pretrained(warmed)) == len(load_tokenizer(tiny_model)) == config.vocab_size


def test_the_card_says_from_what_on_what_and_how_it_was_trained(warmed, tiny_model, chosen):
    front, text = front_of(warmed), (warmed / "README.md").read_text()
    assert (front.base_model, front.library_name, front.pipeline_tag) == ("tiny", "transformers", "fill-mask")
    assert hashlib.sha256((chosen / "manifest.json").read_bytes()).hexdigest() in text
    losses = [entry["loss"] for entry in entries(warmed / "training" / "pre_finetune")]
    assert f"{losses[0]:.4f} at the first of 10 steps and {losses[-1]:.4f}" in text
    assert "\n20 texts, the selection whose" in text and "trained first, with all else held still, on 20 texts" in text
    assert all(f"| {name} | {value} |" in text for name, value in {**RECIPE, "seed": 0}.items())
    assert str(tiny_model.parent) not in text


def test_metrics_stay_for_tensorboard_and_the_state_of_the_runs_does_not(warmed):
    files = {path.relative_to(warmed / "training").parts[:2] for path in (warmed / "training").rglob("*") if path.is_file()}
    names = {
        run: sorted(name.partition(".from-")[0].split(".")[0] for other, name in files if other == run) for run, _ in files
    }
    assert names == {"head": ["events", "metrics"], "pre_finetune": ["events", "metrics"]}
    assert not (warmed / "model").exists() and not warmed.with_name("warmed.partial").exists()


def test_a_stopped_run_goes_on_where_it_was_and_ends_the_same(warmed, tiny_model, chosen, tmp_path, monkeypatch):
    read = MaskedBatches.__getitem__

    def stopping(batches, step):
        if batches.recipe.epochs == RECIPE["epochs"] and step == 6:  # of the training after the head's
            signal.raise_signal(signal.SIGTERM)
        return read(batches, step)

    out = tmp_path / "warmed"
    monkeypatch.setattr(MaskedBatches, "__getitem__", stopping)
    with pytest.raises(SystemExit):
        warm(tiny_model, chosen, out, **RECIPE)
    assert not out.exists()
    asked = []
    monkeypatch.setattr(MaskedBatches, "__getitem__", lambda batches, step: asked.append(step) or read(batches, step))
    warm(tiny_model, chosen, out, **RECIPE)
    assert asked == [7, 8, 9]
    ours, whole = (load_file(folder / "model.safetensors") for folder in (out, warmed))
    assert all((ours[name] == whole[name]).all() for name in whole)
    assert [entry["step"] for entry in entries(out / "training" / "pre_finetune")] == list(range(10))


def test_what_is_there_is_not_made_again_and_never_taken_for_another(warmed, tiny_model, chosen):
    made = (warmed / "model.safetensors").stat().st_mtime_ns
    assert warm(tiny_model, chosen, warmed, **RECIPE) == warmed
    assert (warmed / "model.safetensors").stat().st_mtime_ns == made
    with pytest.raises(ValueError, match="seed was 0, now 1"):
        warm(tiny_model, chosen, warmed, **RECIPE, seed=1)


def test_a_published_head_is_trained_as_it_is(warmed, chosen, tmp_path):
    again = warm(warmed, chosen, tmp_path / "again", **RECIPE)
    assert [path.name for path in (again / "training").iterdir()] == ["pre_finetune"]
    assert "published without" not in (again / "README.md").read_text() and front_of(again).base_model == "warmed"


def test_a_causal_language_model_is_warmed_up_as_one(chosen, tmp_path):
    words = [word for group in WORDS.values() for word in group]
    config = dataclasses.replace(models.load(REFERENCES / "llama").config, end_ids=(1,))
    tokenizer = save_tokenizer(tmp_path / "tokenizer", words)
    base = models.save(tmp_path / "base", models.initialise(config), tokenizer_from=tokenizer)
    beside = {"chat_template.jinja": "{{ messages }}", "generation_config.json": '{"eos_token_id": [1, 3]}'}
    for name, content in beside.items():
        (base / name).write_text(content)
    folder = warm(base, chosen, tmp_path / "warmed", **RECIPE)
    assert {name: (folder / name).read_text() for name in beside} == beside
    assert models.load(folder).config.stop_ids == (1, 3)
    assert models.load(folder).fingerprint != models.load(base).fingerprint
    assert AutoConfig.from_pretrained(folder).architectures == ["LlamaForCausalLM"]
    assert front_of(folder).pipeline_tag == "text-generation" and "AutoModelForCausalLM" in (folder / "README.md").read_text()


def test_texts_are_those_of_the_parts_in_order_and_of_nothing_else_in_the_folder(chosen, tmp_path):
    assert chosen_texts(chosen).ids == [f"f{rank}" for rank in range(20)]
    rows = list(chosen_texts(chosen))
    for part in (1, 0):
        table = pa.Table.from_pylist(rows[part * 10 : part * 10 + 10]).select(["id", "text"])
        pyarrow.parquet.write_table(table, tmp_path / f"part-{part:05d}-of-00002.parquet")
    (tmp_path / "values.npy").write_bytes(b"")
    assert chosen_texts(tmp_path).fingerprint == chosen_texts(chosen).fingerprint
    assert len(chosen_texts(chosen / "part-00001-of-00002.jsonl")) == 10


def test_texts_longer_than_the_model_reads_are_refused_before_anything_is_made(tiny_model, chosen, tmp_path):
    with pytest.raises(ValueError, match="max_length is 295 tokens, and the model reads at most 128"):
        warm(tiny_model, chosen, tmp_path / "out")
    assert not list(tmp_path.iterdir())
