import itertools

import numpy as np
import pytest

from gotd_jax.data.overlaps import overlaps


@pytest.mark.parametrize(
    "text, other, expected",
    [
        ("The wind blew over the hills", "the wind blew over", True),
        ("wind blew over the", "The wind blew over the hills", True),
        ("The wind, blew OVER the hills!", "he saw: the wind blew\nover the hills and", True),
        ("the wind blew over the hills", "the wind blew over a hill", False),
        ("the wind blew over", "rewind the wind blew overly", False),
        ("the wind", "The wind!", True),
        ("the wind", "over the wind and the hills", False),
        ("over the wind and the hills", "the wind", False),
        ("over the wind and the hills", "", False),
        ("", "", False),
        ("...", "...", False),
    ],
)
def test_texts_overlap_where_one_is_a_run_of_the_others_words(text, other, expected):
    assert overlaps([text], [other]).tolist() == [expected]


def test_every_text_is_compared_with_every_other():
    random = np.random.default_rng(0)

    def some(count):
        return [" ".join(random.choice(list("abc"), size)) for size in random.integers(4, 9, count)]

    texts, others = some(60), some(25)
    inside = {
        (one, two) for one, two in itertools.product(texts, others) if f" {one} " in f" {two} " or f" {two} " in f" {one} "
    }
    expected = [any((text, other) in inside for other in others) for text in texts]
    assert overlaps(texts, others).tolist() == expected and 10 < sum(expected) < 50


def test_no_texts_overlap_with_none():
    assert overlaps([], ["a b c d"]).shape == (0,)
    assert overlaps(["a b c d"], []).tolist() == [False]
