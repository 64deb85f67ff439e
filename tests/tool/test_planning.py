"""A plan says what a selection reads and takes, and refuses what the selection would."""

import dataclasses
import json

import pytest

from gotd_jax.data.readers import read
from gotd_jax.data.tokens import count_tokens, load_tokenizer
from gotd_jax.tool import text_sizes
from gotd_jax.tool.planning import plan
from gotd_jax.tool.report_inputs import SAMPLE
from gotd_jax.tool.request import Request

STAGES = ["read", "near duplicates", "embed", "select", "report", "write"]


@pytest.fixture(scope="module")
def request_of(texts, tiny_model):
    pool = tuple(f"{texts}/{domain}.jsonl" for domain in ("sea", "law", "food"))
    whole = Request(pool, f"{texts}/train.jsonl", "30", model=str(tiny_model), max_length=64)
    return lambda **changes: dataclasses.replace(whole, **changes)


@pytest.fixture(scope="module")
def planned(request_of):
    return plan(request_of())


def test_small_inputs_are_counted(planned, request_of, tiny_model):
    pool = read(request_of().pool)
    assert (planned.pool.texts, planned.pool.chunks, planned.pool.counted) == (180, 180, True)
    assert (planned.target.texts, planned.target.counted) == (40, True)
    assert planned.pool.tokens == count_tokens(load_tokenizer(tiny_model), pool).sum()
    assert "180 texts, 180 chunks" in str(planned) and "(counted)" in str(planned)


def test_every_stage_has_its_cost_and_where_it_comes_from(planned):
    assert [stage.name for stage in planned.stages] == STAGES
    assert all(stage.seconds > 0 for stage in planned.stages if stage.seconds is not None)
    assert all(stage.memory_bytes > 10**8 and stage.why for stage in planned.stages)
    assert planned.stages[2].disk_bytes == 220 * 32 * 4  # texts, float32 of 32 dimensions
    total = planned.total
    assert total.seconds == pytest.approx(sum(stage.seconds or 0 for stage in planned.stages))
    assert total.memory_bytes == max(stage.memory_bytes for stage in planned.stages)
    assert json.loads(json.dumps(planned.to_dict()))["total"]["disk_bytes"] == total.disk_bytes
    lines = str(planned).splitlines()
    assert [line.split("  ")[0] for line in lines[8:14]] == STAGES and "measured: " in lines[10]


def test_a_plan_says_how_many_chunks_are_read_in_part_or_unknown(request_of, lines, tmp_path, monkeypatch):
    rows = 6 * ["wave " * 40] + 3 * ["Ꙁ" + " Ꙁ" * 9] + ["ship"]
    pool = [str(lines(tmp_path / "a.jsonl", rows)), str(lines(tmp_path / "b.jsonl", 10 * ["the sea"]))]
    planned = plan(request_of(pool=pool, budget="5", max_length=32))
    assert planned.read["pool"]["a"] == {
        "texts": 10, "read_in_part": 6, "tokens": 271, "tokens_not_read": 60, "unknown_tokens": 30, "mostly_unknown": 3,
        "unreadable": 3,
    }  # fmt: skip
    assert "read    6 of 20 chunks of the pool are read in part (" in str(planned)
    assert "6 of the 10 chunks of the pool from a are read in part: the model reads 32 tokens of each" in planned.notes[0]
    assert "14% of the tokens read of the 10 chunks of the pool from a are unknown tokens" in planned.notes[1]
    monkeypatch.setattr(text_sizes, "TOKENISED", 4)
    assert plan(request_of(pool=pool, budget="5", max_length=32)).read["pool"]["a"]["texts"] == 10


def test_a_large_pool_is_estimated_and_said_to_be(request_of, monkeypatch):
    monkeypatch.setattr(text_sizes, "COUNTED_BYTES", 3 * 4096)
    planned = plan(request_of(method="random", budget="500"))
    assert not planned.pool.counted and planned.pool.texts == pytest.approx(180, rel=0.1)
    assert "estimated from 12." in str(planned) and str(planned).startswith("pool    about ")
    assert planned.budget_chunks == planned.pool.chunks
    assert planned.notes == (
        f"The budget of 500 chunks exceeds the about {planned.pool.chunks} of the pool. Lower it or add to the pool.",
    )


def test_a_budget_in_tokens_or_a_share_is_told_in_chunks(planned, request_of):
    mean = planned.pool.tokens / 180
    in_tokens = plan(request_of(method="random", budget=f"{round(40.5 * mean)}-tokens"))
    assert in_tokens.budget_chunks == 40
    assert plan(request_of(method="random", budget="10%")).budget_chunks == 18


def test_a_method_that_reads_no_embeddings_embeds_what_the_target_and_the_report_need(request_of, monkeypatch):
    assert SAMPLE > 180
    monkeypatch.setattr("gotd_jax.tool.stage_costs.SAMPLE", 60)
    monkeypatch.setattr("gotd_jax.tool.stage_costs.REPORT_ROWS", 50)
    fields = {"dsir": {"options": {"buckets": 50}}, "dapt": {"home": ("law",)}, "tapt_c": {}}
    for method, texts in (("dsir", 150), ("dapt", 150), ("tapt_c", 220)):
        planned = plan(request_of(method=method, **fields[method]))
        assert planned.stages[2].disk_bytes == texts * 32 * 4 and planned.stages[3].why == "measured on a sample"


def test_texts_beside_pool_and_target_are_embedded_too(planned, request_of, texts):
    beside = plan(request_of(reference=(f"{texts}/law.jsonl",)))
    assert [of.stages[2].disk_bytes for of in (planned, beside)] == [220 * 32 * 4, 280 * 32 * 4]


def test_what_the_selection_would_refuse_is_refused(request_of, subtests):
    cases = [
        ({"method": "best"}, "There is no method 'best'"),
        ({"method": "none"}, "The method none selects nothing"),
        ({"method": "loss_difference", "language_model": "nowhere/model"}, "nowhere/model"),
        ({"pool": ("nothing.jsonl",)}, "There is no file or folder nothing.jsonl"),
        ({"target": ("nothing.jsonl",)}, "There is no file or folder nothing.jsonl"),
        ({"leak_check": ("nothing.jsonl",)}, "There is no file or folder nothing.jsonl"),
        ({"text_field": "body"}, "has no field 'body'"),
        ({"target_text_field": "body"}, "has no field 'body'"),
        ({"domain_field": "kind"}, "has no field 'kind'"),
        ({"budget": "181"}, "The budget of 181 chunks exceeds the 180 of the pool"),
    ]
    for changes, message in cases:
        with subtests.test(changes=changes), pytest.raises(ValueError, match=message):
            plan(request_of(**changes))


def test_a_model_that_is_not_there_is_refused(request_of, tmp_path):
    with pytest.raises(ValueError, match=r"has no config\.json"):
        plan(request_of(model=str(tmp_path)))


def test_the_leak_check_is_timed_with_the_near_duplicates(request_of, texts):
    planned = plan(request_of(method="random", leak_check=(f"{texts}/test.jsonl",)))
    assert planned.stages[1].why.endswith("and the leak check")
