import os
import subprocess
import sys
import unicodedata

import pytest

from gotd_jax.terminal import READER_GONE, say, shown


def test_what_a_terminal_obeys_is_shown_as_its_code(capsys, subtests):
    cases = [
        ("\x1b]0;owned\x07\x1b[2J", r"\x1b]0;owned\x07\x1b[2J"),
        ("a\x9b31mb", r"a\x9b31mb"),
        ("real\rfake", r"real\rfake"),
        ("a\x08b\x7f\x00", r"a\x08b\x7f\x00"),
        ("user\u202etxt.exe\u2066\u2069", r"user\u202etxt.exe\u2066\u2069"),
        ("one\u2028two\u2029", r"one\u2028two\u2029"),
        ("half \ud800", r"half \ud800"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("lines\n\tand é 中 😀 👩\u200d🚀 می\u200cخواهم", "lines\n\tand é 中 😀 👩\u200d🚀 می\u200cخواهم"),
    ]
    for text, expected in cases:
        with subtests.test(text=text):
            assert shown(text) == expected
            say(text)
            assert capsys.readouterr().out == f"{expected}\n"


def test_no_control_character_is_left():
    left = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cs", "Zl", "Zp")]
    assert {character for character in left if shown(character) == character} == {"\n", "\t"}
    bidirectional = [
        chr(code) for code in range(0x3000) if unicodedata.bidirectional(chr(code))[:2] in ("LR", "RL", "PD", "FS")
    ]
    assert len(bidirectional) == 9 and not [character for character in bidirectional if shown(character) == character]


def ended(body, **options):
    program = f"from gotd_jax.terminal import door, say\nimport sys\nwith door('x: '):\n    {body}\n"
    return subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, **options)


def test_a_fault_ends_with_its_sentence_without_what_it_quotes_being_obeyed():
    ran = ended("raise ValueError('no field \\x1b[31mred')")
    assert (ran.returncode, ran.stderr) == (1, "x: no field \\x1b[31mred\n")


@pytest.mark.parametrize("body", ["say('a')", "say('a'); sys.exit(1)", "print('a' * 100000)", "print('a')"])
def test_a_reader_that_has_gone_ends_it_silently(body):
    reading, writing = os.pipe()
    os.close(reading)
    ran = ended(body, stdout=writing)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (READER_GONE, "")


def test_an_encoding_without_the_character_shows_its_code():
    ran = ended("say('caf\\xe9 \\u4e2d')", stdout=subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (ran.returncode, ran.stdout) == (0, "caf\\xe9 \\u4e2d\n")
