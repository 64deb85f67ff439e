"""Values of single items in a file, and back."""

from gotd_jax.report import item_scores


def test_values_come_back_by_column_and_id_and_absent_ones_stay_absent(tmp_path):
    values = {"EMT toxic ↓": {"a": 0.25, "b": 1.0}, "length": {"a": 3.0, "b": 4.5, "c": 0.0}}
    item_scores.write(tmp_path, values)
    assert item_scores.read(tmp_path) == values


def test_a_folder_without_items_has_none(tmp_path):
    assert item_scores.read(tmp_path) == {}
