"""The packaged domains and tasks, out of the real packages."""

import numpy as np
import pytest

from gotd_jax.data import pools
from gotd_jax.data.chunks import chunk
from gotd_jax.data.corpus import Corpus

TEXTS = {
    "wikipedia": 12_271,
    "biographies": 1_000,
    "reviews": 24_904,
    "news": 3_126,
    "law": 868,
    "contracts": 154,
    "biomedical": 1_000,
    "medicine": 1_273,
}


@pytest.mark.parametrize("name", pools.DOMAINS)
def test_domain_holds_its_distinct_texts(name):
    records = list(pools.load_domain(name))
    assert len(records) == TEXTS[name]
    assert len({record["text"] for record in records}) == len(records)
    assert len({record["id"] for record in records}) == len(records)
    assert {record["domain"] for record in records} == {name}


def test_reviews_hold_no_markup():
    assert not any("<br" in record["text"] for record in pools.load_domain("reviews"))


def test_a_domain_makes_chunks_of_the_papers_length():
    chunks = chunk(Corpus.from_records(pools.load_domain("law")), 1000, short="drop")
    assert len(chunks) > 2_000
    assert {len(text) for text in chunks.texts()} == {1000}


def test_unknown_domain_lists_what_exists():
    with pytest.raises(ValueError, match=r"no packaged domain 'x'\. There are: wikipedia"):
        next(pools.load_domain("x"))


def test_rotten_tomatoes_splits_share_no_sentence():
    task = pools.rotten_tomatoes()
    splits = [set(examples.corpus.texts()) for examples in (task.train, task.validation, task.test)]
    assert sum(map(len, splits)) == len(set.union(*splits)) == 8_530
    for examples in (task.train, task.validation, task.test):
        assert len(examples) > 800
        assert np.mean(examples.labels) == pytest.approx(0.5, abs=0.05)


def test_rotten_tomatoes_labels_are_sentiments():
    task = pools.rotten_tomatoes()
    texts = task.train.corpus.texts()
    bad = task.train.labels[[i for i, text in enumerate(texts) if "worst" in text]]
    good = task.train.labels[[i for i, text in enumerate(texts) if "masterpiece" in text]]
    assert np.mean(bad) < 0.3 < 0.7 < np.mean(good)


def test_no_sentence_of_the_packaged_task_is_a_text_of_the_pool():
    sentences = set(pools.rotten_tomatoes().test.corpus.texts())
    assert not any(record["text"] in sentences for name in pools.DOMAINS for record in pools.load_domain(name))
