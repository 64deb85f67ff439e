import numpy as np
import pytest

from gotd_jax.data import word_ngrams as module
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.leaks import leaks, search

ALPHABET = "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa".split()


def words(start, stop):
    return " ".join(ALPHABET[start:stop])


def written(letter, otherwise):
    return f"so it was {words(0, 13).replace(letter, otherwise)} and so on"


def leaking(chunks, *tested):
    return leaks(Corpus.from_texts(chunks), Corpus.from_texts(tested)).tolist()


def test_a_chunk_leaks_where_it_shares_13_words_or_one_lies_in_the_other():
    cases = [
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
        ("他说这部电影非常好看,我也喜欢。", "非常好看", False),
        ("非常好看", "非常好看!", True),
        ("เขาบอกว่าหนังเรื่องนี้สนุกมากจริงๆนะ", "เมื่อวานหนังเรื่องนี้สนุกมากเลย", True),
        ("It is not a good", "it is not", False),
        (written("e", "é"), written("e", "e\u0301"), True),
        (written("e", "e\u00ad"), words(0, 13), True),
        (written(" ", "\u200b \u2060"), words(0, 13), True),
        (written("f", "ﬁ"), written("f", "FI"), True),
        ("so ａｌｆａ　ｂｒａｖｏ charlie delta ends", words(0, 4), True),
        ("STRASSE und Straße und so", "straße UND strasse und", True),
        ("यह किताब बहुत अच्छी है और मुझे पसंद", "किताब बहुत अच्छी", False),
        ("यह किताब बहुत अच्छी है और मुझे पसंद", "किताब बहुत अच्छी है", True),
    ]
    for chunk, tested, expected in cases:
        assert leaking([chunk], tested) == [expected], (chunk, tested)


def test_each_row_is_judged_by_itself_whatever_the_blocks(monkeypatch):
    chunks = [words(0, 16), "nothing of it", words(2, 7), f"so {words(1, 5)}", "of it nothing", f"{words(0, 14)} x"] * 3
    whole = leaking(chunks, words(0, 16), words(1, 5))
    assert whole == [True, False, True, True, False, True] * 3
    monkeypatch.setattr(module, "ROWS_PER_BATCH", 4)
    assert leaking(chunks, words(0, 16), words(1, 5)) == whole


def test_two_chunks_leak_what_lies_across_their_border(subtests):
    cases = [
        (words(1, 14), True),  # a run of 13 words
        (f"then {words(1, 14)} again", True),
        (words(2, 7), True),  # a shorter text, whole
        (f"then {words(2, 7)} again", False),
        (words(3, 6), False),  # fewer than 4 words
        (words(2, 7) + " " + words(2, 7), False),
        ("of no words in it", False),
    ]
    for tested, expected in cases:
        with subtests.test(tested=tested):
            text = f"{words(0, 16)} and the end"
            for border in range(len(words(0, 3)), len(words(0, 5)) + 2):
                pieces = {"other#4": "of it", "x#0": text[:border], "x#1": text[border:]}
                records = [{"id": id, "text": piece} for id, piece in pieces.items()]
                found = leaks(Corpus.from_records(records), Corpus.from_texts([tested]))
                assert found.tolist() == [False, expected, expected], pieces


def test_nothing_lies_across_two_texts():
    two = [("x#0", "x#2"), ("x#0", "y#1"), ("x#0", "x"), ("x#0", "x#1#1"), ("x#0", "x#one"), ("0", "1"), ("x#1", "x#0")]
    for first, name in two:
        records = [{"id": first, "text": words(0, 7)}, {"id": name, "text": words(7, 16)}]
        assert leaks(Corpus.from_records(records), Corpus.from_texts([words(1, 14)])).tolist() == [False, False], name


def test_a_chunk_that_leaks_alone_leaves_its_neighbours(monkeypatch):
    chunks = ["so it begins ", f"and {words(0, 14)} ", "and so it ends"]
    corpus = Corpus.from_records({"id": f"x#{number}", "text": text} for number, text in enumerate(chunks))
    for rows in (1, 2, 4096):
        monkeypatch.setattr(module, "ROWS_PER_BATCH", rows)
        assert leaks(corpus, Corpus.from_texts([words(0, 14), words(2, 7)])).tolist() == [False, True, False]


@pytest.mark.parametrize("rows", [1, 3, 4096])
def test_no_cut_hides_a_run_however_many_chunks_it_spans(rows, monkeypatch):
    monkeypatch.setattr(module, "ROWS_PER_BATCH", rows)
    text = f"so it was {words(0, 13)} and thus it ended, as it was to"
    begin, end = text.index("alfa"), text.index("mike") + len("mike")
    for size in (1, 5, 16, 23):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        records = [{"id": f"x#{number}", "text": piece} for number, piece in enumerate(pieces)]
        found = leaks(Corpus.from_records(records), Corpus.from_texts([f"of it {words(0, 13)} of that"]))
        assert found.tolist() == [start * size < end and (start + 1) * size > begin for start in range(len(pieces))], size


def test_what_is_found_equals_the_rules_definition_on_texts_cut_at_random(monkeypatch):
    random = np.random.default_rng(0)
    monkeypatch.setattr(module, "ROWS_PER_BATCH", 7)

    def some(count, shortest, longest):
        return [" ".join(random.choice(["ab", "b"], size)) for size in random.integers(shortest, longest, count)]

    texts, tested = some(150, 1, 45), some(3, 13, 30) + some(4, 9, 13) + some(2, 7, 9) + some(3, 1, 4)
    records, expected = [], []
    for number, text in enumerate(texts):
        cuts = [0, *sorted(random.choice(len(text), random.integers(0, 6))), len(text)]
        begins = [(begin, end) for begin, end in zip(cuts, cuts[1:]) if begin < end]
        records += [{"id": f"{number}#{place}", "text": text[begin:end]} for place, (begin, end) in enumerate(begins)]
        spans = list(shared(text, tested))
        expected += [any(begin < last and first < end for first, last in spans) for begin, end in begins]
    found = leaks(Corpus.from_records(records), Corpus.from_texts(tested))
    assert found.tolist() == expected and 70 < sum(expected) < len(expected) - 70


def shared(text, tested):
    """Yields where in `text`, from and to which character, runs lie that it shares with `tested`, by the rule as it is said."""
    own = text.split()
    begins = np.cumsum([0, *(len(word) + 1 for word in own)])
    for other in map(str.split, tested):
        runs = [own] if len(own) < 13 else []
        runs += [other] if len(other) < 13 else [other[start : start + 13] for start in range(len(other) - 12)]
        for run in runs:
            for start in range(len(own) - len(run) + 1):
                inside = any(other[place : place + len(run)] == run for place in range(len(other)))
                if own[start : start + len(run)] == run and inside and (len(run) >= 4 or own == other):
                    yield begins[start], begins[start + len(run)] - 1


def test_a_short_end_of_a_text_is_no_text_of_its_own():
    records = [{"id": "x#0", "text": "it was a long day and so "}, {"id": "x#1", "text": words(2, 7)}]
    tested = Corpus.from_texts([words(0, 16)])
    assert leaks(Corpus.from_records(records), tested).tolist() == [False, False]
    assert leaks(Corpus.from_records(records[1:]), tested).tolist() == [True]


def test_texts_of_two_domains_are_two_even_if_their_ids_go_on():
    records = [{"id": "x#0", "text": words(0, 7), "domain": "a"}, {"id": "x#1", "text": words(7, 16), "domain": "b"}]
    assert leaks(Corpus.from_records(records), Corpus.from_texts([words(1, 14)])).tolist() == [False, False]


def test_how_much_of_each_text_the_pool_has_is_counted():
    pool = Corpus.from_texts([f"so {words(0, 16)}", "good film", "it is a good film of the sea"])
    sought = [
        words(0, 16),
        f"of it {words(0, 14)}",
        words(2, 7),
        words(2, 5),
        "good film",
        "a good film of the",
        "",
        "no of it here",
    ]
    assert search(pool, Corpus.from_texts(sought)).shares.tolist() == [1, 0.5, 1, 0, 1, 1, 0, 0]


def test_both_sentences_of_a_tested_pair_count():
    held_out = Corpus.from_records([{"text": "a question of no words in it", "pair": words(0, 13)}])
    assert leaks(Corpus.from_texts([f"so {words(0, 13)}", "other"]), held_out).tolist() == [True, False]


def test_nothing_leaks_of_no_texts():
    assert leaking([words(0, 16)]) == [False]
    found = leaks(Corpus.from_texts([]), Corpus.from_texts([words(0, 16)]))
    assert found.dtype == bool and found.shape == (0,)
