"""The published sizes fit the devices they are meant for: steps compiled by shape alone, and the memory they would take."""

import json
import subprocess
import sys

import pytest

from configs import zero_shot
from gotd_jax.training.recipe import Recipe
from tests import processes

PROGRAM = """
import dataclasses, json, sys
import jax
import jax.numpy as jnp
from jax import ShapeDtypeStruct as Shape
from gotd_jax import devices
from gotd_jax import models
from gotd_jax.models.config_json import from_hf
from gotd_jax.training.objectives import CausalLanguageModel
from gotd_jax.training.recipe import Recipe
from gotd_jax.training.step import compiled_start, compiled_step

content, parts, shard = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "laid"
config = dataclasses.replace(from_hf(content, sys.argv[4]), rematerialise=True)
definition, tree = models.blueprint(config)
optimiser = Recipe().optimiser
laid = lambda tree: jax.tree.map(
    lambda leaf: Shape(leaf.shape, leaf.dtype, sharding=devices.shared_out(leaf.shape) if shard else devices.replicated()), tree
)
params = laid(tree)
state = {"params": params, "moments": laid(jax.eval_shape(compiled_start(optimiser, shard), params))}
split = devices.split_rows(int(parts > 1))
shape = (parts, 8, 1024) if parts > 1 else (8, 1024)
batch = {name: Shape(shape, dtype, sharding=split) for name, dtype in (("ids", jnp.int32), ("mask", bool))}
step = compiled_step(CausalLanguageModel(definition), optimiser, parts, shard)
memory = step.lower(state, {}, batch, None, Shape((), jnp.float32)).compile().memory_analysis()
weights = sum(leaf.size for leaf in jax.tree.leaves(tree))
print(json.dumps({"weights": weights, "state": memory.argument_size_in_bytes, "beside": memory.temp_size_in_bytes}))
"""
XL = {"model_type": "gpt2", "vocab_size": 50257, "n_positions": 1024, "n_embd": 1600, "n_layer": 48, "n_head": 25}
NEO = {
    "model_type": "gpt_neo",
    "vocab_size": 50257,
    "max_position_embeddings": 2048,
    "window_size": 256,
    "hidden_size": 2560,
    "num_layers": 32,
    "num_heads": 20,
    "attention_types": [[["global", "local"], 16]],
}


def step_on(devices, content, parts, placement, compute_dtype="float32"):
    command = [sys.executable, "-c", PROGRAM, json.dumps(content), str(parts), placement, compute_dtype]
    run = subprocess.run(command, env=processes.environment(devices), capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(run.stderr)
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.slow
def test_gpt2_xl_trains_on_one_device_of_80_gigabytes():
    found = step_on(1, XL, 2, "whole")
    assert found["weights"] == pytest.approx(1.56e9, rel=0.01)
    assert found["state"] + found["beside"] < 80e9


@pytest.mark.slow
def test_gpt_neo_as_its_config_trains_it_fits_what_jax_takes_of_one_device_of_80_gigabytes():
    recipe = Recipe(**zero_shot.get_config("boolq").pre_finetune)
    assert (recipe.batch_size, recipe.max_length, recipe.accumulate, recipe.rematerialise) == (8, 1_024, 1, True)
    found = step_on(1, NEO, recipe.accumulate, "laid", "bfloat16")
    assert found["weights"] == pytest.approx(2.65e9, rel=0.01)
    assert found["state"] + found["beside"] < 0.75 * 80e9


@pytest.mark.slow
def test_gpt_neo_of_2_7_billion_trains_on_eight_devices_with_a_share_of_its_weights_on_each():
    found = step_on(8, NEO, 2, "laid")
    assert found["weights"] == pytest.approx(2.65e9, rel=0.01)
    assert found["state"] == pytest.approx(12 * found["weights"] / 8, rel=0.02)  # parameters and two moments, float32
    assert found["state"] + found["beside"] < 40e9
