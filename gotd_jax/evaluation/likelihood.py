"""Log-likelihoods of continuations: a context is read once for all its continuations, and only scored tokens have logits."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax
from jax.sharding import PartitionSpec as P

from gotd_jax import devices
from gotd_jax.evaluation.context_batches import Batch, Shape, batches
from gotd_jax.evaluation.context_pairs import Pair
from gotd_jax.models.model import Loaded
from gotd_jax.progress import progress

LOGITS_AT_ONCE = 256  # positions; of 50,000 words their logits are 51 MB


@dataclasses.dataclass(frozen=True, eq=False)
class Likelihoods:
    """The log-likelihoods of n continuations, each after its context.

    Attributes:
      sums: summed log-probability of each, nats, float64 [n].
      tokens: of each, int32 [n].
      greedy: bool [n], whether every token of it is the likeliest at its place.
      contexts: summed log-probability of the context's tokens after its first, float64 [n]; None unless asked for.
      context_tokens: of each context as it was read, its first among them, int32 [n].
      cut: contexts that lost their beginning.
    """

    sums: np.ndarray
    tokens: np.ndarray
    greedy: np.ndarray
    contexts: np.ndarray | None
    context_tokens: np.ndarray
    cut: int


def log_likelihoods(
    model: Loaded,
    pairs: Sequence[Pair],
    *,
    params: dict | None = None,
    cut: bool = False,
    contexts: bool = False,
) -> Likelihoods:
    """Returns log p(continuation | context) = sum_t log p(token t | context, tokens before t) of every pair.

    Equal pairs are scored once, and a context is read once for up to 8 continuations. The results are the same to rounding
    whatever the order of the pairs, the batches and the number of devices.

    Args:
      model: a causal language model.
      pairs: the token ids of a context and of its continuation, at least one each. Where a text has no context, an end
        token stands for it; `gotd_jax.evaluation.context_pairs` makes pairs of texts.
      params: to use instead of the model's own.
      cut: whether contexts lose their first tokens where a pair is longer than the model's positions, as in the harness.
        Not by default: the text scored would differ from the text given.
      contexts: whether to score the contexts themselves too. It costs the logits of all their tokens.

    Raises:
      ValueError: the model is no language model, a context or a continuation is empty, or a pair that may not be cut is
        too long.
    """
    if model.head != "causal_lm":
        raise ValueError(f"The model's head is {model.head}, and only a causal language model has likelihoods.")
    fitted = [_fitted(number, pair, model.config.max_positions, cut) for number, pair in enumerate(pairs)]
    places: dict[Pair, list[int]] = {}
    for number, pair in enumerate(fitted):
        places.setdefault(pair, []).append(number)
    found = Likelihoods(
        sums=np.zeros(len(pairs)),
        tokens=np.array([len(continuation) for _, continuation in fitted], np.int32),
        greedy=np.zeros(len(pairs), bool),
        contexts=np.zeros(len(pairs)) if contexts else None,
        context_tokens=np.array([len(context) for context, _ in fitted], np.int32),
        cut=sum(len(after[0]) < len(before[0]) for after, before in zip(fitted, pairs)),
    )
    params = jax.device_put(model.params if params is None else params, devices.replicated())
    with progress(total=len(pairs), unit="continuations", step="scoring") as bar:
        for shape, groups, batch in batches(places, model.config.max_positions):
            run = _program(model.definition, shape, contexts)
            scored = tuple(map(devices.gathered, run(params, jax.device_put(batch, devices.split_rows()))))
            for row, group in enumerate(groups):
                for slot, pair in enumerate(group):
                    _write(found, places[pair], *(array[row] for array in scored), slot)
                    bar.update(len(places[pair]))
    return found


def _fitted(number: int, pair: Pair, positions: int, cut: bool) -> Pair:
    context, continuation = (tuple(int(token) for token in part) for part in pair)
    if not context or not continuation:
        raise ValueError(
            f"Pair {number} has {len(context)} tokens of context and {len(continuation)} to score. Both need one at least; an "
            "end token may stand for a context."
        )
    room = positions + 1 - len(continuation)  # the last token is predicted and not read
    if room < 1 or (len(context) > room and not cut):
        raise ValueError(
            f"Pair {number} has {len(context)} tokens of context and {len(continuation)} to score; together they may have "
            f"{positions + 1}, as this model has positions for {positions}. "
            f"{'Shorten the continuation.' if room < 1 else 'Shorten the context, or pass cut=True to lose its beginning.'}"
        )
    return context[-room:], continuation


def _write(found: Likelihoods, rows: list[int], scores: np.ndarray, likeliest: np.ndarray, context: np.ndarray, slot: int):
    found.sums[rows] = scores[slot].sum(dtype=np.float64)
    found.greedy[rows] = likeliest[slot]
    if found.contexts is not None:
        found.contexts[rows] = context.sum(dtype=np.float64)


@functools.lru_cache(maxsize=64)
def _program(definition: nnx.GraphDef, shape: Shape, contexts: bool):
    """Returns the compiled function of (params, batch): scores of tokens [B, K, F + 1], greedy [B, K], of contexts [B, C - 1].

    Scores are float32 and 0 at padding. Without `contexts` the scores of contexts have no columns.
    """

    def per_device(params, batch):
        model = nnx.merge(definition, params)
        rows = len(batch.context)
        hidden, cache = model.decoder(batch.context, batch.context_mask, room=shape.fed or None)
        states = jnp.repeat(hidden[:, -1:], shape.shared, axis=0)
        wanted = batch.continuation.reshape(rows * shape.shared, -1)
        real = batch.continuation_mask.reshape(wanted.shape)
        if shape.fed:
            more, _ = model.decoder(wanted[:, :-1], real[:, :-1], cache.repeated(shape.shared))
            states = jnp.concatenate([states, more], axis=1)
        scores, likeliest = _scored(model, states, wanted)
        scores = jnp.where(real, scores, 0.0).reshape(batch.continuation.shape)
        likeliest = (likeliest | ~real).all(axis=1).reshape(rows, shape.shared)
        return scores, likeliest, _context_scores(model, hidden, batch) if contexts else jnp.zeros((rows, 0))

    specs = P(), Batch(P(devices.AXIS), P(devices.AXIS), P(devices.AXIS), P(devices.AXIS))
    return jax.jit(
        jax.shard_map(per_device, mesh=devices.mesh(), in_specs=specs, out_specs=(P(devices.AXIS),) * 3, check_vma=False)
    )


def _context_scores(model, hidden: jax.Array, batch: Batch) -> jax.Array:
    if hidden.shape[1] == 1:
        return jnp.zeros((len(hidden), 0))
    scores, _ = _scored(model, hidden[:, :-1], batch.context[:, 1:])
    return jnp.where(batch.context_mask[:, :-1], scores, 0.0)


def _scored(model, hidden: jax.Array, wanted: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns log p of the `wanted` tokens, float32 [N, T], and whether each is the likeliest; of hidden states [N, T, D]."""
    flat = hidden.reshape(-1, hidden.shape[-1])
    blocks = -(-len(flat) // LOGITS_AT_ONCE)
    size = -(-len(flat) // blocks)
    filled = ((0, blocks * size - len(flat)),)
    states = jnp.pad(flat, (*filled, (0, 0))).reshape(blocks, size, -1)
    tokens = jnp.pad(wanted.reshape(-1), filled).reshape(blocks, size)

    def score(block):
        states, tokens = block
        logits = model.logits(states)
        chosen = jnp.take_along_axis(logits, tokens[:, None], axis=1)[:, 0]
        return chosen - jax.nn.logsumexp(logits, axis=1), jnp.argmax(logits, axis=1) == tokens

    scores, likeliest = lax.map(score, (states, tokens))
    return tuple(array.reshape(-1)[: len(flat)].reshape(wanted.shape) for array in (scores, likeliest))
