import dataclasses

import numpy as np
import pytest

from gotd_jax.data.tokens import Tokens, load_tokenizer
from gotd_jax.models.tokenizer import Vocabulary
from gotd_jax.training.batches import LabelledBatches, MaskedBatches
from gotd_jax.training.recipe import Recipe
from tests.training.small import RECIPE, VOCABULARY, random_tokens, save_tokenizer

BIG = Vocabulary(size=30_000, pad_id=0, mask_id=4, special_ids=(0, 1, 2, 3, 4))


def many_tokens(count=400, length=120):
    random = np.random.default_rng(0)
    ids = random.integers(5, 30_000, (count, length)).astype(np.int32)
    ids[:, 0], ids[:, -1], ids[::7, 5] = 2, 3, 1
    return Tokens(ids.ravel(), np.zeros(ids.size, np.uint8), np.arange(count + 1) * length)


def unmasked(batch):
    """The ids as they were before masking."""
    ids = batch["ids"].copy()
    real = batch["weights"] > 0
    ids.reshape(-1)[batch["positions"][real]] = batch["labels"][real]
    return ids


def test_each_epoch_has_every_text_once_in_its_own_order():
    tokens = random_tokens(45)
    batches = MaskedBatches(tokens, VOCABULARY, RECIPE, seed=0)
    texts = sorted(tuple(tokens.ids[i:j]) for i, j in zip(tokens.offsets, tokens.offsets[1:]))
    orders = []
    for epoch in range(2):
        steps = range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch)
        rows = [
            tuple(ids[mask])
            for step in steps
            for ids, mask in zip(unmasked(batches[step]), batches[step]["mask"])
            if mask.any()
        ]
        assert sorted(rows) == texts
        orders.append(rows)
    assert orders[0] != orders[1]


def test_length_is_the_number_of_steps_and_a_step_beyond_is_refused():
    batches = MaskedBatches(random_tokens(45), VOCABULARY, RECIPE, seed=0)
    assert (len(batches), batches.steps_per_epoch) == (12, 6)
    with pytest.raises(IndexError, match="Step 12 was asked for; there are 12"):
        batches[12]


def test_most_steps_are_the_first_of_the_longer_training():
    tokens = random_tokens(45)
    whole = MaskedBatches(tokens, VOCABULARY, RECIPE, seed=0)
    cut = MaskedBatches(tokens, VOCABULARY, dataclasses.replace(RECIPE, max_steps=8), seed=0)
    assert (len(cut), len(whole)) == (8, 12)
    np.testing.assert_array_equal(cut[7]["ids"], whole[7]["ids"])
    with pytest.raises(IndexError, match="Step 8 was asked for; there are 8"):
        cut[8]


def test_fifteen_per_cent_are_chosen_and_of_these_eighty_ten_and_ten_become_mask_random_and_same():
    batches = MaskedBatches(many_tokens(), BIG, Recipe(max_length=120), seed=3)
    masked = drawn = same = ordinary = 0
    for step in range(len(batches)):
        batch = batches[step]
        real = batch["weights"] > 0
        now, before = batch["ids"].reshape(-1)[batch["positions"][real]], batch["labels"][real]
        masked += np.sum(now == 4)
        same += np.sum(now == before)
        drawn += np.sum((now != 4) & (now != before))
        ordinary += np.sum(~np.isin(unmasked(batch), BIG.special_ids) & batch["mask"])
    chosen = masked + drawn + same
    assert ordinary == 400 * 118 - 58  # without [CLS], [SEP] and 58 unknown words
    deviation = np.sqrt([0.15 * 0.85 / ordinary, 0.8 * 0.2 / chosen, 0.1 * 0.9 / chosen, 0.1 * 0.9 / chosen])
    gap = np.abs(np.array([chosen / ordinary, masked / chosen, drawn / chosen, same / chosen]) - [0.15, 0.8, 0.1, 0.1])
    assert np.all(gap < 4 * deviation), gap / deviation


def test_random_tokens_are_drawn_from_the_whole_vocabulary():
    batches = MaskedBatches(many_tokens(), BIG, Recipe(max_length=120, mask_share=0.9, epochs=3), seed=0)
    drawn = []
    for step in range(len(batches)):
        batch = batches[step]
        now = batch["ids"].reshape(-1)[batch["positions"]]
        drawn.append(now[(now != 4) & (now != batch["labels"]) & (batch["weights"] > 0)])
    counts, _ = np.histogram(np.concatenate(drawn), bins=10, range=(0, 30_000))
    assert np.all(np.abs(counts - counts.mean()) < 5 * np.sqrt(counts.mean()))


@pytest.mark.parametrize("pad_id", [0, 7])  # 7 is an ordinary word: of a tokeniser without a padding token
def test_special_tokens_and_padding_are_never_masked(pad_id):
    recipe = Recipe(batch_size=8, max_length=24, mask_share=0.95, epochs=5)
    batches = MaskedBatches(random_tokens(45), dataclasses.replace(VOCABULARY, pad_id=pad_id), recipe, seed=0)
    for step in range(len(batches)):
        batch = batches[step]
        real = batch["weights"] > 0
        assert not np.isin(batch["labels"][real], VOCABULARY.special_ids).any()
        assert batch["mask"].reshape(-1)[batch["positions"][real]].all()
        assert np.all(batch["ids"][~batch["mask"]] == pad_id)


def test_a_text_is_masked_anew_in_each_epoch():
    tokens = many_tokens(1, 120)
    batches = MaskedBatches(tokens, BIG, Recipe(batch_size=1, max_length=120, epochs=2), seed=0)
    assert set(batches[0]["positions"]) != set(batches[1]["positions"])


@pytest.mark.parametrize("make", [MaskedBatches, LabelledBatches])
def test_a_batch_depends_on_seed_and_step_alone_and_not_on_what_was_asked_before(make):
    def batches(seed):
        second = VOCABULARY if make is MaskedBatches else np.arange(45, dtype=np.int32)
        return make(random_tokens(45), second, RECIPE, seed)

    forwards = [batches(7)[step] for step in range(12)]
    one = batches(7)
    for step in reversed(range(12)):
        assert all(np.array_equal(one[step][name], forwards[step][name]) for name in forwards[step])
    assert not np.array_equal(batches(8)[0]["ids"], forwards[0]["ids"])


def test_labels_stay_with_their_texts_and_the_last_batch_is_filled_up_with_weight_zero():
    tokens = random_tokens(13, shortest=5)
    labels = tokens.ids[tokens.offsets[:-1] + 1]  # the first word after [CLS]
    batches = LabelledBatches(tokens, labels, dataclasses.replace(RECIPE, epochs=1), seed=0)
    for step in range(2):
        batch = batches[step]
        real = batch["weights"] > 0
        assert batch["ids"].shape[0] == 8 and real.sum() == [8, 5][step]
        np.testing.assert_array_equal(batch["labels"][real], batch["ids"][real, 1])
        assert not batch["mask"][~real].any() and batch["labels"].dtype == np.int32


def test_there_are_few_shapes():
    tokens = random_tokens(300, longest=100)
    for batches in (
        MaskedBatches(tokens, VOCABULARY, Recipe(batch_size=4, max_length=100), 0),
        LabelledBatches(tokens, np.zeros(300, np.int32), Recipe(batch_size=4, max_length=100), 0),
    ):
        shapes = {tuple(sorted((name, array.shape) for name, array in batches[step].items())) for step in range(len(batches))}
        assert {dict(shape)["ids"] for shape in shapes} <= {(4, 32), (4, 64), (4, 96), (4, 100)}
        assert len(shapes) <= 4


def test_one_label_a_text_is_demanded():
    with pytest.raises(ValueError, match="45 texts and 44 labels"):
        LabelledBatches(random_tokens(45), np.zeros(44, np.int32), RECIPE, 0)


def test_vocabulary_is_read_from_a_tokeniser(tmp_path):
    tokenizer = load_tokenizer(save_tokenizer(tmp_path, ["a", "b"]))
    assert Vocabulary.of(tokenizer) == Vocabulary(size=7, pad_id=0, mask_id=4, special_ids=(0, 1, 2, 3, 4))
    tokenizer.mask_token = None
    with pytest.raises(ValueError, match="no mask token"):
        Vocabulary.of(tokenizer)


def test_fingerprints_tell_other_texts_vocabularies_and_labels_apart():
    tokens, labels = random_tokens(45), np.zeros(45, np.int32)
    fingerprints = [
        MaskedBatches(tokens, VOCABULARY, RECIPE, 0).fingerprint,
        MaskedBatches(random_tokens(45, seed=1), VOCABULARY, RECIPE, 0).fingerprint,
        MaskedBatches(tokens, BIG, RECIPE, 0).fingerprint,
        LabelledBatches(tokens, labels, RECIPE, 0).fingerprint,
        LabelledBatches(tokens, labels + 1, RECIPE, 0).fingerprint,
    ]
    assert len(set(fingerprints)) == 5
    assert MaskedBatches(random_tokens(45), VOCABULARY, RECIPE, 5).fingerprint == fingerprints[0]
