"""Batches: made on the host, each a pure function of the data, the recipe, the seed and the step.

`batches[step]` is a dict of NumPy arrays whose shapes depend on the width of the batch alone, and there are few widths, so
few programs are compiled. A run that resumes asks for the next step and gets the same batch as it would have without the stop.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import math

import numpy as np

from gotd_jax.data.length_buckets import batch_width
from gotd_jax.data.tokens import Tokens
from gotd_jax.models.tokenizer import Vocabulary
from gotd_jax.training.recipe import Recipe

ORDER, MASKS = 1, 2  # the uses of streams of random numbers


@dataclasses.dataclass(frozen=True)
class MaskedBatches:
    """The batches of a masked language model.

    Of every text's tokens, special ones apart, each is chosen with probability `recipe.mask_share`. Of the chosen,
    80 % become the mask token, 10 % a token drawn from the whole vocabulary, 10 % stay (Devlin et al. 2019, Section
    3.1). Each epoch draws anew.

    A batch has `ids`, `mask`, `types` [B, T] and `positions`, `labels` int32, `weights` float32, all [P]. P is the same
    for all batches of one width: six standard deviations above the expected number of chosen tokens. (Were there ever
    more, the surplus would not be masked.)

    All arrays have a first axis of `recipe.accumulate` parts where there is more than one, here and below.
    """

    tokens: Tokens
    vocabulary: Vocabulary
    recipe: Recipe
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one pass over the texts."""
        return _steps_per_epoch(len(self.tokens), self.recipe)

    def __len__(self) -> int:
        return self.recipe.steps(self.steps_per_epoch)

    def __getitem__(self, step: int) -> dict[str, np.ndarray]:
        """Returns the batch of step `step`."""
        epoch, rows = _rows(len(self.tokens), self.recipe, self.seed, step)
        batch = _rectangle(self.tokens, rows, self.recipe, self.vocabulary.pad_id)
        random = np.random.default_rng([MASKS, self.seed, epoch, step])
        masked, places = _mask(batch["ids"], batch["mask"], self.vocabulary, self.recipe, random)
        return _in_parts(batch | {"ids": masked}, self.recipe.accumulate) | places

    @property
    def fingerprint(self) -> str:
        """16 hex digits over the texts' tokens and the vocabulary."""
        return _fingerprint(self.tokens.ids, self.tokens.offsets, repr(self.vocabulary).encode())


@dataclasses.dataclass(frozen=True)
class PackedBatches:
    """The batches of a causal language model: texts one after another, an end token behind each, cut into blocks.

    Every block has `recipe.max_length` tokens, so that nothing is padding; the rest at the end is dropped, unless it is
    all there is. A batch has `ids` int32 and `mask` bool, [B, T].
    """

    tokens: Tokens
    end_id: int
    recipe: Recipe
    seed: int

    @functools.cached_property
    def blocks(self) -> np.ndarray:
        """All tokens in order, int32 [blocks, max_length], or [1, fewer] where they do not fill one."""
        texts = np.insert(self.tokens.ids, self.tokens.offsets[1:], self.end_id)
        count = len(texts) // self.recipe.max_length
        return texts[: count * self.recipe.max_length].reshape(count, -1) if count else texts[None]

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one pass over the blocks."""
        return _steps_per_epoch(len(self.blocks), self.recipe)

    def __len__(self) -> int:
        return self.recipe.steps(self.steps_per_epoch)

    def __getitem__(self, step: int) -> dict[str, np.ndarray]:
        """Returns the batch of step `step`."""
        _, rows = _rows(len(self.blocks), self.recipe, self.seed, step)
        ids = np.zeros((self.recipe.batch_size, self.blocks.shape[1]), np.int32)
        ids[: len(rows)] = self.blocks[rows]
        mask = np.zeros(ids.shape, bool)
        mask[: len(rows)] = True
        return _in_parts({"ids": ids, "mask": mask}, self.recipe.accumulate)

    @property
    def fingerprint(self) -> str:
        """16 hex digits over the texts' tokens and the end token."""
        return _fingerprint(self.tokens.ids, self.tokens.offsets, str(self.end_id).encode())


@dataclasses.dataclass(frozen=True)
class LabelledBatches:
    """The batches of a task.

    A batch has `ids`, `mask`, `types` [B, T] and `labels` (int32 class positions, or float32), `weights` float32 [B].
    """

    tokens: Tokens
    labels: np.ndarray
    recipe: Recipe
    seed: int
    pad_id: int = 0

    def __post_init__(self):
        if len(self.tokens) != len(self.labels):
            raise ValueError(f"There are {len(self.tokens)} texts and {len(self.labels)} labels. Give one label a text.")

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one pass over the examples."""
        return _steps_per_epoch(len(self.tokens), self.recipe)

    def __len__(self) -> int:
        return self.recipe.steps(self.steps_per_epoch)

    def __getitem__(self, step: int) -> dict[str, np.ndarray]:
        """Returns the batch of step `step`."""
        _, rows = _rows(len(self.tokens), self.recipe, self.seed, step)
        labels = np.zeros(self.recipe.batch_size, self.labels.dtype)
        labels[: len(rows)] = self.labels[rows]
        weights = (np.arange(self.recipe.batch_size) < len(rows)).astype(np.float32)
        batch = _rectangle(self.tokens, rows, self.recipe, self.pad_id) | {"labels": labels, "weights": weights}
        return _in_parts(batch, self.recipe.accumulate)

    @property
    def fingerprint(self) -> str:
        """16 hex digits over the texts' tokens and their labels."""
        return _fingerprint(self.tokens.ids, self.tokens.types, self.tokens.offsets, self.labels)


def _steps_per_epoch(examples: int, recipe: Recipe) -> int:
    return math.ceil(examples / recipe.batch_size)


def _rows(examples: int, recipe: Recipe, seed: int, step: int) -> tuple[int, np.ndarray]:
    steps = _steps_per_epoch(examples, recipe)
    if not 0 <= step < recipe.steps(steps):
        raise IndexError(f"Step {step} was asked for; there are {recipe.steps(steps)}.")
    epoch, place = divmod(step, steps)
    return epoch, _order(examples, seed, epoch)[place * recipe.batch_size : (place + 1) * recipe.batch_size]


@functools.lru_cache(maxsize=2)
def _order(examples: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([ORDER, seed, epoch]).permutation(examples)


def _rectangle(tokens: Tokens, rows: np.ndarray, recipe: Recipe, pad_id: int) -> dict[str, np.ndarray]:
    width = batch_width(int(tokens.lengths[rows].max()), recipe.max_length)
    return tokens.pad(rows, width, height=recipe.batch_size, pad_id=pad_id)


def _in_parts(batch: dict[str, np.ndarray], parts: int) -> dict[str, np.ndarray]:
    if parts == 1:
        return batch
    return {name: array.reshape(parts, -1, *array.shape[1:]) for name, array in batch.items()}


def _mask(ids: np.ndarray, real: np.ndarray, vocabulary: Vocabulary, recipe: Recipe, random: np.random.Generator):
    """Returns the masked ids, and the masked places: positions in each part, the tokens that stood there, weights."""
    size, parts = ids.size // recipe.accumulate, recipe.accumulate
    most = _masked_places(size, recipe.mask_share)
    chosen = (random.random(ids.shape) < recipe.mask_share) & real & ~np.isin(ids, vocabulary.special_ids)
    by_part = [part[:most] for part in map(np.flatnonzero, chosen.reshape(parts, size))]
    places = np.concatenate([part + number * size for number, part in enumerate(by_part)])
    fate = random.random(len(places))
    drawn = random.integers(vocabulary.size, size=len(places), dtype=np.int32)
    old = ids.reshape(-1)[places]
    masked = ids.copy()
    masked.reshape(-1)[places] = np.where(fate < 0.8, vocabulary.mask_id, np.where(fate < 0.9, drawn, old))
    taken = np.arange(most) < np.array([[len(part)] for part in by_part])
    found = {"positions": np.zeros(taken.shape, np.int32), "labels": np.zeros(taken.shape, np.int32)}
    found["positions"][taken], found["labels"][taken] = places % size, old
    found["weights"] = taken.astype(np.float32)
    return masked, found if parts > 1 else {name: array[0] for name, array in found.items()}


def _masked_places(tokens: int, share: float) -> int:
    mean, deviation = tokens * share, math.sqrt(tokens * share * (1 - share))
    return min(math.ceil((mean + 6 * deviation) / 8) * 8, tokens)


def _fingerprint(*parts) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(np.ascontiguousarray(part))
    return digest.hexdigest()
