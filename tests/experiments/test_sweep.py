"""A sweep is every combination of its values that a method reads."""

import pytest

from experiments import pages
from experiments.sweep import cells_of


def test_sweep_is_every_combination_of_its_values(config):
    config.sweep.method = ("none", "got_d")
    config.sweep.seed = (0, 1, 2)
    config.sweep.epsilon = (0.1, 0.2)
    cells = [of for of, _ in cells_of(config)]
    assert len(cells) == 3 + 6  # no selection reads no epsilon
    assert {(c.method, c.seed, c.ot.epsilon) for c in cells} >= {("got_d", 2, 0.1), ("got_d", 0, 0.2), ("none", 1, 0.1)}


def test_a_methods_own_options_are_swept_for_it_alone_and_tell_its_lines_apart(config, tmp_path):
    config.sweep.method, config.sweep.seed = ("random", "dsir"), (0,)
    config.sweep.dsir.buckets, config.sweep.ot.momentum = (50, 1_000), (1.0, 1.5)
    cells = list(cells_of(config))
    assert [(swept["method"], swept["dsir.buckets"]) for _, swept in cells] == [
        ("random", None),
        ("dsir", 50),
        ("dsir", 1_000),
    ]
    assert [(of.dsir.buckets, of.ot.momentum) for of, _ in cells] == [(50, 1.0), (50, 1.0), (1_000, 1.0)]
    row = {"task": "taste", "budget": 8, "seed": 0, "score": 0.5, "metric": "accuracy", "evaluated_on": "test"}
    rows = [row | swept | {"cell": str(number)} for number, (_, swept) in enumerate(cells)]
    of_row = {"pool": {"sea": 9}, "target_domains": {"": 3}, "selected": {"sea": 8}, "seconds": {}}
    printed = pages.printed([row | of_row for row in rows], config, tmp_path)
    assert all(label in printed for label in ("dsir, dsir.buckets 50", "dsir, dsir.buckets 1,000"))


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("bugdet", (1, 2), r"no config field 'bugdet'\. Did you mean budget"),
        ("budget", 5, r"config\.sweep\.budget is 5, which is no tuple\. A sweep over one value is \(5,\)\."),
        ("seed", ("a",), r"config\.seed cannot be 'a'"),
    ],
)
def test_a_sweep_over_a_field_or_values_that_cannot_be_is_refused(config, field, values, message):
    config.sweep[field] = values
    with pytest.raises(ValueError, match=message):
        list(cells_of(config))


def test_available_tasks_are_those_whose_files_lie_in_the_data_folder(config, tmp_path):
    (tmp_path / "CoLA").mkdir()
    for split in ("train", "dev"):
        (tmp_path / "CoLA" / f"{split}.tsv").write_text("x\t1\t\tgood bread\nx\t0\t*\tbread the good\n")
    config.data_dir, config.only_available = str(tmp_path), True
    config.sweep.task, config.sweep.seed = ("MNLI", "CoLA"), (0, 1)
    assert [swept for _, swept in cells_of(config)] == [{"task": "CoLA", "seed": 0}, {"task": "CoLA", "seed": 1}]
    config.data_dir = str(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"None of the tasks MNLI, CoLA lies in .*Put there: MNLI/train.tsv, CoLA/train.tsv"):
        list(cells_of(config))
    config.data_dir = None
    assert [swept["task"] for _, swept in cells_of(config)] == ["MNLI", "CoLA", "MNLI", "CoLA"]
