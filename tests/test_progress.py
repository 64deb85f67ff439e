"""How far a long step is: a bar on a terminal, a line a minute elsewhere."""

import io
import re
import subprocess
import sys
import threading
import types

import pytest

from gotd_jax import progress as module
from gotd_jax.progress import Log, progress, waiting


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Returns a clock that a test sets, in seconds, as `clock.now`; the last line was printed at 0."""
    clock = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(Log, "printed", 0.0)
    return clock


def test_a_log_gets_a_line_a_minute_with_what_is_left(clock, capsys):
    with progress(total=50_000, unit="texts", step="embedding") as bar:
        for _ in range(11):
            clock.now += 15
            bar.update(3_000)
    assert capsys.readouterr().err.splitlines() == [
        "embedding: 12,000 of 50,000 texts, 03:10 left",
        "embedding: 24,000 of 50,000 texts, 02:10 left",
    ]


def test_short_steps_share_the_line_of_a_minute(clock, capsys):
    for number in range(1, 6):
        for _ in progress(["a", "b"], unit="parts", step=f"step {number}"):
            clock.now += 10
    assert capsys.readouterr().err == "step 3: 2 of 2 parts, 00:00 left\n"


def test_the_time_left_is_that_of_this_run_and_not_of_an_earlier_one(clock, capsys):
    with progress(total=100, done=80, unit="texts", step="embedding") as bar:
        clock.now = 60
        bar.update(10)
    assert capsys.readouterr().err == "embedding: 90 of 100 texts, 01:00 left\n"


def test_parts_of_unknown_number_are_counted(clock, capsys):
    for _ in progress(iter(range(3)), unit="texts", step="reading"):
        clock.now += 40
    assert capsys.readouterr().err == "reading: 2 texts so far\n"


def test_a_terminal_gets_a_bar_and_no_lines(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    for _ in progress(range(4), unit="steps", step="training"):
        clock.now += 100
    assert "training:   0%|" in sys.stderr.getvalue() and "left" not in sys.stderr.getvalue()


def test_a_call_that_tells_nothing_is_timed(monkeypatch):
    written = threading.Event()

    class Stream(io.StringIO):
        def flush(self):
            written.set()

    monkeypatch.setattr(module, "SECONDS", 0.01)
    monkeypatch.setattr(sys, "stderr", Stream())
    with waiting("transport"):
        assert written.wait(30)
    lines = sys.stderr.getvalue().splitlines()
    assert lines and all(re.fullmatch(r"transport: 00:\d\d so far", line) for line in lines)


LONG_STEPS = """
import numpy as np
from gotd_jax import methods, ot, progress
from gotd_jax.data import Corpus
from gotd_jax.data.near_duplicates import near_duplicates
progress.SECONDS = 0
texts = Corpus.from_texts([f"text {number} of the open sea and its ships" for number in range(50)])
near_duplicates(texts, 0.5)
methods.select("dsir", methods.Problem(texts, texts.take([0, 1]), None), 5, seed=0)
points = np.random.default_rng(0).normal(size=(60, 4))
ot.solve(points[:50], points[50:], solver="semidual", epsilon=0.1)
"""


def test_long_steps_say_how_far_they_are_where_standard_error_is_a_pipe():
    ran = subprocess.run([sys.executable, "-c", LONG_STEPS], check=True, capture_output=True, text=True)
    lines = ran.stderr.splitlines()
    for step in (
        "reading: 50 texts",
        "near duplicates: 50 of 50 texts",
        r"n-grams of the \w+: 50 of 50 texts",
        r"transport, pass 1: 50 of 50 rows",
    ):
        assert any(re.fullmatch(rf"{step}(, 00:00 left| so far)", line) for line in lines), (step, lines)
    assert ran.stdout == ""
