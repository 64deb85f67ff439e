"""What a cell's stages are named after: one thing that they read is changed at a time, and only what reads it is made anew."""

import json
import shutil

import pytest

from experiments import cell, config_fields
from experiments.cell_data import CellData
from gotd_jax import models
from tests.experiments.test_cells import ending, made_in
from tests.experiments.test_detoxification import prompts_file


@pytest.fixture
def own(config, texts, tmp_path):
    """Returns the config of a cell whose files may be changed."""
    shutil.copytree(texts, tmp_path / "texts")
    config.pool.domains = {name: str(tmp_path / "texts" / f"{name}.jsonl") for name in ("sea", "law", "food")}
    config.task.train, config.task.test = (str(tmp_path / "texts" / f"{split}.jsonl") for split in ("train", "test"))
    config.method = "tapt_c"
    return config


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """Returns a workdir that tests share which begin with the same cell."""
    return tmp_path_factory.mktemp("stages")


def change_line(path, change, line=0):
    """Applies `change` to the record in a line of a file."""
    lines = path.read_text().splitlines()
    lines[line] = json.dumps(change(json.loads(lines[line])))
    path.write_text("\n".join(lines) + "\n")


def made_anew(config, workdir):
    """Returns the kinds of stages that a cell makes in a workdir, by the folders that they lie in."""
    before = set(workdir.glob("*/*/settings.json"))
    cell.run(config, workdir)
    return {path.parent.parent.name for path in set(workdir.glob("*/*/settings.json")) - before}


def said(value):
    """Returns a parameter as a test is named after it, the same in every process."""
    return ",".join(sorted(value)) if isinstance(value, set) else str(value)


def flipped(record):
    return record | {"label": 1 - record["label"]}


def reworded(record):
    return record | {"text": f"again {record['text']}"}


def renamed(record):
    return record | {"id": "another"}


# A target of other texts need not have other texts chosen for it.
TARGET, CHOSEN = {"embeddings", "selections", "scores"}, {"pre_finetuned"}
POOL = TARGET | CHOSEN | {"domains", "heads"}


@pytest.mark.parametrize(
    ("file", "change", "made"),
    [
        ("train", flipped, {"scores"}),
        ("train", reworded, TARGET),
        ("train", renamed, TARGET),
        ("test", flipped, {"scores"}),
        ("test", reworded, {"scores"}),
        ("test", renamed, {"scores"}),
        ("sea", reworded, POOL),
        ("sea", renamed, POOL),
    ],
)
def test_what_changes_in_a_file_makes_anew_what_reads_it_and_nothing_else(own, workdir, tmp_path, file, change, made):
    cell.run(own, workdir)  # made once for all of these tests
    shutil.copytree(workdir, tmp_path / "work")
    change_line(tmp_path / "texts" / f"{file}.jsonl", change)
    assert made_anew(own, tmp_path / "work") - CHOSEN == made - CHOSEN


def test_no_score_of_other_labels_comes_back(own, tmp_path):
    own.method, own.finetune.epochs, own.finetune.learning_rate = "none", 8, 1e-2
    before = cell.run(own, tmp_path / "work")["score"]
    for line in range(20):
        change_line(tmp_path / "texts" / "test.jsonl", flipped, line)
    after = cell.run(own, tmp_path / "work")["score"]
    assert before > 0.7 and after == pytest.approx(1 - before)


def test_files_that_only_lie_elsewhere_make_nothing_anew(own, tmp_path):
    cell.run(own, tmp_path / "work")
    for split in ("train", "test"):
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        own.task[split] = shutil.copy(own.task[split], tmp_path / "elsewhere")
    before = made_in(tmp_path / "work")
    cell.run(own, tmp_path / "work")
    assert made_in(tmp_path / "work") == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "made"),
    [
        ({"task.metrics": ("macro_f1",)}, {"scores"}),
        ({"task.kind": "regression"}, {"scores"}),
        ({"task.labels": 30}, TARGET),
        ({"task.tested": 12}, {"scores"}),
        ({"finetune.learning_rate": 1e-3}, {"scores"}),
        ({"finetune.choose": "best"}, {"scores"}),
        ({"pre_finetune.learning_rate": 1e-3}, {"pre_finetuned", "scores"}),
        ({"head.recipe.learning_rate": 1e-2}, {"heads", "pre_finetuned", "scores"}),
        ({"head.chunks": 16}, {"heads", "pre_finetuned", "scores"}),
        ({"compute_dtype": "bfloat16"}, {"heads", "pre_finetuned", "scores"}),
        ({"embed.max_length": 8}, {"embeddings", "selections"}),  # other texts may be chosen, or the same
        ({"embed.layers": 1}, {"embeddings", "selections"}),
        ({"budget": 12}, {"selections", "pre_finetuned", "scores"}),
        ({"method": "random"}, {"selections", "pre_finetuned", "scores"}),
        ({"pool.per_domain": 50}, POOL - {"domains"} | {"samples"}),
        ({"pool.characters": 60}, POOL),
        ({"keep_models": False}, set()),
        ({"protocol": ("a sentence",)}, set()),
        ({"task.name": "another"}, {"selections", "scores"}),  # which a person tells by it
        ({"detox.continuations": 7, "choices.most": 5}, set()),
    ],
    ids=said,
)
def test_what_changes_in_a_config_makes_anew_what_reads_it_and_nothing_else(config, workdir, tmp_path, change, made):
    config.method = "tapt_c"
    cell.run(config, workdir)
    shutil.copytree(workdir, tmp_path / "work")
    found = made_anew(config_fields.replaced(config, change), tmp_path / "work")
    assert made <= found <= made | ({"pre_finetuned", "scores"} if "selections" in made else set())


@pytest.mark.slow
def test_an_encoder_is_keyed_by_the_labels_that_it_is_trained_on_and_not_by_those_of_the_test(own, tmp_path):
    own.embed.finetuned = True
    cell.run(own, tmp_path / "work")
    change_line(tmp_path / "texts" / "test.jsonl", flipped)
    assert made_anew(own, tmp_path / "work") == {"scores"}
    change_line(tmp_path / "texts" / "train.jsonl", flipped)
    assert {"encoders", "embeddings", "selections", "scores"} <= made_anew(own, tmp_path / "work")


def test_a_model_of_other_weights_tokeniser_or_pooling_is_another(tiny_model, tmp_path):
    base = shutil.copytree(tiny_model, tmp_path / "base")
    kinds = {"Transformer": "", "Pooling": "1_Pooling"}
    modules = [{"type": f"sentence_transformers.models.{kind}", "path": path} for kind, path in kinds.items()]
    (base / "modules.json").write_text(json.dumps(modules))
    (base / "1_Pooling").mkdir()
    (base / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    found = {models.fingerprint_of(base)}
    for file in ("tokenizer.json", "generation_config.json", "1_Pooling/config.json", "config.json"):
        folder = tmp_path / file.replace("/", "-")
        shutil.copytree(base, folder)
        content = json.loads((folder / file).read_text()) if (folder / file).exists() else {}
        (folder / file).write_text(json.dumps(content | {"other": 1}))
        found.add(models.fingerprint_of(folder))
    assert len(found) == 5
    shutil.copytree(base, tmp_path / "same")
    assert models.fingerprint_of(tmp_path / "same") in found


def test_prompts_are_read_again_and_keyed_by_their_toxicity(config, tmp_path):
    file, config.evaluation = prompts_file(tmp_path / "prompts.jsonl"), "toxicity"
    config.detox.prompts_file, config.detox.prompts, config.detox.targets, config.detox.held_out = str(file), 20, 2, 6
    before, same = (ending(config, tmp_path / "work") for _ in range(2))
    assert before.settings() == same.settings()
    line = [json.loads(line)["prompt"]["text"] for line in file.read_text().splitlines()].index(before.prompts[0].text)
    change_line(file, lambda record: record | {"prompt": record["prompt"] | {"toxicity": 0.8}}, line)
    after = ending(config, tmp_path / "work")
    assert [one.text for one in before.prompts] == [other.text for other in after.prompts]
    assert before.settings()["prompts"] != after.settings()["prompts"]


def test_items_are_read_again_and_keyed_by_their_answers(config, tmp_path):
    (tmp_path / "ag").mkdir()
    rows = [{"text": f"news of {label} {number}", "label": label} for number in range(5) for label in "1234"]
    for split in ("train", "dev", "test"):
        (tmp_path / "ag" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config.evaluation, config.task.name, config.data_dir = "choices", "ag_news", str(tmp_path)
    before = ending(config, tmp_path / "work").settings()
    assert ending(config, tmp_path / "work").settings() == before
    change_line(tmp_path / "ag" / "test.jsonl", lambda record: record | {"label": "2"})
    assert ending(config, tmp_path / "work").settings() != before


def test_domains_of_equal_texts_are_told_apart(own, tmp_path):
    pool = CellData(own, tmp_path / "work").pool
    own.pool.domains = {{"sea": "ocean"}.get(name, name): path for name, path in own.pool.domains.items()}
    other = CellData(own, tmp_path / "work").pool
    assert sorted(pool.ids) == sorted(other.ids)
    assert {"ocean"} == set(other.count_domains()) - set(pool.count_domains())
    assert pool.fingerprint_with_domains != other.fingerprint_with_domains
