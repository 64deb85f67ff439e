"""What a selection's model reads is counted, and what it cannot read is not chosen as if it were alike."""

import json

import numpy as np
import pytest

from gotd_jax import tool
from gotd_jax.tool import model_reading
from tests.models.helpers import edit_json
from tests.models.sentence_models import TYPES, sentence_model

ETHIOPIC = np.array([chr(code) for code in range(0x1200, 0x1248)])


def unknown(words):
    """Returns a text like no other in which every word is the same unknown token."""
    return " ".join("".join(word) for word in np.random.default_rng(words).choice(ETHIOPIC, (words, 4)))


UNKNOWN = [unknown(words) for words in range(3, 33)]


@pytest.fixture(scope="module")
def food(texts):
    return [json.loads(line)["text"] for line in (texts / "food.jsonl").read_text().splitlines()]


def test_texts_that_the_tokeniser_does_not_know_are_counted_and_left_out(asked, food, lines, tmp_path):
    pool = lines(tmp_path / "pool.jsonl", [*food[:30], *UNKNOWN, UNKNOWN[0]])
    target = lines(tmp_path / "target.jsonl", [*food[30:], *UNKNOWN[:2]])
    chosen = tool.select(asked(pool=str(pool), target=str(target), budget="20"), tmp_path / "chosen")
    counts = chosen.manifest["pool"]
    assert [counts[name] for name in ("pool", "candidates", "unreadable", "near_duplicates")] == [61, 30, 31, 0]
    assert chosen.pool["status"].to_pylist() == 30 * ["candidate"] + 31 * ["unreadable"]
    assert np.isnan(chosen.values()[30:]).all() and np.isfinite(chosen.values()[:30]).all()
    assert chosen.manifest["read"]["pool"]["pool"]["unreadable"] == 31
    assert chosen.manifest["read"]["targets"]["target"]["unreadable"] == 2
    assert chosen.manifest["targets"][0]["texts"] == 30  # the readable ones
    assert any("of the 61 chunks of the pool are unknown tokens" in warning for warning in chosen.manifest["warnings"])
    assert not [fault for check in tool.verify(chosen) for fault in check.faults]
    report = (chosen.folder / "report.html").read_text()
    assert "What the model reads" in report and "31 of the pool were left out for that" in report
    assert "31 since the model knows next to none of their tokens" in (chosen.folder / "README.md").read_text()


def test_a_method_that_reads_no_embeddings_chooses_from_them_too(asked, food, lines, tmp_path, monkeypatch):
    monkeypatch.setattr(model_reading, "SAMPLE", 10)
    pool = lines(tmp_path / "pool.jsonl", [*food[:30], *UNKNOWN])
    chosen = tool.select(asked(pool=str(pool), budget="50", method="random"), tmp_path / "chosen")
    assert chosen.manifest["pool"]["candidates"] == 60 and chosen.manifest["read"]["looked_at"] == 10


def test_a_target_of_which_nothing_can_be_read_is_refused(asked, lines, tmp_path):
    target = lines(tmp_path / "target.jsonl", UNKNOWN)
    with pytest.raises(ValueError, match="No text of the target target can be read by"):
        tool.select(asked(target=str(target)), tmp_path / "chosen")
    assert not (tmp_path / "chosen").exists()


def test_a_pool_of_which_nothing_can_be_read_is_refused(asked, lines, tmp_path):
    pool = lines(tmp_path / "pool.jsonl", UNKNOWN)
    with pytest.raises(ValueError, match="None of the 30 chunks of the pool can be chosen: 0 hold text that is tested on"):
        tool.select(asked(pool=str(pool), budget="5"), tmp_path / "chosen")


def test_chunks_that_are_read_in_part_are_counted_by_domain_and_warned_of(asked, food, lines, tmp_path):
    long = [f"{text} {text}" for text in food[:20]]
    pool = [f"long={lines(tmp_path / 'long.jsonl', long)}", f"short={lines(tmp_path / 'short.jsonl', food[20:])}"]
    chosen = tool.select(asked(pool=pool, budget="5"), tmp_path / "chosen")
    read = chosen.manifest["read"]
    assert read["max_length"] == 32 and read["looked_at"] == 60
    assert [read["pool"][name]["read_in_part"] for name in ("long", "short")] == [20, 0]
    assert read["pool"]["long"]["tokens_not_read"] == 20 * 30
    said = [warning for warning in chosen.manifest["warnings"] if "read in part" in warning]
    assert len(said) == 1 and said[0].startswith(
        "20 of the 20 chunks of the pool from long are read in part: the model reads 32"
    )
    assert said[0].split(":")[0] in (chosen.folder / "report.html").read_text()


def test_many_domains_are_warned_of_in_few_sentences():
    counts = {"texts": 9, "read_in_part": 9, "tokens": 90, "tokens_not_read": 9, "unknown_tokens": 0, "mostly_unknown": 0}
    said = model_reading.warnings({f"domain{place}": counts for place in range(50)}, {}, 32)
    assert len(said) == model_reading.LISTED + 1 and said[-1].startswith("44 more such warnings")


def test_a_selection_follows_the_models_folder_and_says_what_it_did(asked, tiny_model, tmp_path):
    types = (*TYPES, "sentence_transformers.models.Normalize")
    folder = sentence_model(tiny_model, tmp_path / "model", types=types)
    edit_json(folder / "1_Pooling/config.json", pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    chosen = tool.select(asked(model=str(folder), max_length=None), tmp_path / "chosen")
    made = {name: chosen.manifest["model"][name] for name in ("pooling", "normalise", "max_length", "prompt", "dtype")}
    assert made == {"pooling": "cls", "normalise": "unit", "max_length": 64, "prompt": "", "dtype": "float32"}
    np.testing.assert_allclose(np.linalg.norm(np.load(chosen.folder / "embeddings.npy"), axis=1), 1, atol=1e-5)
    asked_otherwise = asked(model=str(folder), pooling="mean", normalise="none", embedding_dtype="float16")
    other = tool.select(asked_otherwise, tmp_path / "other", work=tmp_path / "chosen.work")
    assert [other.manifest["model"][name] for name in ("pooling", "normalise", "max_length")] == ["mean", "none", 32]
    assert np.linalg.norm(np.load(other.folder / "embeddings.npy"), axis=1).max() > 2
    kept = [np.load(path, mmap_mode="r").dtype for path in (tmp_path / "chosen.work").glob("embeddings/*/embeddings.npy")]
    assert {str(dtype) for dtype in kept} == {"float16", "float32"}


def test_a_folder_that_asks_for_more_is_refused_before_texts_are_read(asked, tiny_model, tmp_path):
    folder = sentence_model(tiny_model, tmp_path / "model", types=(*TYPES, "sentence_transformers.models.Dense"))
    with pytest.raises(ValueError, match=r"Transformer, Pooling, Dense; the supported modules"):
        tool.select(asked(model=str(folder)), tmp_path / "chosen")
    assert not (tmp_path / "chosen.work").exists()
    with pytest.raises(ValueError, match="Dense"):
        tool.plan(asked(model=str(folder)))
    with pytest.raises(ValueError, match="There is no pooling 'max'"):
        tool.select(asked(pooling="max"), tmp_path / "chosen")
