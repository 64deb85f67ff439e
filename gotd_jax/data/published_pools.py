"""The paper's candidate pools by name (App. C.1.2): where each can still be had, and what differs from what the paper read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class PublishedPool:
    """One of the seven domains.

    Attributes:
      source: what `gotd_jax.data.readers` reads it from; None where it cannot be had any more.
      text_field: where a row of the original keeps its text.
      paper: what the paper read.
      differs: what is different today, or why it cannot be had and what comes nearest.
    """

    source: str | None
    text_field: str
    paper: str
    differs: str


PUBLISHED_POOLS: Mapping[str, PublishedPool] = {
    "amazon_reviews": PublishedPool(
        source=None,
        text_field="review_body",
        paper="amazon_us_reviews of the Hugging Face hub",
        differs="Amazon withdrew it in 2023, and the hub's page of it only raises an error. The nearest are the files of "
        "Amazon Reviews 2023 (McAuley Lab; JSON Lines, text in the field text), which are other, newer reviews",
    ),
    "pubmed": PublishedPool(
        source="tfds:scientific_papers/pubmed:train",
        text_field="article",
        paper="scientific_papers of TensorFlow Datasets",
        differs="nothing; which of its splits the paper read is unstated. The hub has the articles as "
        "hf:ccdv/pubmed-summarization/document:train",
    ),
    "arxiv": PublishedPool(
        source="tfds:scientific_papers/arxiv:train",
        text_field="article",
        paper="scientific_papers of TensorFlow Datasets",
        differs="nothing; which of its splits the paper read is unstated. The hub has the articles as "
        "hf:ccdv/arxiv-summarization/document:train",
    ),
    "openwebtext": PublishedPool(
        source="hf:Skylion007/openwebtext:train",
        text_field="text",
        paper="OpenWebTextCorpus",
        differs="nothing known: 8,013,769 documents, which the hub now keeps as Parquet",
    ),
    "realnews": PublishedPool(
        source=None,
        text_field="text",
        paper="RealNews (Zellers et al. 2019)",
        differs="it is given out on request alone, and the link that the form answers with was reported dead in April 2026 "
        "(rowanz/grover, issue 85). The nearest is hf:allenai/c4/realnewslike:train: pages of April 2019, cleaned as C4 is, "
        "from the sites in RealNews's list",
    ),
    "wikipedia": PublishedPool(
        source="hf:wikimedia/wikipedia/20231101.en:train",
        text_field="text",
        paper="wikipedia of TensorFlow Datasets, of an unstated date",
        differs="the date, November 2023: Wikimedia keeps no old dumps for TensorFlow Datasets to be prepared from. One that "
        "is prepared already is read as tfds:wikipedia/20230601.en:train",
    ),
    "books": PublishedPool(
        source=None,
        text_field="text",
        paper="a re-compiled BookCorpus, not published",
        differs="BookCorpusOpen, the re-compilation that the hub had, is defunct, its source gone. The nearest by kind is "
        "tfds:pg19:train (text in the field book_text): books from before 1919",
    ),
}

FETCHED = tuple(name for name, pool in PUBLISHED_POOLS.items() if pool.source is not None)  # those that can still be had


def find(name: str) -> PublishedPool:
    """Returns the published pool called `name`.

    Raises:
      ValueError: there is none of that name.
    """
    if name not in PUBLISHED_POOLS:
        raise ValueError(f"There is no published pool {name!r}. There are: {', '.join(PUBLISHED_POOLS)}.")
    return PUBLISHED_POOLS[name]
