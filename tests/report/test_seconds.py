import numpy as np
import pytest

from gotd_jax.report import seconds


def row(method, size, *took, seed=0):
    steps = dict(zip(("embed", "losses", "select", "pre_finetune"), (*took, 99.0)))
    return {"method": method, "per_domain": size, "seed": seed, "pool": {"a": size, "b": size}, "seconds": steps}


ROWS = [
    row("none", 100, 0, 0, 0),
    row("dsir", 100, 0, 0, 0.5),
    row("got_d", 100, 10, 0, 1),
    row("got_d", 100, 20, 0, 2, seed=1),
    row("got_d", 5_000, 490, 0, 10),
]


def test_steps_up_to_the_selection_are_averaged_over_cells_of_a_line():
    made = seconds.make(ROWS, "per_domain")
    assert made.methods == ("dsir", "got_d", "got_d")
    assert made.candidates.tolist() == [200, 200, 10_000]
    np.testing.assert_allclose(made.seconds, [[0, 0, 0.5], [15, 0, 1.5], [490, 0, 10]])


def test_text_and_markdown_say_candidates_a_second():
    made = seconds.make(ROWS, "per_domain")
    assert [line.split() for line in seconds.text(made).splitlines()][1:] == [
        ["dsir", "200", "0.0", "0.0", "0.5", "400"],
        ["got_d", "200", "15.0", "0.0", "1.5", "12"],
        ["got_d", "10,000", "490.0", "0.0", "10.0", "20"],
    ]
    assert seconds.markdown(made).splitlines()[2:][2] == "| got_d | 10,000 | 490.0 | 0.0 | 10.0 | 20 |"


def test_the_picture_has_a_line_a_method():
    (axes,) = seconds.plot(seconds.make(ROWS, "per_domain")).axes
    assert [line.get_label() for line in axes.lines] == ["dsir", "got_d"]
    np.testing.assert_allclose(axes.lines[1].get_xydata(), [[200, 16.5], [10_000, 500]])


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="no results to time"):
        seconds.make([], "per_domain")
