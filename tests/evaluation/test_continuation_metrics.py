import numpy as np
import pytest

from gotd_jax.evaluation.continuation_metrics import distinct, length_and_diversity, toxicity

SCORES = np.float32([[0.1, 0.9], [0.5, 0.2], [0.4, 0.3], [0.0, 0.0], [0.25, 0.75]])
TOXIC = np.array([True, True, True, False, False])


def test_toxicity_is_the_mean_of_the_highest_and_the_share_with_a_half():
    found = toxicity(SCORES, TOXIC)
    expected = {
        "max_toxicity_toxic": (0.9 + 0.5 + 0.4) / 3,
        "max_toxicity_toxic_error": np.std([0.9, 0.5, 0.4], ddof=1) / np.sqrt(3),
        "toxicity_probability_toxic": 2 / 3,
        "toxicity_probability_toxic_error": np.sqrt(1 / 3) / np.sqrt(3),
        "max_toxicity_nontoxic": 0.375,
        "max_toxicity_nontoxic_error": 0.375,
        "toxicity_probability_nontoxic": 0.5,
        "toxicity_probability_nontoxic_error": 0.5,
    }
    assert found == pytest.approx(expected, abs=1e-7)
    assert all(type(value) is float for value in found.values())


def test_toxicity_does_not_depend_on_the_order_of_prompts_or_continuations():
    random = np.random.default_rng(0)
    scores, toxic = random.random((50, 7)).astype(np.float32), np.arange(50) % 3 == 0
    order = random.permutation(50)
    assert toxicity(scores[order][:, ::-1], toxic[order]) == pytest.approx(toxicity(scores, toxic), abs=1e-12)


def test_the_error_is_that_of_the_mean():
    random = np.random.default_rng(1)
    toxic = np.arange(400) < 200
    runs = [toxicity(random.random((400, 5)), toxic) for _ in range(300)]
    spread = np.std([run["max_toxicity_toxic"] for run in runs])
    assert np.mean([run["max_toxicity_toxic_error"] for run in runs]) == pytest.approx(spread, rel=0.15)


def test_scores_that_say_nothing_are_refused(subtests):
    cases = [
        (SCORES, np.ones(5, bool), r"0 of 5 prompts are nontoxic, and a mean with its error needs 2"),
        (SCORES, np.arange(5) == 2, r"1 of 5 prompts are toxic"),
        (SCORES, TOXIC[:4], r"not \[5, 2\] and bool \[4\]"),
        (SCORES, TOXIC.astype(int), r"bool \[prompts\], not \[5, 2\] and int64 \[5\]"),
        (SCORES[:, 0], TOXIC, r"not \[5\] and bool \[5\]"),
        (SCORES[:, :0], TOXIC, r"not \[5, 0\]"),
        (np.where(SCORES == 0.9, np.nan, SCORES), TOXIC, r"1 of 10 scores are not in \[0, 1\]"),
        (SCORES * 2, TOXIC, r"2 of 10 scores are not in \[0, 1\]"),
    ]
    for scores, toxic, message in cases:
        with subtests.test(scores=scores, toxic=toxic), pytest.raises(ValueError, match=message):
            toxicity(scores, toxic)


def test_form_counts_tokens_before_the_end_and_empty_continuations():
    tokens = np.zeros((2, 2, 4), int)
    found = length_and_diversity(tokens, np.array([[0, 4], [1, 0]]))
    assert found["length"] == 1.25 and found["empty_share"] == 0.5
    assert set(found) == {"length", "empty_share", "distinct_1", "distinct_2", "distinct_3"}


def test_distinct_is_the_share_of_n_grams_that_are_new_within_a_prompt():
    tokens = np.array([[[1, 2, 1, 2], [1, 2, 3, 9]], [[7, 7, 7, 7], [8, 8, 8, 8]]])
    lengths = np.array([[4, 3], [4, 0]])
    # first prompt: 1 2 1 2 | 1 2 3; second: 7 7 7 7 |
    assert distinct(tokens, lengths, 1) == pytest.approx((3 / 7 + 1 / 4) / 2)
    assert distinct(tokens, lengths, 2) == pytest.approx((3 / 5 + 1 / 3) / 2)  # 12 21 23; 77
    assert distinct(tokens, lengths, 3) == pytest.approx((3 / 3 + 1 / 2) / 2)  # 121 212 123; 777


def by_hand(tokens, lengths, size):
    shares = []
    for texts, counts in zip(tokens.tolist(), lengths.tolist()):
        grams = [tuple(text[i : i + size]) for text, count in zip(texts, counts) for i in range(count - size + 1)]
        if grams:
            shares.append(len(set(grams)) / len(grams))
    return np.mean(shares) if shares else 0.0


def test_distinct_equals_counting_by_hand(subtests):
    for vocabulary in [2, 5, 1 << 21]:
        for size in [1, 2, 3]:
            with subtests.test(vocabulary=vocabulary, size=size):
                random = np.random.default_rng(size)
                tokens = random.integers(0, vocabulary, (30, 4, 6)).astype(np.int32)
                lengths = random.integers(0, 7, (30, 4)).astype(np.int32)
                lengths[3] = 0
                assert distinct(tokens, lengths, size) == pytest.approx(by_hand(tokens, lengths, size), abs=1e-12)


def test_what_is_past_the_length_is_not_read():
    tokens = np.random.default_rng(0).integers(0, 5, (10, 3, 6))
    lengths = np.random.default_rng(1).integers(0, 6, (10, 3))
    other = np.where(np.arange(6) < lengths[:, :, None], tokens, 4)
    assert length_and_diversity(tokens, lengths) == length_and_diversity(other, lengths)


def test_nothing_written_has_no_distinct_n_grams():
    assert distinct(np.ones((2, 3, 5), int), np.zeros((2, 3), int), 1) == 0
    assert distinct(np.ones((2, 3, 2), int), np.full((2, 3), 2), 3) == 0


def test_tokens_and_lengths_that_do_not_fit_are_refused(subtests):
    cases = [
        (np.zeros((2, 3, 4), int), np.zeros((2, 4), int), r"not \[2, 3, 4\] and \[2, 4\]"),
        (np.zeros((0, 3, 4), int), np.zeros((0, 3), int), r"not \[0, 3, 4\]"),
        (np.zeros((2, 3, 4), int), np.full((2, 3), 5), r"Lengths are 0 to 4, not 5 to 5"),
        (np.full((2, 3, 4), 1 << 21), np.ones((2, 3), int), r"Tokens are 0 to 2097151, not 2097152"),
        (np.full((2, 3, 4), -1), np.ones((2, 3), int), r"not -1 to -1"),
    ]
    for tokens, lengths, message in cases:
        with subtests.test(tokens=tokens, lengths=lengths), pytest.raises(ValueError, match=message):
            length_and_diversity(tokens, lengths)
