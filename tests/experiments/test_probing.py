"""Cells that end with probes of the pre-fine-tuned model's states."""

import numpy as np
import pytest

from experiments import cell, config_fields
from gotd_jax.files import read_json


def test_a_cell_has_probes_by_number_of_labels_and_the_loss_on_the_tasks_text(config, tmp_path):
    changes = {"evaluation": "probes", "probes.labels": (8, 24), "probes.draws": 5, "target_loss": 10, "method": "random"}
    row = cell.run(config_fields.replaced(config, changes), tmp_path)
    columns = ("log-loss, 8 labels ↓", "log-loss, 24 labels ↓", "accuracy, 8 labels ↑", "accuracy, 24 labels ↑")
    assert tuple(row["measures"]) == (*(f"taste: {column}" for column in columns), "taste, bits/byte ↓")
    scores = read_json(tmp_path / "scores" / row["cell"] / "scores.json")
    of_draws = scores["probes"]["24"]["accuracy"]
    assert len(of_draws) == 5 and len(set(of_draws)) > 1
    assert row["measures"]["taste: accuracy, 24 labels ↑"]["value"] == pytest.approx(100 * np.mean(of_draws))


def test_a_base_of_another_kind_than_the_evaluation_trains_is_refused(check_refused):
    base = {"base.mixture": {"sea": 1.0}, "base.sizes": {"kind": "decoder"}, "evaluation": "finetune"}
    check_refused(base, "of an encoder.*config.base is none")
