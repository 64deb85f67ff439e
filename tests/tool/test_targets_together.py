import json

import numpy as np
import pytest

from gotd_jax import tool
from gotd_jax.ot import Potentials


@pytest.fixture
def targets(texts, lines, tmp_path):
    """Returns two targets, of forty texts about food and of twenty about the sea."""
    rows = map(json.loads, (texts / "sea.jsonl").read_text().splitlines())
    sea = lines(tmp_path / "sea_task.jsonl", [row["text"][:60] for row in rows][:20])
    return (f"food={texts / 'train.jsonl'}", f"sea={sea}")


def test_targets_together_are_one_problem_in_which_each_has_its_share_of_the_mass(asked, chosen, targets, tmp_path):
    asking = asked(target=targets, shares=(1, 3), together=True, budget="10")
    made = tool.select(asking, tmp_path / "made", work=f"{chosen.folder}.work")
    (told,) = made.manifest["targets"]
    assert told["name"] == "food + sea" and told["texts"] == 60 and told["selected"] == 10
    weights = Potentials.load(made.folder / "potentials-0.safetensors").target_weights
    np.testing.assert_allclose(weights, np.repeat([0.25 / 40, 0.75 / 20], [40, 20]), rtol=1e-5)
    assert made.values().shape == (180,) and not any(check.faults for check in tool.verify(made))
    assert tool.Request(**made.manifest["request"]).to_dict() == asking.to_dict()
    assert {served.id.partition(".")[0] for served in made.explain(0, most=60)} == {"train", "sea_task"}


@pytest.mark.parametrize(("shares", "served"), [((99, 1), "food"), ((1, 99), "sea")])
def test_the_target_of_the_larger_share_is_served_first(asked, chosen, targets, tmp_path, shares, served):
    asking = asked(target=targets, shares=shares, together=True, budget="10")
    made = tool.select(asking, tmp_path / "made", work=f"{chosen.folder}.work")
    assert made.table["domain"].to_pylist().count(served) >= 8


def test_a_method_that_solves_nothing_takes_targets_one_by_one(asked, targets):
    with pytest.raises(ValueError, match=r"top_cosine solves no problem.*Leave --together out.*contrast, got_d"):
        asked(target=targets, together=True, method="top_cosine")


def test_a_reference_stands_for_the_pool(asked, chosen, texts, tmp_path):
    made = tool.select(asked(reference=str(texts / "law.jsonl")), tmp_path / "made", work=f"{chosen.folder}.work")
    (told,) = made.manifest["targets"]
    assert told["potentials"]["solved_on"] == 60 and chosen.manifest["targets"][0]["potentials"]["solved_on"] == 180
    assert made.manifest["inputs"][-1]["side"] == "reference"
    assert np.isfinite(made.values()).all() and not np.array_equal(made.values(), chosen.values())
    assert not any(check.faults for check in tool.verify(made))
