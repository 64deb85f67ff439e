"""The paper's pools by name: what can be had is read by the right reader and field, in the layout of the original."""

import re

import pytest

from configs import common
from experiments.cell_data import CellData
from gotd_jax.data import hub_datasets, readers
from gotd_jax.data.published_pools import FETCHED, PUBLISHED_POOLS, find, stand_in, stand_in_remark
from tests.data.files import json_lines, refused

PAPER = ("amazon_reviews", "pubmed", "arxiv", "openwebtext", "realnews", "wikipedia", "books")
ARTICLE = "the tide rose in the harbour . " * 8
AVAILABLE = [name for name, pool in PUBLISHED_POOLS.items() if pool.source]


@pytest.fixture
def config():
    config = common.get_config()
    config.pool.characters = 100
    return config


def pool_of(config, workdir):
    return CellData(config, workdir).pool


def save(folder, **columns):
    import datasets

    datasets.DatasetDict({"train": datasets.Dataset.from_dict(columns)}).save_to_disk(folder)


def test_the_seven_domains_of_the_paper_are_named():
    assert tuple(name for name, pool in PUBLISHED_POOLS.items() if not pool.stands_for) == PAPER
    assert sorted(PUBLISHED_POOLS[name].stands_for or name for name in FETCHED) == sorted(PAPER)
    with refused(r"no published pool 'c4'\. There are: amazon_reviews, .*books"):
        find("c4")


@pytest.mark.parametrize("name", AVAILABLE)
def test_a_source_goes_to_the_reader_of_its_library_with_a_split(name, monkeypatch):
    asked = {}

    def taking(scheme):
        def take(dataset, split, fields):
            asked.update(scheme=scheme, dataset=dataset, split=split, field=fields.text)
            return "label", lambda: iter([(1, {fields.text: ARTICLE})])

        return take

    monkeypatch.setattr(readers, "LIBRARIES", {scheme: taking(scheme) for scheme in readers.LIBRARIES})
    pool = find(name)
    assert readers.read(pool.source, text_field=pool.text_field).texts() == [ARTICLE]
    scheme, _, rest = pool.source.partition(":")
    assert asked == {"scheme": scheme, "dataset": rest.removesuffix(":train"), "split": "train", "field": pool.text_field}


def test_a_source_is_pinned_to_a_commit(subtests):
    for name in AVAILABLE:
        with subtests.test(name=name):
            dataset = PUBLISHED_POOLS[name].source.removeprefix("hf:").removesuffix(":train")
            assert re.fullmatch("[0-9a-f]{40}", hub_datasets.parse_name(dataset).revision)


def test_what_stands_in_for_the_papers_own_is_declared():
    assert stand_in_remark(("pubmed", "wikipedia")) == ""
    told = stand_in_remark(FETCHED)
    assert all(f"for {PUBLISHED_POOLS[name].stands_for}, " in told for name in FETCHED if PUBLISHED_POOLS[name].stands_for)
    for name, pool in PUBLISHED_POOLS.items():
        assert (stand_in(name) is None) == (pool.source is not None)


def test_a_copy_in_the_originals_layout_is_read_by_the_originals_field(config, tmp_path):
    save(tmp_path / "reviews", review_body=[ARTICLE] * 2, review_headline=["good"] * 2)
    save(tmp_path / "papers", article=[ARTICLE] * 3, abstract=["short"] * 3, section_names=["one"] * 3)
    config.pool.named = ("amazon_reviews", "arxiv")
    config.pool.domains.amazon_reviews = f"{tmp_path / 'reviews'}:train"
    config.pool.domains.arxiv = f"{tmp_path / 'papers'}:train"
    assert pool_of(config, tmp_path).count_domains() == {"amazon_reviews": 4, "arxiv": 6}
    assert pool_of(config, tmp_path).texts([0]) == [ARTICLE[:100]]


def test_a_domains_own_text_field_comes_before_all_others(config, tmp_path):
    for name, field in (("mine", "text"), ("yours", "body"), ("amazon_reviews", "words")):
        (tmp_path / f"{name}.jsonl").write_bytes(json_lines([{field: ARTICLE, "review_body": "x"}]))
        config.pool.domains[name] = str(tmp_path / f"{name}.jsonl")
    config.pool.named = ("amazon_reviews",)
    config.pool.text_fields.yours = "body"
    config.pool.text_fields.amazon_reviews = "words"
    assert pool_of(config, tmp_path).count_domains() == {"amazon_reviews": 2, "mine": 2, "yours": 2}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("amazon_reviews", "withdrew it in 2023.*named pool amazon_reviews_2023"),
        ("realnews", "request alone.*named pool realnewslike"),
        ("books", "BookCorpusOpen.*named pool pg19"),
    ],
)
def test_what_cannot_be_had_says_why_and_how_to_name_a_copy(config, tmp_path, name, reason):
    config.pool.named = (name,)
    with refused(rf"pool {name} .*cannot be had: .*{reason}.*--config\.pool\.domains\.{name}=.*text_fields\.{name}"):
        pool_of(config, tmp_path)


def test_a_library_out_of_reach_says_how_to_name_a_copy(config, tmp_path, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    config.pool.named = ("openwebtext",)
    with refused(r"Skylion007/openwebtext@.* cannot be loaded .*\. .*--config\.pool\.domains\.openwebtext="):
        pool_of(config, tmp_path)
    config.pool.named, config.pool.per_domain = ("pubmed",), 10
    with refused(r"ccdv/pubmed-summarization/document@6b30a2cae.* cannot be loaded .*--config\.pool\.domains\.pubmed="):
        pool_of(config, tmp_path)


def test_settings_of_domains_that_the_pool_lacks_are_refused(config, tmp_path):
    (tmp_path / "mine.jsonl").write_bytes(json_lines([{"text": ARTICLE}]))
    config.pool.domains.mine = str(tmp_path / "mine.jsonl")
    config.pool.text_fields.yours = "body"
    with refused("text_fields speaks of yours, which the pool does not have. It has: mine"):
        pool_of(config, tmp_path)
    config.pool.text_fields = {}
    config.pool.per_domain = {"mine": 1, "yours": 2}
    with refused("per_domain speaks of yours, which the pool does not have. It has: mine"):
        pool_of(config, tmp_path)
    config.pool.packaged, config.pool.per_domain = ("news",), None
    config.pool.domains.news = str(tmp_path / "mine.jsonl")
    with refused("Two domains of the pool are called news"):
        pool_of(config, tmp_path)


def test_number_of_chunks_is_one_for_all_or_one_a_domain(config, tmp_path):
    for name in ("mine", "yours", "all"):
        (tmp_path / f"{name}.jsonl").write_bytes(json_lines([{"text": ARTICLE * 4}]))
        config.pool.domains[name] = str(tmp_path / f"{name}.jsonl")
    everything = pool_of(config, tmp_path).count_domains()
    config.pool.per_domain = 3
    assert set(pool_of(config, tmp_path).count_domains().values()) == {3}
    config.pool.per_domain = {"mine": 1, "yours": 5}
    assert pool_of(config, tmp_path).count_domains() == everything | {"mine": 1, "yours": 5}
