import dataclasses
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gotd_jax.training.loop import train
from gotd_jax.training.step import compiled_step
from tests import processes
from tests.training.runs import entries, equal, host_copy, run, whole
from tests.training.small import RECIPE, masked_run

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_training_works_outside_the_main_thread():
    with ThreadPoolExecutor(1) as pool:
        assert equal(pool.submit(run, "masked").result(), whole("masked"))


def test_without_a_last_checkpoint_the_last_step_is_still_written_and_checked(tmp_path):
    run("masked", folder=tmp_path, save_last=False)
    assert [entry["step"] for entry in entries(tmp_path)] == list(range(12))
    assert not [name for name in os.listdir(tmp_path / "checkpoints") if name.isdigit()]


def test_the_seed_decides_everything():
    assert equal(run("masked"), whole("masked"))
    assert not equal(run("masked", seed=1), whole("masked"))  # of dropout; that of the batches is the same


class Draw:
    """An objective that shows the random number a step is given."""

    def __call__(self, params, batch, key):
        return jnp.sum(jnp.square(params["head"]["dense"]["bias"])), {"draw": 0.0 if key is None else jax.random.uniform(key)}


def draws(seed, recipe=RECIPE):
    _, params, batches, _ = masked_run()
    seen = []
    train(Draw(), params, batches, recipe, seed=seed, trainable=("head",), log=lambda entry: seen.append(entry["draw"]))
    return seen


def test_every_step_has_random_numbers_of_its_own_that_the_seed_decides():
    assert len({*draws(0), *draws(1)}) == 24
    assert draws(0) == draws(0)


def test_a_recipe_without_dropout_gives_no_key():
    assert draws(0, dataclasses.replace(RECIPE, dropout=False)) == [0.0] * 12


def test_the_callers_parameters_are_left_as_they_are():
    objective, params, batches, recipe = masked_run()
    before = jax.device_get(params)
    train(objective, params, batches, dataclasses.replace(recipe, epochs=2), seed=0)
    assert equal(jax.device_get(params), before)


def test_parts_that_are_not_trained_stay_bitwise_the_same():
    _, params, _, _ = masked_run()
    trained = run("masked", trainable=("head",))
    assert equal(trained["encoder"], jax.device_get(params["encoder"]))
    assert not any(jax.tree.leaves(jax.tree.map(np.array_equal, trained["head"], jax.device_get(params["head"]))))


def test_parts_that_do_not_exist_are_named():
    with pytest.raises(ValueError, match=r"\['heads'\]; the parameters have encoder, head"):
        run("masked", trainable=("heads",))


@pytest.mark.slow
def test_the_best_epoch_is_returned_and_the_earliest_of_equals(tmp_path):
    recipe, seen = dataclasses.replace(RECIPE, epochs=4), []
    scores = iter([0.1, 0.3, 0.3, 0.2])

    def validate(params):
        seen.append(host_copy(params))
        return next(scores)

    best = run("labelled", recipe, validate=validate, folder=tmp_path)
    assert len(seen) == 4 and equal(best, seen[1]) and not equal(best, seen[3])
    assert [entry["validation"] for entry in entries(tmp_path) if "validation" in entry] == [0.1, 0.3, 0.3, 0.2]


def test_a_run_that_diverges_raises_and_says_where_and_what_to_do():
    recipe = dataclasses.replace(RECIPE, learning_rate=1e30, schedule="constant")
    with pytest.raises(
        RuntimeError, match=r"diverged \(training\): at step \d+ the loss is .*learning rate 1e\+30. Lower the learning"
    ):
        run("masked", recipe)


def test_a_diverged_state_is_never_saved(tmp_path):
    recipe = dataclasses.replace(RECIPE, learning_rate=1e30, schedule="constant")
    with pytest.raises(RuntimeError, match="diverged"):
        run("masked", recipe, folder=tmp_path, save_every=1)
    assert max(entry["step"] for entry in entries(tmp_path)) + 1 >= max(
        map(int, os.listdir(tmp_path / "checkpoints")), default=0
    )


def test_no_texts_are_refused():
    objective, params, batches, recipe = masked_run()
    empty = dataclasses.replace(
        batches, tokens=dataclasses.replace(batches.tokens, ids=np.zeros(0, np.int32), offsets=np.zeros(1, int))
    )
    with pytest.raises(ValueError, match="nothing to train on"):
        train(objective, params, empty, recipe, seed=0)


def test_runs_of_other_lengths_and_learning_rates_compile_nothing_new():
    run("masked")
    objective, _, _, _ = masked_run()
    compiled = compiled_step(objective, RECIPE.optimiser, 1, False)._cache_size()
    run("masked", dataclasses.replace(RECIPE, epochs=3, learning_rate=1e-5, schedule="constant"), seed=4)
    assert compiled_step(objective, RECIPE.optimiser, 1, False)._cache_size() == compiled


DEVICES = """
import dataclasses, sys, jax, numpy as np
from gotd_jax import devices
from gotd_jax.training.loop import train
from gotd_jax.training.step import compiled_step
from tests.training.small import RECIPE, masked_run
assert jax.device_count() == int(sys.argv[2]), jax.device_count()
# Adam blows a gradient up to the learning rate, and the attention keys' biases have a gradient that is rounding alone.
recipe = dataclasses.replace(RECIPE, adam_epsilon=1e-3, batch_size=12)
objective, params, batches, recipe = masked_run(recipe=recipe)
shards = devices.split_batch(batches[0])["ids"].addressable_shards
assert {len(shard.data) for shard in shards} == {{1: 12, 8: 2}[jax.device_count()]}  # 12 rows become 16 on 8 devices
np.savez(sys.argv[1], *jax.tree.leaves(jax.device_get(train(objective, params, batches, recipe, seed=0))))
"""


@pytest.mark.slow
def test_one_and_eight_devices_give_the_same_parameters(tmp_path, environment):
    children = []
    for count in (1, 8):
        command = [sys.executable, "-c", DEVICES, str(tmp_path / f"{count}.npz"), str(count)]
        children.append(subprocess.Popen(command, cwd=ROOT, env={**environment, **processes.environment(count)}))
    assert [child.wait(timeout=300) for child in children] == [0, 0]
    one, eight = (np.load(tmp_path / f"{count}.npz") for count in (1, 8))
    moved = 0.0
    for name, before in zip(one.files, jax.tree.leaves(masked_run()[1]), strict=True):
        np.testing.assert_allclose(one[name], eight[name], rtol=0, atol=1e-5)
        moved = max(moved, np.abs(one[name] - before).max())
    assert moved > 1e-3
