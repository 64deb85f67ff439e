import dataclasses
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import pytest

from gotd_jax.training import checkpoints
from gotd_jax.training.loop import train
from gotd_jax.training.signals import DelayedSignals
from tests.marks import others_slow
from tests.training.runs import Breaking, entries, equal, host_copy, run, whole
from tests.training.small import RECIPE, masked_run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", others_slow("masked", "labelled"))
@pytest.mark.parametrize("save_every, at", [pytest.param(1, 7, marks=pytest.mark.slow), (3, 8)])
def test_a_run_resumed_after_a_failure_equals_an_uninterrupted_one(tmp_path, kind, save_every, at):
    with pytest.raises(OSError, match="disk gone"):
        run(kind, folder=tmp_path, save_every=save_every, wrap=lambda batches: Breaking(batches, at))
    assert equal(run(kind, folder=tmp_path, save_every=save_every), whole(kind))
    assert [entry["step"] for entry in entries(tmp_path)] == list(range(12))


def test_resuming_goes_on_from_the_last_checkpoint_and_not_from_the_start(tmp_path):
    with pytest.raises(OSError):
        run("masked", folder=tmp_path, save_every=3, wrap=lambda batches: Breaking(batches, 8))
    run("masked", folder=tmp_path, save_every=3, wrap=lambda batches: Breaking(batches, 5))  # step 5 is not asked for again


def test_a_finished_run_is_not_run_again(tmp_path):
    run("masked", folder=tmp_path)
    assert equal(run("masked", folder=tmp_path, wrap=lambda batches: Breaking(batches, 11)), whole("masked"))


CHILD = """
import sys, time
from gotd_jax.training.loop import train
from gotd_jax.training.step import compiled_step
from tests.training.small import masked_run
slowly = lambda entry: time.sleep(0.2)
objective, params, batches, recipe = masked_run()
train(objective, params, batches, recipe, seed=0, folder=sys.argv[1], save_every=int(sys.argv[2]), log=slowly)
"""


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
    "number, save_every, code",
    [
        pytest.param(signal.SIGTERM, 1000, 128 + signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, 2, -signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_a_run_resumed_after_a_signal_equals_an_uninterrupted_one(tmp_path, environment, number, save_every, code):
    assert stopped_child(tmp_path, save_every, number, environment) == code
    done = len(entries(tmp_path))
    assert 5 <= done < 12
    resumed = run("masked", folder=tmp_path, wrap=lambda batches: Breaking(batches, 0))  # it does not begin again
    assert equal(resumed, whole("masked"))
    assert [entry["step"] for entry in entries(tmp_path)] == list(range(12))


@pytest.fixture
def heeding():
    """Ctrl-C raises, however the tests were started."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_for_the_step_and_saves(tmp_path, heeding):
    def interrupt(entry):
        if entry["step"] == 4:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run("masked", folder=tmp_path, log=interrupt)
    assert signal.getsignal(signal.SIGINT) is before
    assert [entry["step"] for entry in entries(tmp_path)] == list(range(6))  # entry 4 is written while step 5 runs
    assert equal(run("masked", folder=tmp_path, wrap=lambda batches: Breaking(batches, 5)), whole("masked"))


def test_what_the_process_ignores_is_not_heeded():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with DelayedSignals() as interrupts:
            signal.raise_signal(signal.SIGINT)
            assert not interrupts.waiting
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_second_ctrl_c_does_not_wait(heeding):
    with DelayedSignals() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert interrupts.waiting
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.deliver()


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


@pytest.mark.slow
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
