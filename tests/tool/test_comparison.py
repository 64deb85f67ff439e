import pytest

from gotd_jax import tool


def test_a_selection_does_not_differ_from_itself(chosen):
    found = tool.diff(chosen, chosen)
    assert (found.chunks, found.shared, found.requests) == ((20, 20), 20, {})
    assert found.correlation == pytest.approx(1.0) and found.alone == ([], [])


def test_a_difference_names_what_was_asked_what_is_shared_and_what_is_alone(chosen, asked, tmp_path):
    other = tool.select(asked(method="dsir", budget="30"), tmp_path / "other", work=f"{chosen.folder}.work")
    found = tool.diff(chosen, other)
    texts = [set(selection.table["text"].to_pylist()) for selection in (chosen, other)]
    assert found.chunks == (20, 30) and found.shared == len(texts[0] & texts[1])
    assert found.requests == {
        "budget": ("20", "30"),
        "method": ("got_d", "dsir"),
        "options": ({"debias": 2000}, {}),
        "parts": (2, 1),
    }
    assert {name: sum(counts) for name, counts in found.domains.items()}.keys() >= {"food"}
    assert set(found.alone[1]) <= texts[1] - texts[0] and len(found.alone[1]) == 5
    assert -1 <= found.correlation < 1
