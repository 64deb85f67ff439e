"""The paper's candidate pools by name (App. C.1.2): where each is available today, and its differences from the paper's.

All are read from files of the Hugging Face hub, at the commit that stands behind the `@`, and with `per_domain` as a stream
(`gotd_jax.data.hub_datasets`). That they exist at these commits is taken from the hub's own pages; we downloaded none of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping


@dataclasses.dataclass(frozen=True)
class PublishedPool:
    """One of the paper's seven domains, or a stand-in for one.

    Attributes:
      source: the argument of `gotd_jax.data.readers.read`; None where it is no longer available.
      text_field: where a row keeps its text.
      paper: the data set that the paper read.
      differs: the difference today, or why it is not available.
      stands_for: the domain of the paper that this stands in for; '' for the paper's own.
    """

    source: str | None
    text_field: str
    paper: str
    differs: str
    stands_for: str = ""


PUBLISHED_POOLS: Mapping[str, PublishedPool] = {
    "amazon_reviews": PublishedPool(
        source=None,
        text_field="review_body",
        paper="amazon_us_reviews of the Hugging Face hub",
        differs="Amazon withdrew it in 2023, and the hub's page of it only raises an error",
    ),
    "pubmed": PublishedPool(
        source="hf:ccdv/pubmed-summarization/document@6b30a2cae59b11ed77cb19959bffccbbd18e1106:train",
        text_field="article",
        paper="scientific_papers of TensorFlow Datasets",
        differs="nothing but the format, Parquet: that builder needs TensorFlow; which split the paper read is unstated",
    ),
    "arxiv": PublishedPool(
        source="hf:ccdv/arxiv-summarization/document@240aaf1a969b3f8cd0ade6986bfad0cd730ee288:train",
        text_field="article",
        paper="scientific_papers of TensorFlow Datasets",
        differs="nothing but the format, Parquet: that builder needs TensorFlow; which split the paper read is unstated",
    ),
    "openwebtext": PublishedPool(
        source="hf:Skylion007/openwebtext@79d93d786212f7344586290adb811d4ae6a1762c:train",
        text_field="text",
        paper="OpenWebTextCorpus",
        differs="nothing known: 8,013,769 documents, which the hub now keeps as Parquet",
    ),
    "realnews": PublishedPool(
        source=None,
        text_field="text",
        paper="RealNews (Zellers et al. 2019)",
        differs="it is given out on request alone, and the link that the form answers with was reported dead in April 2026 "
        "(rowanz/grover, issue 85)",
    ),
    "wikipedia": PublishedPool(
        source="hf:wikimedia/wikipedia/20231101.en@b04c8d1ceb2f5cd4588862100d08de323dccfbaa:train",
        text_field="text",
        paper="wikipedia of TensorFlow Datasets, of an unstated date",
        differs="the date, November 2023: Wikimedia keeps no old dumps for TensorFlow Datasets to be prepared from. One that "
        "is prepared already is read as tfds:wikipedia/20230601.en:train",
    ),
    "books": PublishedPool(
        source=None,
        text_field="text",
        paper="a re-compiled BookCorpus, not published",
        differs="BookCorpusOpen, the re-compilation that the hub had, is defunct, its source gone",
    ),
    "amazon_reviews_2023": PublishedPool(
        source="hf:McAuley-Lab/Amazon-Reviews-2023/raw/review_categories/*.jsonl@2b6d039ed471f2ba5fd2acb718bf33b0a7e5598e:train",
        text_field="text",
        paper="amazon_us_reviews of the Hugging Face hub",
        differs="other, newer reviews (Amazon Reviews 2023, McAuley Lab), as many of each of its categories, where the paper's "
        "are withdrawn",
        stands_for="amazon_reviews",
    ),
    "realnewslike": PublishedPool(
        source="hf:allenai/c4/realnewslike@1588ec454efa1a09f29cd18ddd04fe05fc8653a2:train",
        text_field="text",
        paper="RealNews (Zellers et al. 2019)",
        differs="pages of April 2019 from the sites in RealNews's list, cleaned as C4 is (realnewslike), where RealNews is not "
        "given out any more",
        stands_for="realnews",
    ),
    "pg19": PublishedPool(
        source="hf:emozilla/pg19@b7bca68072ef1d86348f080bbda0996648d94315:train",
        text_field="text",
        paper="a re-compiled BookCorpus, not published",
        differs="books from before 1919 (PG-19), where no BookCorpus can be had",
        stands_for="books",
    ),
}

# The paper's seven domains (App. C.1.2) as they are available: four of its own, and three stand-ins for the rest.
FETCHED = tuple(name for name, pool in PUBLISHED_POOLS.items() if pool.source is not None)


def find(name: str) -> PublishedPool:
    """Returns the published pool called `name`.

    Raises:
      ValueError: there is no published pool of that name.
    """
    if name not in PUBLISHED_POOLS:
        raise ValueError(f"There is no published pool {name!r}. There are: {', '.join(PUBLISHED_POOLS)}.")
    return PUBLISHED_POOLS[name]


def stand_in(name: str) -> str | None:
    """Returns the name of the stand-in for a published pool that is not available; None where it has none."""
    return next((other for other, pool in PUBLISHED_POOLS.items() if pool.stands_for == name), None)


def stand_in_remark(names: Iterable[str]) -> str:
    """Returns a sentence on the pools among `names` that differ from the paper's; '' where none does."""
    told = [f"for {pool.stands_for}, {pool.differs}" for pool in map(find, names) if pool.stands_for]
    return f"Where a domain of the paper cannot be had, its nearest kin stands in: {'; '.join(told)}." if told else ""
