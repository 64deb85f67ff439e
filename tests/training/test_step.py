"""Steps in parts, with less kept for the backward pass, and with weights laid over devices: always the same step."""

import dataclasses
import json
import subprocess
import sys

import jax
import numpy as np
import pytest

from gotd_jax import models
from gotd_jax.data.tokens import Tokens
from gotd_jax.models.config_json import from_hf
from gotd_jax.training.batches import PackedBatches
from gotd_jax.training.loop import train
from gotd_jax.training.objectives import CausalLanguageModel, MaskedLanguageModel
from gotd_jax.training.recipe import Recipe
from tests import processes
from tests.training.small import RECIPE, labelled_run, masked_run, model_of

GPT2 = from_hf({"model_type": "gpt2", "vocab_size": 40, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64})
# Without a large epsilon, Adam would make steps of the rounding of gradients that are 0 (biases of keys).
STILL = dataclasses.replace(RECIPE, dropout=False, epochs=1, adam_epsilon=1e-3)


def causal_run(recipe, texts=40):
    random = np.random.default_rng(0)
    lengths = random.integers(5, 30, texts)
    tokens = Tokens(
        random.integers(1, 40, lengths.sum()).astype(np.int32),
        np.zeros(lengths.sum(), np.uint8),
        np.concatenate([[0], np.cumsum(lengths)]),
    )
    loaded = models.initialise(GPT2, seed=3)
    definition = loaded.rematerialising() if recipe.rematerialise else loaded.definition
    return CausalLanguageModel(definition), loaded.params, PackedBatches(tokens, 0, recipe, 0), recipe


RUNS = {
    "masked": lambda recipe: masked_run(recipe=recipe),
    "labelled": lambda recipe: labelled_run(recipe=recipe),
    "causal": causal_run,
}


def trained(kind, recipe):
    log = []
    params = train(*RUNS[kind](recipe), seed=0, log=log.append)
    return params, log


def assert_same(kind, recipe, other):
    params, log = trained(kind, recipe)
    params_of_other, log_of_other = trained(kind, other)
    for entry, entry_of_other in zip(log, log_of_other, strict=True):
        for name in ("loss", "gradient_norm"):
            assert entry[name] == pytest.approx(entry_of_other[name], rel=1e-4)
    differences = jax.tree.map(lambda a, b: float(np.abs(np.asarray(a) - np.asarray(b)).max()), params, params_of_other)
    assert max(jax.tree.leaves(differences)) < 2e-5


@pytest.mark.slow
@pytest.mark.parametrize("kind", RUNS)
def test_step_in_parts_is_the_whole_step(kind):
    assert_same(kind, STILL, dataclasses.replace(STILL, accumulate=4))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["masked", "causal"])
def test_rematerialised_step_is_the_same_step(kind):
    recipe = dataclasses.replace(STILL, rematerialise=True)
    if kind == "causal":
        assert_same(kind, STILL, recipe)
        return
    _, params, batches, _ = masked_run(recipe=STILL)
    objectives = [MaskedLanguageModel(definition) for definition in _definitions(model_of("masked_lm"))]
    plain, again = (train(objective, params, batches, STILL, seed=0) for objective in objectives)
    differences = jax.tree.map(lambda a, b: float(np.abs(np.asarray(a) - np.asarray(b)).max()), plain, again)
    assert max(jax.tree.leaves(differences)) < 2e-5


def _definitions(loaded):
    return loaded.definition, loaded.rematerialising()


@pytest.mark.slow
def test_dropout_differs_between_the_parts_of_a_step():
    recipe = dataclasses.replace(RECIPE, accumulate=4, epochs=1)
    with_dropout, _ = trained("masked", recipe)
    without, _ = trained("masked", dataclasses.replace(recipe, dropout=False))
    assert not all(jax.tree.leaves(jax.tree.map(lambda a, b: np.allclose(a, b, atol=1e-6), with_dropout, without)))


def test_parts_that_do_not_divide_the_batch_are_refused():
    with pytest.raises(ValueError, match=r"accumulate is 3 and does not divide the batch_size of 8"):
        Recipe(batch_size=8, accumulate=3)


@pytest.mark.slow
def test_rematerialising_keeps_less_for_the_backward_pass():
    config = dataclasses.replace(GPT2, layers=8, windows=(None,) * 8)
    loaded = models.initialise(config)
    batch = {"ids": np.ones((8, 64), np.int32), "mask": np.ones((8, 64), bool)}
    kept = []
    for definition in _definitions(loaded):
        gradient = jax.jit(jax.grad(lambda params, d=definition: CausalLanguageModel(d)(params, batch, None)[0]))
        kept.append(gradient.lower(loaded.params).compile().memory_analysis().temp_size_in_bytes)
    assert kept[1] < 0.5 * kept[0]


PROGRAM = """
import json, sys, dataclasses
import jax, numpy as np
from tests.training.test_step import causal_run, STILL
from gotd_jax.training.loop import train
recipe = dataclasses.replace(STILL, shard_weights=sys.argv[1] == "laid", accumulate=int(sys.argv[2]))
log = []
params = train(*causal_run(recipe), seed=0, folder=sys.argv[3], log=log.append, save_every=3)
again = train(*causal_run(recipe), seed=0, folder=sys.argv[3])  # finds its last state and has no step left
same = all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(params), jax.tree.leaves(again)))
table = again["decoder"]["words"]["table"]
held = max(shard.data.nbytes for shard in table.addressable_shards) / table.nbytes
total = sum(float(np.abs(np.asarray(leaf)).sum()) for leaf in jax.tree.leaves(params))
print(json.dumps({"losses": [entry["loss"] for entry in log], "held": held, "total": total, "same": same}))
"""


def on_eight_devices(tmp_path, *arguments):
    command = [sys.executable, "-c", PROGRAM, *arguments, str(tmp_path / "-".join(arguments))]
    run = subprocess.run(command, env=processes.environment(8), capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(run.stderr)
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.slow
def test_weights_laid_over_eight_devices_train_as_whole_ones(tmp_path):
    laid, whole = (on_eight_devices(tmp_path, name, "1") for name in ("laid", "whole"))
    assert laid["held"] == pytest.approx(1 / 8) and whole["held"] == 1
    assert laid["same"] and whole["same"]
    assert laid["losses"] == pytest.approx(whole["losses"], rel=1e-4)
    assert laid["total"] == pytest.approx(whole["total"], rel=1e-5)
