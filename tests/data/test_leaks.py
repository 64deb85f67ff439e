import numpy as np
import pytest

from gotd_jax.data import leaks as module
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.leaks import leaks

ALPHABET = "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa".split()


def words(start, stop):
    return " ".join(ALPHABET[start:stop])


def leaking(chunks, *tested):
    return leaks(Corpus.from_texts(chunks), Corpus.from_texts(tested)).tolist()


@pytest.mark.parametrize(
    "chunk, tested, expected",
    [
        (f"so {words(0, 13)} it ends", f"then {words(0, 13)} again", True),
        (f"so {words(0, 12)} it ends", f"then {words(0, 12)} again", False),
        (f"so {words(0, 13).upper().replace(' ', ', ')} it ends", f"then {words(0, 13)} again", True),
        (f"so {words(0, 6)} it ends", words(0, 6), True),
        (f"{words(8, 16)} so {words(0, 6)} it ends", words(0, 6), True),
        (words(3, 8), f"so {words(0, 16)} it ends", True),
        (words(3, 8), f"{words(0, 7)} and another", False),
        ("good film", "Good film!", True),
        ("it is a good film and I like it", "good film", False),
        ("good film", "it is a good film and I like it", False),
        ("...", "...", False),
        ("", words(0, 16), False),
        ("他说这部电影非常好看,我也喜欢。", "这部电影非常好看", True),
    ],
)
def test_a_chunk_leaks_where_it_shares_13_words_or_one_lies_in_the_other(chunk, tested, expected):
    assert leaking([chunk], tested) == [expected]


def test_each_row_is_judged_by_itself_whatever_the_blocks(monkeypatch):
    chunks = [words(0, 16), "nothing of it", words(2, 7), f"so {words(1, 5)}", "of it nothing", f"{words(0, 14)} x"] * 3
    whole = leaking(chunks, words(0, 16), words(1, 5))
    assert whole == [True, False, True, True, False, True] * 3
    monkeypatch.setattr(module, "ROWS_PER_BATCH", 4)
    assert leaking(chunks, words(0, 16), words(1, 5)) == whole


@pytest.mark.parametrize(
    "tested, expected",
    [
        (words(1, 14), True),  # a run of 13 words
        (f"then {words(1, 14)} again", True),
        (words(2, 7), True),  # a shorter text, whole
        (f"then {words(2, 7)} again", False),
        (words(3, 6), False),  # fewer than 4 words
        (words(2, 7) + " " + words(2, 7), False),
        ("of no words in it", False),
    ],
)
@pytest.mark.parametrize("border", range(len(words(0, 3)), len(words(0, 5)) + 2))
def test_two_chunks_leak_what_lies_across_their_border(border, tested, expected):
    text = f"{words(0, 16)} and the end"
    records = [{"id": "other#4", "text": "of it"}, {"id": "x#0", "text": text[:border]}, {"id": "x#1", "text": text[border:]}]
    found = leaks(Corpus.from_records(records), Corpus.from_texts([tested]))
    assert found.tolist() == [False, expected, expected]


@pytest.mark.parametrize(
    "first, name",
    [("x#0", "x#2"), ("x#0", "y#1"), ("x#0", "x"), ("x#0", "x#1#1"), ("x#0", "x#one"), ("0", "1"), ("x#1", "x#0")],
)
def test_nothing_lies_across_two_texts(first, name):
    records = [{"id": first, "text": words(0, 7)}, {"id": name, "text": words(7, 16)}]
    assert leaks(Corpus.from_records(records), Corpus.from_texts([words(1, 14)])).tolist() == [False, False]


def test_a_chunk_that_leaks_alone_leaves_its_neighbours(monkeypatch):
    chunks = ["so it begins ", f"and {words(0, 14)} ", "and so it ends"]
    corpus = Corpus.from_records({"id": f"x#{number}", "text": text} for number, text in enumerate(chunks))
    for rows in (1, 2, 4096):
        monkeypatch.setattr(module, "ROWS_PER_BATCH", rows)
        assert leaks(corpus, Corpus.from_texts([words(0, 14), words(2, 7)])).tolist() == [False, True, False]


def test_what_lies_across_equals_its_definition_on_random_words():
    random = np.random.default_rng(0)
    found = []
    for _ in range(300):
        text = " ".join(random.choice(list("ab"), 24))
        start, size = random.integers(0, 12), random.integers(4, 13)
        tested = [text[2 * start : 2 * (start + size) - 1], " ".join(random.choice(list("ab"), 9))]
        border = random.integers(1, len(text))
        records = [{"id": "x#0", "text": text[:border]}, {"id": "x#1", "text": text[border:]}]
        alone = leaks(Corpus.from_records({"text": record["text"]} for record in records), Corpus.from_texts(tested))
        across = any(
            text[start : start + len(one)] == one and start < border < start + len(one)
            for one in tested
            for start in range(0, len(text), 2)
        )
        both = leaks(Corpus.from_records(records), Corpus.from_texts(tested))
        assert both.tolist() == (alone | across).tolist(), (text, border)
        found.append(across and not alone.any())
    assert 20 < sum(found) < 280


def test_both_sentences_of_a_tested_pair_count():
    held_out = Corpus.from_records([{"text": "a question of no words in it", "pair": words(0, 13)}])
    assert leaks(Corpus.from_texts([f"so {words(0, 13)}", "other"]), held_out).tolist() == [True, False]


def test_nothing_leaks_of_no_texts():
    assert leaking([words(0, 16)]) == [False]
    found = leaks(Corpus.from_texts([]), Corpus.from_texts([words(0, 16)]))
    assert found.dtype == bool and found.shape == (0,)


def test_the_rule_equals_its_definition_on_random_words():
    random = np.random.default_rng(0)

    def some(count, shortest, longest):
        return [" ".join(random.choice(list("ab"), size)) for size in random.integers(shortest, longest, count)]

    def holds(chunk, tested):
        one, other = chunk.split(), tested.split()
        if min(len(one), len(other)) < 4:
            return one == other
        runs = {tuple(other[start : start + 13]) for start in range(len(other) - 12)}
        shared = any(tuple(one[start : start + 13]) in runs for start in range(len(one) - 12))
        return shared or f" {chunk} " in f" {tested} " or f" {tested} " in f" {chunk} "

    chunks, tested = some(200, 1, 40), some(2, 1, 4) + some(3, 9, 40)
    expected = [any(holds(chunk, text) for text in tested) for chunk in chunks]
    assert leaking(chunks, *tested) == expected and 20 < sum(expected) < 180
