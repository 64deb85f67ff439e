import dataclasses
import json

import numpy as np
import pytest

from gotd_jax.data.corpus import Corpus
from gotd_jax.methods.problem import lowest
from gotd_jax.methods.top_cosine import mean_cosines
from gotd_jax.tool import agreement, examples, extended_ranking, findings, histograms, scatter_plot
from tests.tool.worlds import GOOD, OTHERS, WIDTH, world


@pytest.fixture(scope="module")
def found():
    return findings.find(world(GOOD, targets=2))


def test_findings_are_json_and_the_same_bytes_twice(found):
    written = json.dumps(found.to_dict(), allow_nan=False)
    assert written == json.dumps(findings.find(world(GOOD, targets=2)).to_dict(), allow_nan=False)


def test_domains_count_the_pool_and_what_was_chosen_of_it(found):
    food, law = found.domains
    assert (food.name, food.pool, food.chosen) == ("food", GOOD, GOOD)
    assert (law.pool, law.chosen, law.chosen_share) == (OTHERS, 0, 0)
    assert food.pool_share == pytest.approx(GOOD / (GOOD + OTHERS))


def test_targets_have_their_share_of_the_budget_and_what_was_chosen_for_them(found):
    assert [target.share for target in found.targets] == [0.5, 0.5]
    assert sum(target.chosen for target in found.targets) == GOOD


def test_outliers_are_quoted_with_their_texts(found):
    assert found.healths[0]["texts_of"]["outliers"][0]["id"] == "task0-1"


def test_a_row_is_embedded_once_where_the_pool_is_not():
    inputs, asked = world(10, embedded=False), []

    def embed(rows):
        asked.extend(rows.tolist())
        return inputs.embed_rows(rows)

    findings.find(dataclasses.replace(inputs, embed_rows=embed))
    assert asked and len(asked) == len(set(asked))


def test_the_map_keeps_what_is_near_near_and_says_how_many_of_each():
    plane = scatter_plot.project(world(GOOD))
    places = {kind: np.array([(dot.x, dot.y) for dot in plane.dots if dot.kind == kind]) for kind in plane.counts}
    assert plane.counts == {kind: len(rows) for kind, rows in places.items()} == {"pool": 340, "target": 40, "chosen": GOOD}
    centre = {kind: rows.mean(axis=0) for kind, rows in places.items()}
    near, far = (np.linalg.norm(centre["target"] - centre[kind]) for kind in ("chosen", "pool"))
    assert near < far / 3


def test_a_map_of_one_point_is_drawn():
    inputs = world(GOOD)
    target = inputs.targets[0]
    same = dataclasses.replace(target, embeddings=np.ones_like(target.embeddings))
    one = dataclasses.replace(inputs, targets=(same,), embed_rows=lambda rows: np.ones((len(rows), WIDTH), np.float32))
    assert {(dot.x, dot.y) for dot in scatter_plot.project(one).dots} == {(0.0, 0.0)}


def test_a_beginning_is_one_line_and_short():
    assert scatter_plot.beginning("a\n b") == "a b"
    assert len(scatter_plot.beginning("word " * 99)) == scatter_plot.CHARACTERS and scatter_plot.beginning(
        "word " * 99
    ).endswith("…")


def test_the_histogram_counts_every_candidate_and_cuts_at_the_worst_chosen():
    inputs = world(20)
    (histogram,) = histograms.of_targets(inputs)
    assert sum(histogram.candidates) == len(inputs.candidates) and sum(histogram.chosen) == 20
    assert histogram.cut == np.sort(inputs.targets[0].values)[19]


def test_values_that_are_not_finite_are_counted_apart():
    inputs = world(20)
    values = inputs.targets[0].values.copy()
    values[-1] = np.inf
    target = dataclasses.replace(inputs.targets[0], values=values)
    (histogram,) = histograms.of_targets(dataclasses.replace(inputs, targets=(target,)))
    assert histogram.infinite == 1 and sum(histogram.candidates) == len(values) - 1


def test_a_method_without_values_has_no_histogram():
    assert histograms.of_targets(world(20, method="random")) == ()


def test_examples_are_of_all_ranks_and_serve_the_nearest_target_texts():
    inputs = world(GOOD)
    chosen = examples.spread_over_ranks(inputs)
    assert [chosen[0].rank, chosen[-1].rank, len(chosen)] == [1, GOOD, 20]
    target = inputs.targets[0]
    for example in chosen:
        x = inputs.embed_rows(inputs.rows[[example.rank - 1]])
        nearest = np.argsort(np.linalg.norm(target.embeddings - x, axis=1))[:2]  # a topic has 2 texts
        assert {served.id for served in example.serves[:2]} == {target.corpus.ids[row] for row in nearest}
        assert example.serves[0].share >= example.serves[-1].share > 0


def test_copies_among_the_target_texts_are_served_as_one():
    inputs = world(5)
    target = inputs.targets[0]
    texts = ["the same text"] * (len(target.corpus) - 1) + ["another"]
    copied = dataclasses.replace(target, corpus=Corpus.from_texts(texts))
    (first, *_) = examples.spread_over_ranks(dataclasses.replace(inputs, targets=(copied,)))
    assert sum(served.share for served in first.serves) == pytest.approx(1) and len(first.serves) == 2


def test_near_duplicates_among_the_chosen_are_listed_with_their_ranks():
    inputs = world(GOOD)
    records = list(inputs.candidates)
    one, other = records[inputs.rows[4]], records[inputs.rows[9]]
    other["text"] = one["text"] + " indeed"
    likeness = examples.near_duplicates_among(dataclasses.replace(inputs, candidates=Corpus.from_records(records)))
    assert likeness.alike == 1 and likeness.pairs[0].ranks == (5, 10)
    assert likeness.pairs[0].similarity == pytest.approx(26 / 27)


def test_a_selection_agrees_with_itself_and_a_drawn_one_by_chance():
    inputs = world(20)
    similar = mean_cosines(inputs.embed_rows(np.arange(len(inputs.candidates))), inputs.targets[0].embeddings)
    same = dataclasses.replace(inputs, rows=lowest(-similar, 20))
    nearest = {each.method: each for each in agreement.with_other_methods(same)}
    assert nearest["top_cosine"].overlap == 1 and "Nearly the same" in nearest["top_cosine"].sentence
    drawn = {each.method: each for each in agreement.with_other_methods(world(100, method="random"))}
    assert drawn["random"].overlap == drawn["random"].chance == pytest.approx(100 / 340)
    assert drawn["top_cosine"].overlap == pytest.approx(100 / 340, abs=0.12)


def test_dsir_finds_the_words_of_the_target():
    assert {each.method: each for each in agreement.with_other_methods(world(GOOD))}["dsir"].overlap > 0.8


def test_a_sample_with_too_few_chosen_texts_says_nothing(monkeypatch):
    monkeypatch.setattr(agreement, "MOST_READ", 50)
    found = {each.method: each for each in agreement.with_other_methods(world(20))}["dsir"]
    assert found.overlap is None and "too few" in found.sentence and found.candidates == 50


def test_a_target_without_words_is_said_to_leave_dsir_without_a_choice():
    inputs = world(20)
    silent = dataclasses.replace(inputs.targets[0], corpus=Corpus.from_texts([" "] * len(inputs.targets[0].corpus)))
    inputs = dataclasses.replace(inputs, targets=(silent,))
    found = {each.method: each for each in agreement.with_other_methods(inputs)}["dsir"]
    assert found.overlap is None and "has a token" in found.sentence


def test_what_is_chosen_next_has_the_next_values_and_takes_turns_among_targets():
    inputs = world(10)
    order = extended_ranking.extended_ranking(inputs, 25)
    assert order[:10].tolist() == inputs.rows.tolist()
    assert order.tolist() == np.argsort(inputs.targets[0].values, kind="stable")[:25].tolist()
    two = world(10, targets=2)
    assert len(set(extended_ranking.extended_ranking(two, 40).tolist())) == 40


def test_numbers_are_plain_and_what_is_not_finite_is_none():
    kept = findings.plain({"a": np.float32(1 / 3), "b": (np.int64(2), float("nan")), "c": np.arange(2)})
    assert kept == {"a": 0.333333, "b": [2, None], "c": [0, 1]}
