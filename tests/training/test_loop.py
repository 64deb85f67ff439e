import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gotd_jax.training import checkpoints
from gotd_jax.training.interrupts import Interrupts
from gotd_jax.training.loop import train
from gotd_jax.training.step import compiled_step
from tests.training.small import RECIPE, labelled_run, masked_run

ROOT = Path(__file__).parents[2]


def run(kind, recipe=RECIPE, **options):
    """Trains, and returns the parameters as NumPy arrays."""
    objective, params, batches, recipe = {"masked": masked_run, "labelled": labelled_run}[kind](recipe=recipe)
    batches = options.pop("wrap", lambda same: same)(batches)
    return jax.device_get(train(objective, params, batches, recipe, **{"seed": 0, **options}))


def host_copy(params):
    """A copy that keeps nothing of `params` alive: a parameter that is still referred to is not given up to the next step."""
    return jax.device_get(jax.tree.map(jnp.copy, params))


def equal(one, other):
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, one, other)))


def entries(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


class Breaking:
    """Batches that cannot be read from step `at` on."""

    def __init__(self, batches, at):
        self.batches, self.at = batches, at
        self.steps_per_epoch, self.fingerprint = batches.steps_per_epoch, batches.fingerprint

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, step):
        if step == self.at:
            raise OSError("disk gone")
        return self.batches[step]


@pytest.fixture(scope="module")
def whole():
    """Uninterrupted runs."""
    return {kind: run(kind) for kind in ("masked", "labelled")}


@pytest.mark.parametrize("kind", ["masked", "labelled"])
@pytest.mark.parametrize("save_every, at", [(1, 7), (3, 8)])
def test_a_run_resumed_after_a_failure_equals_an_uninterrupted_one(tmp_path, whole, kind, save_every, at):
    with pytest.raises(OSError, match="disk gone"):
        run(kind, folder=tmp_path, save_every=save_every, wrap=lambda batches: Breaking(batches, at))
    assert equal(run(kind, folder=tmp_path, save_every=save_every), whole[kind])
    assert [entry["step"] for entry in entries(tmp_path)] == list(range(12))


def test_resuming_goes_on_from_the_last_checkpoint_and_not_from_the_start(tmp_path):
    with pytest.raises(OSError):
        run("masked", folder=tmp_path, save_every=3, wrap=lambda batches: Breaking(batches, 8))
    run("masked", folder=tmp_path, save_every=3, wrap=lambda batches: Breaking(batches, 5))  # step 5 is not asked for again


def test_a_finished_run_is_not_run_again(tmp_path, whole):
    run("masked", folder=tmp_path)
    assert equal(run("masked", folder=tmp_path, wrap=lambda batches: Breaking(batches, 11)), whole["masked"])


CHILD = """
import sys, time
from gotd_jax.training.loop import train
from gotd_jax.training.step import compiled_step
from tests.training.small import masked_run
slowly = lambda entry: time.sleep(0.2)
objective, params, batches, recipe = masked_run()
train(objective, params, batches, recipe, seed=0, folder=sys.argv[1], save_every=int(sys.argv[2]), log=slowly)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Of other processes, which compile the same programs."""
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return {**os.environ, "JAX_PLATFORMS": "cpu", **cache}


def stopped_child(folder, save_every, number, environment):
    """Starts the run in another process, sends it signal `number` in the middle, and returns how it ended."""
    command = [sys.executable, "-c", CHILD, str(folder), str(save_every)]
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (folder / "metrics.jsonl").exists() or len((folder / "metrics.jsonl").read_text().splitlines()) < 5:
        if child.poll() is not None or time.monotonic() > deadline:
            child.kill()
            raise RuntimeError(f"the run ended or hung before it was stopped: {child.communicate()[1]}")
        time.sleep(0.02)
    child.send_signal(number)
    child.communicate(timeout=120)
    return child.returncode


@pytest.mark.parametrize(
    "number, save_every, code", [(signal.SIGTERM, 1000, 128 + signal.SIGTERM), (signal.SIGKILL, 2, -signal.SIGKILL)]
)
def test_a_run_resumed_after_a_signal_equals_an_uninterrupted_one(tmp_path, whole, environment, number, save_every, code):
    assert stopped_child(tmp_path, save_every, number, environment) == code
    done = len(entries(tmp_path))
    assert 5 <= done < 12
    resumed = run("masked", folder=tmp_path, wrap=lambda batches: Breaking(batches, 0))  # it does not begin again
    assert equal(resumed, whole["masked"])
    assert [entry["step"] for entry in entries(tmp_path)] == list(range(12))


def test_ctrl_c_waits_for_the_step_and_saves(tmp_path, whole):
    def interrupt(entry):
        if entry["step"] == 4:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run("masked", folder=tmp_path, log=interrupt)
    assert signal.getsignal(signal.SIGINT) is before
    assert [entry["step"] for entry in entries(tmp_path)] == list(range(6))  # entry 4 is written while step 5 runs
    assert equal(run("masked", folder=tmp_path, wrap=lambda batches: Breaking(batches, 5)), whole["masked"])


def test_a_second_ctrl_c_does_not_wait():
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert interrupts.waiting
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.deliver()


def test_training_works_outside_the_main_thread(whole):
    with ThreadPoolExecutor(1) as pool:
        assert equal(pool.submit(run, "masked").result(), whole["masked"])


def test_without_a_last_checkpoint_the_last_step_is_still_written_and_checked(tmp_path):
    run("masked", folder=tmp_path, save_last=False)
    assert [entry["step"] for entry in entries(tmp_path)] == list(range(12))
    assert not [name for name in os.listdir(tmp_path / "checkpoints") if name.isdigit()]


def test_the_journal_of_a_resumed_run_is_that_of_an_uninterrupted_one(tmp_path):
    run("masked", folder=tmp_path / "whole")
    with pytest.raises(OSError):
        run("masked", folder=tmp_path / "resumed", save_every=3, wrap=lambda batches: Breaking(batches, 8))
    with open(tmp_path / "resumed" / "metrics.jsonl", "a") as file:
        file.write('{"step": 7, "lo')  # killed while writing
    run("masked", folder=tmp_path / "resumed", save_every=3)
    speeds = "tokens_per_second"
    one, other = ([{**entry, speeds: 0} for entry in entries(tmp_path / name)] for name in ("whole", "resumed"))
    assert one == other
    assert set(one[0]) == {"step", "loss", "accuracy", "gradient_norm", "learning_rate", speeds}


@pytest.mark.parametrize(
    "change, named",
    [
        ({"recipe": dataclasses.replace(RECIPE, learning_rate=2e-3)}, "learning_rate was 0.001, now 0.002"),
        ({"seed": 1}, "seed was 0, now 1"),
        ({"trainable": ("head",)}, r"trained was \['encoder', 'head'\], now \['head'\]"),
    ],
)
def test_a_folder_of_other_settings_is_refused_and_they_are_named(tmp_path, change, named):
    with pytest.raises(OSError):
        run("masked", folder=tmp_path, wrap=lambda batches: Breaking(batches, 0))
    with pytest.raises(ValueError, match=named):
        run("masked", folder=tmp_path, **change)


def test_a_folder_of_other_data_or_parameters_is_refused(tmp_path):
    objective, params, batches, recipe = masked_run()
    with pytest.raises(OSError):
        train(objective, params, Breaking(batches, 0), recipe, seed=0, folder=tmp_path)
    with pytest.raises(ValueError, match="data was"):
        train(objective, params, masked_run(count=44)[2], recipe, seed=0, folder=tmp_path)
    with pytest.raises(ValueError, match="parameters was"):
        train(objective, jax.tree.map(lambda leaf: leaf + 1e-3, params), batches, recipe, seed=0, folder=tmp_path)


def test_cleared_checkpoints_leave_the_journal(tmp_path):
    run("masked", folder=tmp_path)
    checkpoints.clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_the_seed_decides_everything(whole):
    assert equal(run("masked"), whole["masked"])
    assert not equal(run("masked", seed=1), whole["masked"])  # of dropout; that of the batches is the same


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


def test_the_best_epoch_is_returned_and_the_earliest_of_equals(tmp_path):
    recipe, seen = dataclasses.replace(RECIPE, epochs=4), []
    scores = iter([0.1, 0.3, 0.3, 0.2])

    def validate(params):
        seen.append(host_copy(params))
        return next(scores)

    best = run("labelled", recipe, validate=validate, folder=tmp_path)
    assert len(seen) == 4 and equal(best, seen[1]) and not equal(best, seen[3])
    assert [entry["validation"] for entry in entries(tmp_path) if "validation" in entry] == [0.1, 0.3, 0.3, 0.2]


def test_the_best_epoch_survives_a_stop(tmp_path):
    recipe, seen = dataclasses.replace(RECIPE, epochs=3), []
    scores = iter([0.5, 0.1, 0.2])

    def validate(params):
        seen.append(host_copy(params))
        return next(scores)

    with pytest.raises(OSError):
        run("labelled", recipe, validate=validate, folder=tmp_path, save_every=4, wrap=lambda batches: Breaking(batches, 14))
    best = run("labelled", recipe, validate=validate, folder=tmp_path, save_every=4)
    assert len(seen) == 3 and equal(best, seen[0])


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
from gotd_jax.training.batches import on_devices
from gotd_jax.training.loop import train
from gotd_jax.training.step import compiled_step
from tests.training.small import RECIPE, masked_run
assert jax.device_count() == int(sys.argv[2]), jax.device_count()
# Adam blows a gradient up to the learning rate, and the attention keys' biases have a gradient that is rounding alone.
recipe = dataclasses.replace(RECIPE, adam_epsilon=1e-3, batch_size=12)
objective, params, batches, recipe = masked_run(recipe=recipe)
shards = on_devices(batches[0])["ids"].addressable_shards
assert {len(shard.data) for shard in shards} == {{1: 12, 8: 2}[jax.device_count()]}  # 12 rows become 16 on 8 devices
np.savez(sys.argv[1], *jax.tree.leaves(jax.device_get(train(objective, params, batches, recipe, seed=0))))
"""


@pytest.mark.slow
def test_one_and_eight_devices_give_the_same_parameters(tmp_path, environment):
    children = []
    for count in (1, 8):
        command = [sys.executable, "-c", DEVICES, str(tmp_path / f"{count}.npz"), str(count)]
        flags = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={count}"}
        children.append(subprocess.Popen(command, cwd=ROOT, env={**environment, **flags}))
    assert [child.wait(timeout=300) for child in children] == [0, 0]
    one, eight = (np.load(tmp_path / f"{count}.npz") for count in (1, 8))
    moved = 0.0
    for name, before in zip(one.files, jax.tree.leaves(masked_run()[1]), strict=True):
        np.testing.assert_allclose(one[name], eight[name], rtol=0, atol=1e-5)
        moved = max(moved, np.abs(one[name] - before).max())
    assert moved > 1e-3
