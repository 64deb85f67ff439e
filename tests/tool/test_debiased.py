"""A debiased selection tells both parts of each value, and how well two samples of the pool agree."""

import json

import numpy as np
import pytest

from gotd_jax import tool
from gotd_jax.cli import explain
from gotd_jax.ot import Potentials
from gotd_jax.tool import debiased


@pytest.fixture(scope="module")
def made(asked, tmp_path_factory):
    folder = tmp_path_factory.mktemp("debiased") / "chosen"
    return tool.select(asked(epsilon=0.05, options={"debias": 60}), folder)


def test_both_parts_of_a_value_are_the_gradients_that_it_is_the_difference_of(made):
    gradient = Potentials.load(made.folder / "potentials-0.safetensors").gradient()
    candidates = np.flatnonzero(np.isfinite(made.values()))
    for rank in (0, len(made) - 1):
        row = made.table.slice(rank, 1).to_pylist()[0]
        toward, own = made.value_parts(rank)
        assert toward - own == pytest.approx(row["value"], abs=1e-6)
        assert toward == pytest.approx(gradient[np.searchsorted(candidates, row["row"])], rel=1e-3, abs=1e-5)


def test_explain_and_report_show_both_parts_and_the_manifest_the_judges(made, capsys):
    explain(made.folder, 0)
    toward, own = made.value_parts(0)
    said = " ".join(capsys.readouterr().out.split())
    assert f"Its value is {toward:.5g}, toward the target, less {own:.5g}, toward the pool itself" in said
    shown = (made.folder / "report.html").read_text()
    assert "the pool&#39;s own potential was subtracted, from a sample of 60 candidates" in shown
    manifest = json.loads((made.folder / "manifest.json").read_text())
    assert {"judged", "lengths", "advice"} <= set(manifest)
    assert manifest["judged"][0]["judged"]["coverage"] > 0.5


def test_a_published_selection_has_no_parts(asked, made, tmp_path):
    published = tool.select(asked(options={"debias": 0}), tmp_path / "published", work=f"{made.folder}.work")
    assert published.value_parts(0) is None and "debiased" not in published.manifest["targets"][0]["method"]
    with pytest.raises(ValueError, match="There is no row 20"):
        published.value_parts(20)


@pytest.mark.parametrize(("agreement", "warned"), [(0.9, 0), (0.3, 1), (None, 0)])
def test_two_halves_that_hardly_agree_are_warned_of(agreement, warned):
    found = debiased.describe("task", {"rank_agreement": agreement, "sample": 2000})
    assert len(found.warnings) == warned
    assert (agreement is None) or f"an agreement of {agreement:.2f}" in found.sentence
