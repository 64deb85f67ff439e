import json
import re

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest

from gotd_jax import tool
from gotd_jax.data.readers import read
from gotd_jax.data.tokens import count_tokens, load_tokenizer
from gotd_jax.files import read_json


def rows_of(chosen):
    return chosen.table.to_pylist()


def test_the_chosen_text_is_the_targets_kind_best_first(chosen):
    rows = rows_of(chosen)
    assert [row["rank"] for row in rows] == list(range(20))
    assert all(row["id"].startswith(row["domain"]) for row in rows)
    assert sum(row["domain"] == "food" for row in rows) >= 15  # a third of the pool
    values = [row["value"] for row in rows]
    assert values == sorted(values)


def test_parts_are_numbered_and_load_as_a_hugging_face_dataset(chosen, tmp_path):
    assert chosen.parts == ["part-00000-of-00002.jsonl", "part-00001-of-00002.jsonl"]
    loaded = datasets.load_dataset(str(chosen.folder), split="train", cache_dir=str(tmp_path))
    assert loaded["text"] == [row["text"] for row in rows_of(chosen)]


def test_two_selections_in_folders_of_one_name_load_as_their_own(chosen, asked, tmp_path):
    tool.select(asked(budget="7"), tmp_path / "chosen", work=f"{chosen.folder}.work")
    loaded = [
        datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache")).num_rows
        for folder in (chosen.folder, tmp_path / "chosen")
    ]
    assert loaded == [20, 7]


def test_parquet_holds_the_same_rows(chosen, asked, tmp_path):
    again = tool.select(asked(format="parquet"), tmp_path / "again", work=f"{chosen.folder}.work")
    assert again.parts == ["part-00000-of-00001.parquet"]
    assert rows_of(again) == rows_of(chosen)


def test_values_of_the_whole_pool_stand_in_its_order(chosen):
    values, pool = chosen.values(), chosen.pool.to_pylist()
    assert values.shape == (180,) and values.dtype == np.float32
    assert [pool[row["row"]]["id"] for row in rows_of(chosen)] == [row["id"] for row in rows_of(chosen)]
    assert [row["value"] for row in rows_of(chosen)] == pytest.approx(np.sort(values)[:20].tolist(), rel=1e-6)


def test_a_budget_of_tokens_is_exact_to_one_chunk(asked, tiny_model, tmp_path):
    chosen = tool.select(asked(budget="400-tokens", method="top_cosine"), tmp_path / "chosen")
    tokens = chosen.table["tokens"].to_pylist()
    texts = read([str(chosen.folder / name) for name in chosen.parts])
    assert tokens == count_tokens(load_tokenizer(tiny_model), texts).tolist()
    assert sum(tokens) <= 400 < sum(tokens) + max(tokens)


def test_a_finite_share_is_solved_for_as_many_chunks_as_are_chosen(asked, chosen, tmp_path):
    asking = asked(budget="600-tokens", options={"share": 0.5})
    made = tool.select(asking, tmp_path / "made", work=f"{chosen.folder}.work")
    (told,) = made.manifest["targets"]
    assert len(made) <= told["method"]["asked_for"] <= 1.02 * len(made) + 1
    assert not any(check.faults for check in tool.verify(made))


def test_several_targets_have_their_shares_and_no_chunk_twice(asked, texts, lines, tmp_path):
    rows = map(json.loads, (texts / "sea.jsonl").read_text().splitlines())
    sea = lines(tmp_path / "sea_task.jsonl", [row["text"][:60] for row in rows][:20])
    targets = (f"food={texts / 'train.jsonl'}", f"sea={sea}")
    chosen = tool.select(asked(target=targets, shares=(3, 1), budget="40"), tmp_path / "chosen")
    rows = rows_of(chosen)
    assert [sum(row["target"] == name for row in rows) for name in ("food", "sea")] == [30, 10]
    assert len({row["row"] for row in rows}) == 40
    assert {row["target"] for row in rows[:8]} == {"food", "sea"}  # they take turns
    assert sum(row["domain"] == "sea" for row in rows if row["target"] == "sea") >= 8
    assert chosen.values().shape == (180, 2)
    assert not any(check.faults for check in tool.verify(chosen))


@pytest.mark.parametrize("method", ["random", "dsir", "tapt_c", "crisp"])
def test_every_kind_of_method_leaves_a_selection_that_verifies(asked, chosen, method, tmp_path):
    made = tool.select(asked(method=method, budget="10%"), tmp_path / method, work=f"{chosen.folder}.work")
    assert len(made) == 18 and not any(check.faults for check in tool.verify(made))
    assert (made.values() is None) == (method == "random")
    assert made.explain(3)[0].share > 0


def test_a_method_that_embeds_nothing_embeds_a_small_pool_once_and_samples_of_a_large_one(asked, tmp_path, monkeypatch):
    def embedded(name):
        tool.select(asked(method="random", budget="10"), tmp_path / name)
        return sorted(read_json(path / "settings.json")["texts"] for path in (tmp_path / f"{name}.work/embeddings").iterdir())

    assert embedded("small") == [40, 180]  # target and pool
    monkeypatch.setattr("gotd_jax.tool.selecting.SAMPLE", 50)
    assert {10, 40, 50} < set(embedded("large"))  # the chosen ones, the target, a sample, and what the report draws


def test_a_text_that_the_target_repeats_is_served_once_by_all_its_copies(asked, lines, tmp_path):
    task = lines(tmp_path / "task.jsonl", ["bread and butter", "old oven", "bread and butter", "sugar in the stew"])
    served = tool.select(asked(target=str(task), budget="5"), tmp_path / "chosen").explain(0)
    assert sorted(text.id for text in served) == ["task.jsonl:1", "task.jsonl:2", "task.jsonl:4"]
    assert sum(text.share for text in served) == pytest.approx(1)


def test_what_a_method_reads_beside_the_target_is_named_with_it(asked, chosen, texts, tmp_path):
    work = f"{chosen.folder}.work"
    home = tool.select(asked(method="dapt", home=("sea", "law")), tmp_path / "home", work=work)
    assert set(home.table["domain"].to_pylist()) == {"sea", "law"}
    away = tool.select(asked(method="contrast", away=str(texts / "train.jsonl")), tmp_path / "away", work=work)
    assert away.table["domain"].to_pylist().count("food") <= 2  # as far from the texts about food as can be
    assert away.manifest["inputs"][-1]["side"] == "away"


def test_the_least_toxic_by_a_scorer_are_chosen(asked, chosen, lines, tmp_path):
    pool = lines(tmp_path / "pool.jsonl", ["you are a fucking idiot and an ugly bitch", "bread and butter", "a nice old oven"])
    asking = asked(pool=str(pool), method="rtp", scorer="lexicon", budget="2")
    clean = tool.select(asking, tmp_path / "clean")
    assert set(clean.table["text"].to_pylist()) == {"bread and butter", "a nice old oven"}
    assert clean.values()[0] > 0.5 and clean.manifest["scorer"]["name"] == "lexicon"
    assert not any(check.faults for check in tool.verify(clean))
    planned = next(stage for stage in tool.plan(asking).stages if stage.name == "select")
    assert "chunks/s are scored" in planned.why


@pytest.mark.slow
@pytest.mark.parametrize("model", ["tiny_decoder", "tiny_model"])
def test_what_a_language_model_predicts_better_for_having_read_the_target_is_chosen(asked, model, request, tmp_path):
    asking = asked(method="loss_difference", language_model=str(request.getfixturevalue(model)))
    made = tool.select(asking, tmp_path / "made")
    before, after = (np.load(path / "losses.npy") for path in sorted((tmp_path / "made.work" / "losses").iterdir()))
    np.testing.assert_array_equal(made.values(), after - before)
    assert made.table["value"].to_pylist() == sorted(after - before)[:20]
    assert made.manifest["language_model"]["name"] == asking.language_model
    assert not any(check.faults for check in tool.verify(made))


@pytest.mark.slow
def test_a_selection_by_losses_is_planned_and_made_again(asked, tiny_model, tmp_path):
    asking = asked(method="loss_difference", language_model=str(tiny_model))
    assert tool.replay(tool.select(asking, tmp_path / "made")) == []
    planned = next(stage for stage in tool.plan(asking).stages if stage.name == "select")
    assert "texts/s, before and after" in planned.why


@pytest.mark.slow
def test_a_target_shorter_than_a_block_still_teaches_a_decoder(asked, tiny_decoder, lines, tmp_path):
    task = lines(tmp_path / "task.jsonl", ["bread and butter", "old oven", "sugar in the stew"])
    made = tool.select(asked(target=str(task), method="loss_difference", language_model=str(tiny_decoder)), tmp_path / "made")
    values = made.values()
    assert np.isfinite(values).all() and len(np.unique(values)) > 100


def test_near_duplicates_share_one_place_and_texts_to_be_tested_on_are_refused(asked, texts, lines, tmp_path):
    food = [json.loads(line) for line in (texts / "food.jsonl").read_text().splitlines()]
    nearly = [{"id": f"near{i}", "text": row["text"] + " bread"} for i, row in enumerate(food[:5])]
    pool = lines(tmp_path / "pool.jsonl", [*food, *nearly])
    tested = lines(tmp_path / "tested.jsonl", [food[0]["text"], food[9]["text"]])
    chosen = tool.select(asked(pool=str(pool), budget="50", leak_check=str(tested)), tmp_path / "chosen")
    assert chosen.manifest["pool"] | {"fingerprint": None} == {
        "pool": 65, "candidates": 58, "leaking": 3, "unreadable": 0, "near_duplicates": 4, "domains": {"pool": 65},
            "fingerprint": None,
    }  # fmt: skip
    assert not {"food0", "food9", "near0"} & set(chosen.table["id"].to_pylist())
    values, pool = chosen.values(), chosen.pool.to_pylist()
    assert np.isnan(values[[0, 9, 60]]).all() and np.isfinite(np.delete(values, [0, 9, 60])).all()
    assert values[61] == values[1] and pool[61]["status"] == "near_duplicate" and pool[61]["first"] == 1


@pytest.mark.slow
def test_texts_of_the_target_that_lie_in_the_pool_are_counted_and_warned_of(asked, texts, lines, tmp_path):
    own = [json.loads(line)["text"] for line in (texts / "train.jsonl").read_text().splitlines()]
    pool = lines(tmp_path / "pool.jsonl", [f"so it is {text.upper()} and so" for text in own[:8]])
    sources = (*asked().pool, f"own={pool}")
    counts, said = {}, "8 of the 40 texts of the target .*lie in the pool themselves .20%"
    for name, fields in (("held", {}), ("refused", {"leak_check": f"{texts}/train.jsonl"})):
        request = asked(pool=sources, **fields)
        manifest = tool.select(request, tmp_path / name, work=tmp_path / "work").manifest
        counts[name] = manifest["targets"][0]["in_pool"]
        assert any(re.match(said, warning) for warning in manifest["warnings"]) == (name == "held")
        shown = (tmp_path / name / "report.html").read_text().partition("in the pool themselves</dt>")[2]
        assert shown.lstrip().startswith(f"<dd>{counts[name]}\n")
    assert counts == {"held": 8, "refused": 0}
    planned = tool.plan(asked(pool=sources))
    assert planned.in_pool == 8 and any(re.match(said, note) for note in planned.notes)
    assert "; 8 of the chunks read lie in the pool" in str(planned)
    assert tool.plan(asked()).in_pool == 0 and "themselves" not in str(tool.plan(asked()))


@pytest.mark.parametrize(
    "target, sentence",
    [
        (["bread and butter"] * 30, "30 times"),
        (["bread and butter", "old oven", "sugar in the stew"], "3 different texts"),
    ],
)
def test_a_target_that_can_hardly_carry_a_selection_is_warned_of(asked, lines, tmp_path, target, sentence):
    task = lines(tmp_path / "task.jsonl", target)
    chosen = tool.select(asked(target=str(task), budget="5"), tmp_path / "chosen")
    warnings = chosen.manifest["warnings"]
    assert any(sentence in warning for warning in warnings), warnings
    assert all(warning in (chosen.folder / "README.md").read_text() for warning in warnings)
    assert not any(check.faults for check in tool.verify(chosen))


@pytest.mark.parametrize(
    "fields, sentence",
    [
        ({"budget": "181"}, "The budget of 181 chunks exceeds the 180 candidates"),
        ({"budget": "1M-tokens"}, r"The budget of 1,000,000 tokens exceeds the [\d,]+ of the 180 candidates"),
        ({"budget": "3-tokens"}, "of the best chunk"),
        ({"method": "none"}, "The method none selects nothing"),
        ({"method": "rtp", "scorer": "nobody"}, "There is no toxicity scorer 'nobody'"),
        ({"method": "loss_difference", "language_model": "nowhere/model"}, "nowhere/model"),
        ({"method": "dapt", "home": "web"}, "The task's home is web, and the pool has no such domain. It has: sea, law, food"),
        ({"text_field": "body"}, "has no field 'body'"),
        ({"pool": "nowhere.jsonl"}, "There is no file or folder nowhere.jsonl"),
    ],
)
def test_what_cannot_be_met_leaves_nothing_and_says_why(asked, chosen, tmp_path, fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        tool.select(asked(**fields), tmp_path / "chosen", work=f"{chosen.folder}.work")
    assert list(tmp_path.iterdir()) == []


def test_tokens_beyond_the_pool_are_refused_before_anything_is_embedded(asked, tmp_path):
    with pytest.raises(ValueError, match="exceeds"):
        tool.select(asked(budget="1M-tokens"), tmp_path / "chosen")
    assert not (tmp_path / "chosen.work" / "embeddings").exists()


def test_a_folder_that_exists_is_not_written_over(chosen, asked):
    before = (chosen.folder / "manifest.json").read_bytes()
    with pytest.raises(ValueError, match=r"exists\. Name another folder"):
        tool.select(asked(), chosen.folder)
    assert (chosen.folder / "manifest.json").read_bytes() == before


def test_targets_lie_in_the_order_of_their_potentials(chosen, texts):
    targets = pq.read_table(chosen.folder / "targets.parquet")["text"].to_pylist()
    assert targets == [json.loads(line)["text"] for line in (texts / "train.jsonl").read_text().splitlines()]


def test_fewer_layers_are_read_where_asked_for(asked, chosen, tmp_path):
    made = tool.select(asked(layers=0), tmp_path / "chosen", work=f"{chosen.folder}.work")
    assert (made.manifest["model"]["layers"], chosen.manifest["model"]["layers"]) == (0, None)
    assert not np.array_equal(made.values(), chosen.values())
