"""Every field of a config changes something: what a cell makes, its row, what is printed beneath, or the check of either.

A few cells are run once, of every way to end. Then one field at a time is changed, and the cell asked for again: as far as its
first folder in the workdir that it would have to make, so that nothing is trained.
"""

import functools
import os

import pytest
from ml_collections import ConfigDict

from configs import common
from experiments import cell, config_fields, pages
from experiments.sweep import cells_of
from tests.experiments.test_detoxification import prompts_file

VALUES = {  # of the fields that are None or empty, and of those that are checked against what there is
    "data_dir": "nowhere",
    "pool.domains": {"sky": "nowhere.jsonl"},
    "pool.text_fields": {"sea": "body"},
    "pool.near_duplicates": 0.5,
    "base.mixture": {"sea": 0.5, "law": 0.5},
    "base.sizes": {"width": 24, "heads": 2, "vocabulary": 280, "layers": 1, "positions": 32},
    "base.characters": 1_500,
    "pool.relevance.chunks": 50,
    "task.pair_field": "pair",
    "task.tested": 12,
    "embed.layers": 1,
    "embed.directions": 4,
    "embed.gradient_layers": 1,
    "ot.solver": "sinkhorn",
    "ot.sample": 50,
    "ot.precision": "float32",
    "ranking.noise": 0.5,
    "mixture.shares": "sea=1",
    "target.shares": (0.5,),
    "probes.labels": (10,),
    "compute_dtype": "bfloat16",
    "embed.compute_dtype": "bfloat16",
    "embed.dtype": "float16",
    "sweep": {"seed": (3,)},
    "where": (("method", "random", "budget", 7),),
    "figure": ("heatmap", "epsilon", "budget"),
    "paper": "table_4_5k",
}
READ_BY = {
    "detox": "writing",
    "choices": "choices",
    "target_model": "losses",
    "loss_difference": "losses",
    "selection": "losses",
    "base": "loss",
    "loss": "loss",
    "probes": "probes",
} | {method: method for method in ("dsir", "crisp", "tsds", "mixture", "classifier", "ngram_classifier", "csls", "contrast")}
ELSEWHERE = {
    "keep_models",  # of which folders stay: test_cells.test_models_are_not_kept_where_that_is_asked_for
    *(f"gap.{name}" for name in common.get_config().gap),  # what a floor and a ceiling print: test_gap_closed
    "only_available",  # which tasks are swept: test_cells.test_available_tasks_are_those_whose_files_lie_in_the_data_folder
}


class WouldMake(Exception):
    """The cell came to a folder that it would have to make."""


def leaves(config, prefix=""):
    """Yields the dotted name and value of every field that holds no fields of the config's own."""
    for name, value in config.items():
        if isinstance(value, ConfigDict) and f"{prefix}{name}." not in config_fields.OPEN:
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def another(name, value):
    """Returns a value for a field that it does not have."""
    if name in VALUES:
        return VALUES[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return 0.9 * value + 0.003
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, tuple):
        return (*value, "x")
    raise TypeError(f"VALUES has none for {name}, which is {value!r}")


@pytest.fixture
def ways(config, texts, tiny_decoder, tmp_path):
    """Returns cells that together read every field, by a name."""
    config.method, config.pool.per_domain, config.pool.relevance.keep = "got_d", 50, 2
    config.task.labels, config.budget = 30, 12
    detox = {"prompts": 2, "targets": 4, "held_out": 4, "continuations": 2, "new_tokens": 4, "fluency": 1}
    detox["prompts_file"] = str(prompts_file(tmp_path / "prompts.jsonl"))
    decoder = {"model": str(tiny_decoder), "method": "none", "choices.most": 4}
    writing = {"evaluation": "toxicity", **decoder, **{f"detox.{name}": value for name, value in detox.items()}}
    on_domains = {"pool.long": "cut", "target.domains": ("food",), "target.most": 8, "selection.held_out": 8}
    changes = {
        "fine-tuning": {"embed.finetuned": True},
        "losses": {"method": "loss_difference", "evaluation": "selection", **on_domains},
        "dsir": {"method": "dsir", "pool.relevance.keep": None},
        "crisp": {"method": "crisp", "evaluation": "selection"},
        "tsds": {"method": "tsds", "evaluation": "selection"},
        "whitened": {"method": "top_cosine", "evaluation": "selection", "embed.normalise": "whitened"},
        "classifier": {"method": "classifier", "evaluation": "selection"},
        "csls": {"method": "csls", "evaluation": "selection"},
        "mixture": {"method": "mixture", "evaluation": "selection", "task.home": ("sea", "law")},
        "ngram_classifier": {"method": "ngram_classifier", "evaluation": "selection"},
        "writing": writing,
        "contrast": writing | {"method": "contrast"},
        "choices": {"evaluation": "choices", "task.name": "bbc_topics", **decoder},
        "loss": {
            "evaluation": "loss",
            "task.train": "",
            "pool.relevance.keep": None,
            "pool.documents": (0.4, 0.7),
            "target.domains": ("food",),
            "target.documents": (0.7, 0.85),
            "target.most": 4,
            "loss.documents": (0.85, 1.0),
            "loss.target": 4,
            "loss.pre_training": 4,
            "base.documents": (0.0, 0.4),
            "base.characters": 1_200,
            "base.mixture": {"sea": 0.6, "law": 0.4},
            "base.sizes": {"width": 16, "heads": 2, "vocabulary": 280, "layers": 1, "positions": 32},
            "base.recipe.max_length": 16,
            "budget": 4,
        },
        "probes": {"evaluation": "probes", "probes.labels": (8,)},
        "no task": {"task.train": "", "task.name": "chemprot"},
    }
    return {way: config_fields.replaced(config, change) for way, change in changes.items()}


def came_to(config, workdir):
    """Returns how far a cell comes without making anything: its row, or what stopped it."""
    try:
        cell.check(config, workdir)
        return cell.run(config, workdir)
    except (ValueError, WouldMake) as stop:
        return type(stop).__name__, str(stop)


def in_points(value):
    return {"score": value, "metric": "accuracy"}


def in_its_own_units(value):
    return {"measures": {"PPL ↓": {"value": value, "what": "perplexity"}}}


def printed(config, tables, workdir):
    """Returns what cells are run and what is printed of the rows of tables, or the fault that their check tells."""
    try:
        cells = [(of_cell.method, of_cell.budget, of_cell.seed) for of_cell, _ in cells_of(config)]
        return cells, [pages.printed(rows, config, workdir) for rows in tables]
    except ValueError as fault:
        return str(fault)


@pytest.mark.slow
def test_every_field_changes_what_is_made_or_printed_or_its_check(ways, tmp_path, monkeypatch):
    workdir = tmp_path / "work"
    before = {way: came_to(config, workdir) for way, config in ways.items()}
    stopped = {way: found for way, found in before.items() if not isinstance(found, dict)}
    assert set(stopped) == {"no task"}, stopped
    make = os.mkdir

    def refuse(path, *arguments, **options):
        if os.fspath(path).startswith(str(workdir)) and not os.path.exists(path):
            raise WouldMake(path)
        return make(path, *arguments, **options)

    monkeypatch.setattr(os, "mkdir", refuse)
    assert {way: came_to(config, workdir) for way, config in ways.items()} == before
    numbers = {"dsir": (0.600, 0.601, 0.602), "got_d": (0.600, 0.602, 0.604)}
    plain = {key: value for key, value in before["dsir"].items() if key not in ("score", "metric")}
    tables = [
        [
            plain | {"epsilon": 0.1, "method": method, "seed": seed} | kind(value)
            for method, values in numbers.items()
            for seed, value in enumerate(values)
        ]
        for kind in (in_points, in_its_own_units)
    ]
    shown = functools.partial(printed, tables=tables, workdir=tmp_path / "printed")
    swept = {"sweep": {"method": ("random", "dsir")}}
    whole = config_fields.replaced(ways["dsir"], swept)

    def is_read(name):
        own = READ_BY.get(name.partition(".")[0], "fine-tuning")  # is asked first
        return any(is_read_by(name, way) for way in (own, *ways))

    def is_read_by(name, way):
        value = functools.reduce(getattr, name.split("."), ways[way])
        return came_to(config_fields.replaced(ways[way], {name: another(name, value)}), workdir) != before[way]

    def is_shown(name, value):
        changed = config_fields.replaced(ways["dsir"], swept | {name: another(name, value)})
        return shown(changed) != shown(whole)

    idle = [
        name
        for name, value in leaves(common.get_config())
        if name not in ELSEWHERE and not is_read(name) and not is_shown(name, value)
    ]
    assert not idle, f"Nothing changes with {', '.join(idle)}."
