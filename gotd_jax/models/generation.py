"""Continuations of prompts, sampled from a nucleus: one compiled program reads a batch of prompts once and generates them all.

A sampled token depends on (seed, prompt, continuation, step) alone, not on the batch, its padding or the devices, but for the
rounding of logits.
"""

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

from gotd_jax.devices import AXIS, gathered, mesh, split_rows
from gotd_jax.models.model import Loaded
from gotd_jax.progress import progress

WIDTH_STEP = 16  # prompts are padded on the left to multiples of it: few programs, little padding
SAMPLE_BLOCK = 256  # of the vocabulary


@dataclasses.dataclass(frozen=True, eq=False)
class Continuations:
    """Continuations of prompts.

    Attributes:
      tokens: int32 [prompts, continuations, new tokens]; past its length a row repeats the token that ended it.
      lengths: tokens of each before the one that ended it, int32 [prompts, continuations].
    """

    tokens: np.ndarray
    lengths: np.ndarray


def generate(
    model: Loaded,
    prompts: Sequence[Sequence[int]],
    *,
    seed: int,
    continuations: int = 25,
    new_tokens: int = 20,
    top_p: float = 0.9,
    temperature: float = 1.0,
    prompt_ids: Sequence[int] | None = None,
    batch_size: int = 8,
) -> Continuations:
    """Returns continuations of every prompt (nucleus sampling, Holtzman et al. 2020).

    A token is sampled from the smallest set of the likeliest ones whose probabilities add up to `top_p`.

    Args:
      model: a causal language model.
      prompts: the tokens of each, at least one.
      seed: with a prompt's id, decides its continuations.
      continuations: of each prompt; the prompt is read once for all of them.
      new_tokens: at most, of each; it ends before at one of the model's `stop_ids`, or of its `end_ids` where it has none.
      top_p: in (0, 1]; 1 samples from the whole vocabulary.
      temperature: the divisor of logits; 0 takes the likeliest token always.
      prompt_ids: a number for each prompt; None for its place.
      batch_size: prompts read at once on each device.

    Raises:
      ValueError: an empty prompt, one that leaves no room for `new_tokens`, or arguments out of range.
    """
    _check(model, prompts, continuations, new_tokens, top_p, temperature, batch_size)
    prompt_ids = np.arange(len(prompts)) if prompt_ids is None else np.asarray(prompt_ids)
    tokens = np.zeros((len(prompts), continuations, new_tokens), np.int32)
    lengths = np.zeros((len(prompts), continuations), np.int32)
    run = _program(model.definition, model.config, continuations, new_tokens, top_p, temperature)
    order = np.argsort([len(prompt) for prompt in prompts], kind="stable")
    count = jax.device_count()
    with progress(total=len(prompts), unit="prompts", step="generating") as bar:
        for start in range(0, len(order), batch_size * count):
            rows = order[start : start + batch_size * count]
            longest = -(-len(prompts[rows[-1]]) // WIDTH_STEP) * WIDTH_STEP
            width, height = min(longest, model.config.max_positions - new_tokens), -(-len(rows) // count) * count
            batch = _batch([prompts[row] for row in rows], prompt_ids[rows], width, height)
            found = run(model.params, *jax.device_put(batch, split_rows()), jnp.uint32(seed))
            tokens[rows], lengths[rows] = (gathered(array)[: len(rows)] for array in found)
            bar.update(len(rows))
    return Continuations(tokens, lengths)


def nucleus(logits: jax.Array, top_p: float) -> jax.Array:
    """Returns the probabilities of the nucleus and 0 elsewhere, float32 [..., vocab]; they add up to `top_p` or more.

    The least probability inside is found by bisecting over the floats between 0 and 1, in their order, instead of by sorting.
    """
    probabilities = jax.nn.softmax(logits)
    if top_p >= 1.0:
        return probabilities

    def narrowed(_, bounds):
        low, high = bounds
        middle = low + (high - low) // 2
        enough = _mass_from(probabilities, middle) >= top_p
        return jnp.where(enough, middle, low), jnp.where(enough, high, middle)

    shape = logits.shape[:-1]
    one = lax.bitcast_convert_type(jnp.float32(1.0), jnp.int32)
    low, _ = lax.fori_loop(0, 31, narrowed, (jnp.zeros(shape, jnp.int32), jnp.full(shape, one + 1)))
    least = lax.bitcast_convert_type(low, jnp.float32)[..., None]
    return jnp.where(probabilities >= least, probabilities, 0.0)


def sample(key: jax.Array, logits: jax.Array, top_p: float, temperature: float) -> jax.Array:
    """Returns a token sampled from the nucleus of `logits`, float32 [vocab], by one uniform number."""
    if temperature == 0.0:
        return jnp.argmax(logits).astype(jnp.int32)
    weights = nucleus(logits / temperature, top_p)
    # In two steps, since a cumulative sum over a vocabulary takes longer than the passes that find the nucleus.
    blocks = jnp.pad(weights, (0, -len(weights) % SAMPLE_BLOCK)).reshape(-1, SAMPLE_BLOCK)
    sums = blocks.sum(axis=1)
    block, rest = _first_to_reach(sums, (1.0 - jax.random.uniform(key)) * sums.sum())
    return (block * SAMPLE_BLOCK + _first_to_reach(blocks[block], rest)[0]).astype(jnp.int32)


def _first_to_reach(weights: jax.Array, place: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns the position of the first positive weight whose cumulative sum reaches `place`, and how far into it that is."""
    ends = jnp.cumsum(weights)
    held = weights > 0
    place = jnp.minimum(place, jnp.max(jnp.where(held, ends, 0.0)))  # a place that rounding puts past the last one is in it
    found = jnp.argmax(held & (ends >= place))
    return found, place - (ends[found] - weights[found])


def _mass_from(probabilities: jax.Array, bits: jax.Array) -> jax.Array:
    least = lax.bitcast_convert_type(bits, jnp.float32)[..., None]
    return jnp.sum(jnp.where(probabilities >= least, probabilities, 0.0), axis=-1)


@functools.lru_cache(maxsize=8)
def _program(definition, config, continuations, new_tokens, top_p, temperature):
    ends = jnp.array(config.stop_ids or config.end_ids or (-1,), jnp.int32)

    def keys_of(seed, prompt_ids):
        prompts = jax.vmap(lambda number: jax.random.fold_in(jax.random.key(seed), number))(prompt_ids)
        return jax.vmap(lambda key: jax.random.split(key, continuations))(prompts).reshape(-1)

    def per_device(params, ids, mask, prompt_ids, seed):
        model = nnx.merge(definition, params)
        hidden, cache = model.decoder(ids, mask, room=new_tokens)
        logits, cache = jnp.repeat(model.logits(hidden[:, -1]), continuations, axis=0), cache.repeated(continuations)
        keys = keys_of(seed, prompt_ids)

        def sampled(step, logits, tokens, done, lengths):
            sample_all = jax.vmap(lambda key, row: sample(jax.random.fold_in(key, step), row, top_p, temperature))
            last = tokens[:, jnp.maximum(step - 1, 0)]
            token = jnp.where(done, last, sample_all(keys, logits))
            ended = done | (token[:, None] == ends).any(axis=1)
            return lax.dynamic_update_slice_in_dim(tokens, token[:, None], step, 1), ended, lengths + ~ended

        def write(state):
            step, (tokens, done, lengths), cache = state
            last = lax.dynamic_slice_in_dim(tokens, step - 1, 1, axis=1)
            hidden, cache = model.decoder(last, jnp.ones(last.shape, bool), cache)
            return step + 1, sampled(step, model.logits(hidden[:, 0]), tokens, done, lengths), cache

        def unfinished(state):
            step, (_, done, _), _ = state
            return (step < new_tokens) & ~done.all()

        rows = len(keys)
        nothing = jnp.zeros((rows, new_tokens), jnp.int32), jnp.zeros(rows, bool), jnp.zeros(rows, jnp.int32)
        step, (tokens, _, lengths), _ = lax.while_loop(unfinished, write, (1, sampled(0, logits, *nothing), cache))
        filled = jnp.arange(new_tokens) < step  # where generation stops early, every row has ended before the columns left
        tokens = jnp.where(filled, tokens, tokens[:, step - 1][:, None])
        return tokens.reshape(-1, continuations, new_tokens), lengths.reshape(-1, continuations)

    specs = (P(), P(AXIS), P(AXIS), P(AXIS), P())
    return jax.jit(jax.shard_map(per_device, mesh=mesh(), in_specs=specs, out_specs=(P(AXIS), P(AXIS)), check_vma=False))


def _batch(prompts: Sequence[Sequence[int]], prompt_ids: np.ndarray, width: int, height: int):
    """Returns ids, mask and prompt ids of `height` rows, padded on the left; rows without a prompt read one token."""
    ids = np.zeros((height, width), np.int32)
    mask = np.zeros((height, width), bool)
    mask[:, -1] = True
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = prompt
        mask[row, width - len(prompt) :] = True
    return ids, mask, np.pad(prompt_ids.astype(np.uint32), (0, height - len(prompts)))


def _check(model, prompts, continuations, new_tokens, top_p, temperature, batch_size) -> None:
    if model.head != "causal_lm":
        raise ValueError(f"The model's head is {model.head}, and only a causal language model generates text.")
    if min(continuations, new_tokens, batch_size) < 1:
        raise ValueError(
            f"continuations ({continuations}), new_tokens ({new_tokens}) and batch_size ({batch_size}) must be at least 1."
        )
    if not 0 < top_p <= 1 or temperature < 0:
        raise ValueError(f"top_p is {top_p} and temperature {temperature}. top_p lies in (0, 1], temperature is at least 0.")
    room, rows = model.config.max_positions - new_tokens, model.config.vocab_size
    for row, prompt in enumerate(prompts):
        if not 0 < len(prompt) <= room:
            raise ValueError(
                f"Prompt {row} has {len(prompt)} tokens. With {new_tokens} new ones it may have 1 to {room}, as this model has "
                f"positions for {model.config.max_positions}."
            )
        if max(prompt) >= rows:
            raise ValueError(
                f"Prompt {row} has the token {max(prompt)}, and the model's table of embeddings {rows} rows. Its tokeniser is "
                "not the model's."
            )
