"""What the tests of models share: the stored references, and a model run on one batch."""

import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from gotd_jax.models.model import blueprint

REFERENCES = Path(__file__).parent / "references"
FAMILIES = ("bert", "roberta", "distilbert")
HEADS = {"masked_lm": "masked_lm", "classification": "classifier", "regression": "classifier"}


def reference(family, kind, padded=True):
    with np.load(REFERENCES / family / kind / f"{'padded' if padded else 'full'}.npz") as arrays:
        return dict(arrays)


@functools.partial(jax.jit, static_argnums=0)
def _call(definition, params, *arguments, key=None):
    return nnx.merge(definition, params)(*arguments, key=key)


def hidden(loaded, batch, key=None):
    definition, _ = blueprint(loaded.config)
    params = loaded.params if loaded.head is None else loaded.params["encoder"]
    return np.asarray(_call(definition, params, batch["ids"], batch["mask"], batch["types"], key=key))


def logits(loaded, batch, key=None):
    """Those of every token for a masked LM, [B, T, vocab]; those of every text for a classifier, [B, outputs]."""
    arguments = [batch["ids"], batch["mask"], batch["types"]]
    if loaded.head == "masked_lm":
        arguments.append(jnp.arange(batch["ids"].size))
    found = np.asarray(_call(loaded.definition, loaded.params, *arguments, key=key))
    return found.reshape(*batch["ids"].shape, -1) if loaded.head == "masked_lm" else found


def edit_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def assert_same_trees(one, other):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    assert jax.tree.all(jax.tree.map(lambda x, y: bool((x == y).all()), one, other))
