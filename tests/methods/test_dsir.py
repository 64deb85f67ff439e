"""DSIR against the package of its authors, against sums by hand, and its own options."""

import hashlib
import unicodedata
from collections import Counter

import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods import Problem, dsir, dsir_quality, select
from third_party import dsir_package

LAW = "The court, it held, can't reverse: see Smith v. Jones (1998). "
BIOLOGY = "Proteins fold; the cell-cycle's kinases (CDK1/2) don't. Größe über 5 µm! "
POOL = [
    (LAW * a + BIOLOGY * b + extra)[:400]
    for a in range(4)
    for b in range(4)
    for extra in (".", "日本語 テキスト", "x_y 3.14", "\n\nĞÇ ...")
]
TARGET = [LAW + "Appeal denied.", LAW * 2, "the judge — “so ordered”", "reverse"]


def problem(pool=POOL, target=TARGET):
    return Problem(Corpus.from_texts(list(pool)), Corpus.from_texts(list(target)), embed=None)


def drawn_texts(seed, count):
    draws = np.random.default_rng(seed)
    return [" ".join(draws.choice((LAW + BIOLOGY).split(), 30)) for _ in range(count)]


# What NLTK's two engines split in different ways.
MARKED = [
    "हिन्दी में लिखा हुआ पाठ, और उसके शब्द",  # Hindi: vowel signs
    "ภาษาไทยที่มีวรรณยุกต์ และคำว่าน้ำ",  # Thai: tones and vowels above
    unicodedata.normalize("NFD", "tiếng Việt được viết với dấu thanh"),
    unicodedata.normalize("NFD", "naïve café, déjà vu: Größe"),
    "a family 👨‍👩‍👧‍👦 and a heart ❤️ with 👍🏽",  # joiners, variation selectors, skin
    "x² + ½ m³ of ① and Ⅻ",
    "a\x1cb\x1fc under‿tie עִבְרִית العَرَبِيَّة",
]


def test_weights_equal_those_of_the_package_on_combining_marks():
    pool, target = POOL + MARKED + [MARKED[0] + LAW, MARKED[4] + BIOLOGY], [*TARGET, *MARKED[::2]]
    expected, tokens = dsir_package.log_weights(pool, target)
    selection = select("dsir", problem(pool, target), 5, seed=0)
    np.testing.assert_allclose(-selection.values, expected, rtol=1e-6, atol=1e-5)
    assert selection.info["tokens_per_candidate"] == pytest.approx(tokens.mean())


@pytest.mark.parametrize(("buckets", "ngrams"), [(10_000, 2), (50, 1), (300, 3)])
def test_weights_equal_those_of_the_package(buckets, ngrams):
    pool, target = POOL + drawn_texts(0, 30), TARGET + drawn_texts(1, 5)
    expected, tokens = dsir_package.log_weights(pool, target, buckets=buckets, ngrams=ngrams)
    selection = select("dsir", problem(pool, target), 5, seed=0, buckets=buckets, ngrams=ngrams)
    assert np.ptp(expected) > 10
    np.testing.assert_allclose(-selection.values, expected, rtol=1e-6, atol=1e-5)
    assert selection.info["tokens_per_candidate"] == pytest.approx(tokens.mean())


def test_the_highest_weights_of_the_package_are_selected_without_noise():
    pool = drawn_texts(0, 40)
    expected, _ = dsir_package.log_weights(pool, TARGET)
    rows = select("dsir", problem(pool), 10, seed=0, noise=0.0).rows
    assert rows.tolist() == np.argsort(-expected)[:10].tolist()


def test_weight_is_the_sum_of_log_ratios_over_tokens_and_pairs():
    def bucket(ngram):
        return int(hashlib.sha256(ngram.encode()).hexdigest(), 16) % 10_000

    counted = {
        "target": Counter(map(bucket, ["a", "b", "a b"])),
        "pool": Counter(map(bucket, ["a", "!?", "b", "a !?", "!? b", "c"])),
    }

    def log_share(side, ngram):
        return np.log(counted[side][bucket(ngram)] / counted[side].total() + 1e-8)

    values = select("dsir", problem(["A !? b", "c"], ["a B"]), 1, seed=0).values
    ratios = {ngram: log_share("target", ngram) - log_share("pool", ngram) for ngram in ["a", "!?", "b", "a !?", "!? b", "c"]}
    expected = [-sum(ratios[ngram] for ngram in ratios if ngram != "c"), -ratios["c"]]
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_texts_like_the_target_are_selected():
    pool = [LAW, BIOLOGY] * 20
    rows = select("dsir", problem(pool, [LAW * 3]), 20, seed=0, noise=0.0).rows
    assert sorted(rows) == list(range(0, 40, 2))


def test_noise_samples_in_proportion_to_the_weights():
    pool = ["a", "a", "b", "b", "b", "b"]  # shares in pool 1/3, 2/3; in target 2/3, 1/3: weights 2 and 1/2
    first = [select("dsir", problem(pool, ["a b", "a"]), 1, seed=seed, ngrams=1).rows[0] for seed in range(1000)]
    expected = 2 * 2 / (2 * 2 + 4 * 0.5)
    assert np.mean(np.array(first) < 2) == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 1000))


def test_short_candidates_are_left_out():
    selection = select("dsir", problem(["reverse", "reverse reverse reverse", "no, no", ""]), 2, seed=0, min_tokens=3)
    assert sorted(selection.rows.tolist()) == [1, 2]
    assert np.isinf(selection.values).tolist() == [True, False, False, True]


def prose(count, seed=0, function=("the", "of", "and", "it", "was", "in"), others=(), share=0.5):
    """Returns a text of `count` tokens, a share of them function words, no word too common."""
    rng = np.random.default_rng(seed)
    plain = [f"word{number}" for number in range(40)]
    words = [str(rng.choice(function)) if place < share * count else str(rng.choice(plain)) for place in range(count)]
    return " ".join([*words[: count - len(others)], *others])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (prose(100), True),
        (prose(41), True),
        (prose(40), False),  # too short
        (prose(499), True),
        (prose(500), False),  # too long
        (prose(100, share=0.2), False),  # too few function words
        (prose(100, share=0.8), False),  # too many
        (prose(100, others=["again"] * 22), False),  # one token too often
        (prose(100, others=list("0123456789") * 2), False),  # a fifth of it digits
        (prose(100, others=["1998"] * 9 + ["2,024"] * 3), True),  # numbers are words
        (" ".join(f"w{number}" for number in range(300)), False),  # nothing ever repeated
        ("Ipsa scientia potestas est, inquit; nam et ipsa scientia potestas. " * 12, False),  # no English
        (f"{LAW}{BIOLOGY}" * 3, True),
    ],
)
def test_prose_is_told_by_counts_of_its_tokens(text, expected):
    assert dsir_quality.is_prose(dsir.TOKEN.findall(text.lower())) == expected


def test_candidates_that_are_no_prose_are_left_out_and_count_all_the_same():
    pool = [prose(100, seed) for seed in range(20)] + [prose(100, seed, share=0.9) for seed in range(20)]
    whole, filtered = (select("dsir", problem(pool), 15, seed=0, quality=quality) for quality in (False, True))
    assert np.isinf(filtered.values).tolist() == [False] * 20 + [True] * 20
    assert set(filtered.rows) <= set(range(20)) and not set(whole.rows) <= set(range(20))
    np.testing.assert_array_equal(filtered.values[:20], whole.values[:20])
    assert filtered.info["candidates_of_quality"] == 20
    with pytest.raises(ValueError, match=r"budget is 21 chunks.*and 20 pass the filter by quality.*or set quality=False"):
        select("dsir", problem(pool), 21, seed=0, quality=True)


def test_too_few_long_candidates_are_an_error_with_the_numbers():
    with pytest.raises(ValueError, match=r"budget is 3 chunks, and 2 of 4.*min_tokens=3"):
        select("dsir", problem(["reverse", "reverse reverse reverse", "no, no", ""]), 3, seed=0, min_tokens=3)


def test_an_empty_text_has_weight_one():
    assert select("dsir", problem(["", "reverse", "   "]), 1, seed=0).values[[0, 2]].tolist() == [0.0, 0.0]


def test_a_side_without_tokens_is_an_error(subtests):
    for pool, target, side in [([" ", ""], TARGET, "pool"), (POOL, ["", "\n"], "target")]:
        with subtests.test(pool=pool, target=target), pytest.raises(ValueError, match=f"texts of the {side} has a token"):
            select("dsir", problem(pool, target), 1, seed=0)


def test_options_out_of_range_are_an_error(subtests):
    for options in [{"buckets": 0}, {"ngrams": 0}]:
        with subtests.test(options=options), pytest.raises(ValueError, match=r"not (2 in 0|0 in 10000)"):
            select("dsir", problem(), 1, seed=0, **options)


def test_both_sentences_of_a_pair_are_read():
    target = Corpus.from_records([{"text": "Proteins", "pair": "fold; reverse"}])
    paired = select("dsir", Problem(Corpus.from_texts(POOL), target, None), 3, seed=0).values
    joined = select("dsir", problem(target=["Proteins fold; reverse"]), 3, seed=0).values
    np.testing.assert_array_equal(paired, joined)


def test_block_and_cache_sizes_do_not_matter(monkeypatch):
    expected = select("dsir", problem(), 5, seed=0).values
    monkeypatch.setattr(dsir, "TEXTS_PER_BLOCK", 5)
    monkeypatch.setattr(dsir, "CACHED_NGRAMS", 40)
    np.testing.assert_array_equal(select("dsir", problem(), 5, seed=0).values, expected)


def test_more_buckets_than_16_bits_hold_are_told_apart():
    expected, _ = dsir_package.log_weights(POOL, TARGET, buckets=1_000_000)
    values = select("dsir", problem(), 5, seed=0, buckets=1_000_000).values
    np.testing.assert_allclose(-values, expected, rtol=1e-6, atol=1e-5)
