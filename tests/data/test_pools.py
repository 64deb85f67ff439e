"""The packaged domains and tasks, out of the real packages."""

import functools
from collections import Counter

import numpy as np
import pytest

from gotd_jax.data import pools
from gotd_jax.data.chunks import chunk
from gotd_jax.data.corpus import Corpus
from gotd_jax.evaluation.metrics import METRICS

TEXTS = {
    "wikipedia": 12_219,
    "biographies": 1_000,
    "reviews": 24_901,
    "news": 999,
    "summaries": 1_000,
    "bbc": 2_121,
    "biomedical": 1_000,
    "clinical": 1_273,
    "law": 868,
    "finance": 648,
    "world_news": 3_781,
    "speeches": 24_702,
    "documentation": 37_119,
    "definitions": 444,
    "encyclopedia": 10_033,
    "recipes": 4_817,
    "scripture": 1_189,
}
SPLITS = {
    "rotten_tomatoes": (6_841, 841, 846),
    "bbc_topics": (1_677, 207, 237),
    "imdb": (19_954, 2_393, 2_554),
}


@functools.cache
def domain(name):
    return list(pools.load_domain(name))


@functools.cache
def task(name):
    return pools.load_task(name)


SLOW = ("reviews", "imdb", "documentation", "definitions")  # 33 million characters and more


def marked(names):
    return [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in names]


@pytest.mark.parametrize("name", marked(pools.DOMAINS))
def test_a_domain_holds_its_texts_once_in_a_fixed_order(name):
    records = domain(name)
    assert len(records) == TEXTS[name]
    for field in ("id", "text"):
        assert len({record[field] for record in records}) == len(records)
    assert {record["domain"] for record in records} == {name}
    assert all(record["text"] and record["text"] == record["text"].strip() for record in records)
    again = pools.load_domain(name)
    assert [next(again) for _ in range(5)] == records[:5]


@pytest.mark.parametrize(
    ("name", "remnant"),
    [
        ("reviews", "<br"),
        ("biomedical", "Context ("),
        ("finance", '""'),
        ("bbc", "\ufffd"),
        ("wikipedia", "Home Run Derby -- "),
    ],
)
def test_what_the_sets_wrap_around_their_texts_is_taken_off(name, remnant):
    assert not [record["id"] for record in domain(name) if remnant in record["text"]]


def test_the_only_article_that_is_not_utf_8_has_its_pound_sign():
    assert "£" in next(record["text"] for record in domain("bbc") if record["id"] == "bbc/sports/199")


def test_a_domain_makes_chunks_of_the_papers_length():
    chunks = chunk(Corpus.from_records(domain("law")), 1000, short="drop")
    assert len(chunks) == 2_816
    assert {len(text) for text in chunks.texts()} == {1000}


@pytest.mark.parametrize("name", marked(pools.PACKAGED_TASKS))
def test_a_tasks_splits_share_no_text(name):
    found = task(name)
    splits = (found.train, found.validation, found.test)
    assert tuple(map(len, splits)) == SPLITS[name]
    texts = [text.lower() for examples in splits for text in examples.corpus.texts()]
    assert len(set(texts)) == len(texts)
    assert set(found.metrics) <= set(METRICS)
    assert all(np.bincount(examples.labels).min() > 20 for examples in splits)


@pytest.mark.slow
@pytest.mark.parametrize("name", pools.PACKAGED_TASKS)
def test_a_pool_of_the_domains_that_a_task_may_use_holds_none_of_its_texts(name):
    found = task(name)
    texts = {text for examples in (found.train, found.validation, found.test) for text in examples.corpus.texts()}
    shared = {other for other in pools.DOMAINS if any(record["text"] in texts for record in domain(other))}
    assert shared == set(pools.SHARED.get(name, ()))
    pools.check_disjoint(name, set(pools.DOMAINS) - shared)
    for other in shared:
        with pytest.raises(ValueError, match=f"domain {other} holds the texts of the task {name}. Leave it out"):
            pools.check_disjoint(name, pools.DOMAINS)


@pytest.mark.parametrize("name", marked(["rotten_tomatoes", "imdb"]))
def test_labels_are_those_of_the_sentiments(name):
    found = task(name)
    assert found.classes == ("negative", "positive")
    texts = found.train.corpus.texts()
    worst, best = (found.train.labels[[word in text for text in texts]] for word in ("waste of time", "masterpiece"))
    assert np.mean(worst) < 0.3 < 0.6 < np.mean(best)


def test_labels_are_those_of_the_topics():
    found = task("bbc_topics")
    named = Counter(identity.partition("/")[0] for identity in found.train.corpus.ids)
    assert [named[topic] for topic in found.classes] == np.bincount(found.train.labels).tolist()
    shares = [text.count(" film") > 2 for text in found.train.corpus.texts()]
    assert found.classes[np.bincount(found.train.labels[shares]).argmax()] == "entertainment"


def test_what_says_the_same_is_in_the_same_split():
    assert pools.split_of("A fine film!") == pools.split_of("a  fine film ")
    counts = Counter(pools.split_of(f"text {number}") for number in range(5_000))
    assert counts["train"] / 5_000 == pytest.approx(0.8, abs=0.02)
    assert counts["test"] / 5_000 == pytest.approx(0.1, abs=0.02)


def test_the_rule_of_the_splits_has_not_moved():
    # Fixed for ever: a changed rule would put test sentences into somebody's training set.
    assert [pools.split_of(f"text {number}") for number in (0, 1, 9)] == ["test", "train", "validation"]


def test_unknown_names_list_what_exists():
    with pytest.raises(ValueError, match=r"no domain 'x'\. There are: wikipedia"):
        pools.load_domain("x")
    with pytest.raises(ValueError, match=r"no packaged task 'x'\. There are: rotten_tomatoes"):
        pools.load_task("x")
