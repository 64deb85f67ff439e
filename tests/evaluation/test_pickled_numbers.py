"""joblib's files, written by the real joblib, read without running anything."""

import io
import os
import pickle
from fractions import Fraction

import joblib
import numpy as np
import pytest

from gotd_jax.evaluation.pickled_numbers import Inert, read

FRACTION = ("fractions.Fraction",)


class Harmful:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def dumped(value):
    buffer = io.BytesIO()
    joblib.dump(value, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6, dtype=np.int32)[None],
        np.zeros((0, 3)),
        np.float32([[1.5]]),
    ],
    ids=lambda array: f"{array.dtype}{list(array.shape)}",
)
def test_arrays_of_numbers_are_read_as_joblib_wrote_them(array):
    found = read(dumped({"before": 1, "array": array, "after": "text"}), (), "file")
    assert found["before"] == 1 and found["after"] == "text"
    assert found["array"].numbers.dtype == array.dtype
    np.testing.assert_array_equal(found["array"].numbers, array)


def test_single_numbers_come_as_pythons():
    found = read(dumped([np.float64(-2.75), np.int64(1) << 40, np.float32(0.5)]), (), "file")
    assert found == [-2.75, 1 << 40, 0.5] and [type(number) for number in found] == [float, int, float]


def test_an_object_of_a_known_class_is_not_made_and_what_it_held_is_kept():
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=3.0).fit([[0.0], [1.0]], [0, 1])
    found = read(dumped(machine), ("sklearn.svm._classes.LinearSVC",), "file")
    assert not isinstance(found, LinearSVC) and found.kind == "sklearn.svm._classes.LinearSVC"
    assert found.fields["C"] == 3.0
    np.testing.assert_array_equal(found.fields["coef_"].numbers, machine.coef_)


@pytest.mark.parametrize("protocol", range(6))
def test_a_file_that_would_run_a_command_is_refused_and_runs_none(protocol, tmp_path):
    mark = tmp_path / "ran"
    content = pickle.dumps({"harmless": 1, "coef_": Harmful(os.system, f"touch {mark}")}, protocol)
    with pytest.raises(ValueError, match=r"file cannot be read: it names (posix|nt)\.system, which nothing in it should"):
        read(content, FRACTION, "file")
    assert not mark.exists()
    pickle.loads(content)
    assert mark.exists()  # it was harmful


@pytest.mark.parametrize("value", [Harmful(eval, "1"), Harmful(getattr, "text", "upper"), np.random.default_rng(0)])
def test_what_is_not_named_as_known_is_refused(value):
    with pytest.raises(ValueError, match=r"file cannot be read: "):
        read(dumped(value), FRACTION, "file")


@pytest.mark.parametrize(
    "array, name",
    [
        (np.array([{}], object), r"\|O8"),
        (np.arange(3, dtype=">f8"), ">f8"),
        (np.zeros(3, bool), r"\|b1"),
        (np.zeros(3, np.float16), "<f2"),
    ],
)
def test_arrays_of_other_types_than_numbers_are_refused(array, name):
    with pytest.raises(ValueError, match=f"it has numbers of type {name}, and only f4, f8, i4, i8 are read"):
        read(dumped(array), (), "file")


def test_no_class_is_known_unless_it_is_named():
    content = pickle.dumps(Fraction(1, 2))
    with pytest.raises(ValueError, match=r"it names fractions\.Fraction"):
        read(content, ("fractions.Decimal", "math.Fraction"), "file")


def test_a_class_is_not_changed_by_a_file():
    content = b"\x80\x04cnumpy\nndarray\n}(X\x06\x00\x00\x00fieldsK\x01ub."
    with pytest.raises(ValueError, match="cannot be read: "):
        read(content, (), "file")
    assert Inert.fields is None


def test_a_file_cut_short_anywhere_is_refused():
    content = dumped({"weights": np.arange(40.0), "bias": np.float64(2)})
    for length in range(len(content)):
        with pytest.raises(ValueError, match=r"file cannot be read: .* Fetch it again"):
            read(content[:length], (), "file")


def test_an_array_that_claims_more_than_the_file_has_is_refused_before_it_is_made():
    content = dumped(np.arange(40.0)).replace(b"K(\x85", b"J\xff\xff\xff\x7f\x85")
    with pytest.raises(ValueError, match=r"array of \[2147483647\] numbers needs 17179869176 bytes, and \d+ are left"):
        read(content, (), "file")
