import sys
import unicodedata

from gotd_jax.data.text_normalisation import IGNORED, normal, words


def test_texts_that_say_the_same_have_one_normal_form():
    cases = [
        ("Caf\u00e9", "cafe\u0301"),
        ("ﬁnal ½ ①", "final 1\u20442 1"),
        ("ＦＵＬＬ　width", "full width"),
        ("soft\u00adhyphen\u200b zero\u2060\ufeff", "softhyphen zero"),
        ("STRASSE", "straße"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("が", "か\u3099"),
        ("ｶﾞ", "ガ"),
        ("한글", unicodedata.normalize("NFD", "한글")),
        ("a\ufe0f\U000e0100\u3164b", "ab"),
    ]
    for one, other in cases:
        assert normal(one) == normal(other) and words(one) == words(other), one


def test_the_normal_form_of_a_normal_form_is_itself_for_every_character():
    faulty = [code for code in range(sys.maxunicode + 1) if normal(normal(chr(code))) != normal(chr(code))]
    assert not faulty


def test_what_is_ignored_are_invisible_characters():
    ignored = [chr(code) for code in range(sys.maxunicode + 1) if IGNORED.match(chr(code))]
    assert {unicodedata.category(character) for character in ignored} == {"Cf", "Cn", "Lo", "Mn"} and len(ignored) == 4174
    assert not any(normal(character) for character in ignored)


def test_words_keep_their_marks_and_scripts_without_spaces_are_characters():
    cases = [
        ("It's 3.5 km, isn't it?", ["it", "s", "3", "5", "km", "isn", "t", "it"]),
        ("किताब अच्छी", ["किताब", "अच्छी"]),
        ("كِتَابٌ", ["كِتَابٌ"]),
        ("電影 film很好", ["電", "影", "film", "很", "好"]),
        ("หนัง", list("หนัง")),
        ("... — !", []),
    ]
    for text, expected in cases:
        assert words(text) == expected, text
