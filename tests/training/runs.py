"""Small runs of training, whole and broken off, for the tests of the loop."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np

from gotd_jax.training.loop import train
from tests.training.small import RECIPE, labelled_run, masked_run


def run(kind, recipe=RECIPE, **options):
    """Trains, and returns the parameters as NumPy arrays."""
    objective, params, batches, recipe = {"masked": masked_run, "labelled": labelled_run}[kind](recipe=recipe)
    batches = options.pop("wrap", lambda same: same)(batches)
    return jax.device_get(train(objective, params, batches, recipe, **{"seed": 0, **options}))


@functools.cache
def whole(kind):
    """The parameters after an uninterrupted run."""
    return run(kind)


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
