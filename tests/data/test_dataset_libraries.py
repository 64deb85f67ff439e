"""Other libraries' datasets: Hugging Face's and TensorFlow's."""

import numpy as np
import pytest

from gotd_jax.data import readers
from gotd_jax.data.readers import describe, read
from tests.data.files import TEXTS, refused, write_parquet


@pytest.fixture
def dataset():
    import datasets

    rows = [{"text": text, "number": number, "meta": {"key": f"k{number}"}} for number, text in enumerate(TEXTS)]
    return datasets.Dataset.from_list(rows)


def test_saved_dataset_is_read_in_its_order(tmp_path, dataset):
    dataset.save_to_disk(tmp_path / "saved")
    corpus = read(tmp_path / "saved")
    assert corpus.texts() == TEXTS
    assert corpus.ids == [f"saved:{row}" for row in range(1, 6)]
    dataset.select([4, 0]).save_to_disk(tmp_path / "chosen", num_shards=2)
    assert read(tmp_path / "chosen", id_field="meta.key").ids == ["k4", "k0"]


def test_split_of_a_saved_dataset_is_named(tmp_path, dataset):
    import datasets

    folder = tmp_path / "saved"
    datasets.DatasetDict({"train": dataset, "test": dataset.select([1])}).save_to_disk(folder)
    assert read(f"{folder}:test").texts() == TEXTS[1:2]
    names = {entry[0].removeprefix(f"{folder}/") for entry in describe(f"{folder}:test")}
    assert names == {"test/state.json", "test/dataset_info.json", "test/data-00000-of-00001.arrow"}
    assert read(f"{folder}:train").ids[0] == "saved:train:1"
    with refused("has the splits train, test"):
        read(folder)
    with refused("has the splits train, test"):
        read(f"{folder}:dev")
    datasets.DatasetDict({"all": dataset}).save_to_disk(tmp_path / "single")
    assert read(tmp_path / "single").texts() == TEXTS
    with refused("has the splits all"):
        read(f"{tmp_path / 'single'}:dev")


def test_an_empty_split_of_a_saved_dataset_hides_none_of_the_others(tmp_path, dataset):
    import datasets

    folder = tmp_path / "saved"
    datasets.DatasetDict({"train": dataset, "none": dataset.select([])}).save_to_disk(folder)
    assert read(f"{folder}:train").texts() == TEXTS
    with refused("saved:none is empty"):
        read(f"{folder}:none")
    with refused("has the splits train, none. Name one of them"):
        read(folder)


def test_saved_dataset_that_was_shuffled_and_filtered_is_read_as_datasets_reads_it(tmp_path):
    import datasets

    features = datasets.Features({"text": datasets.Value("large_string"), "kind": datasets.ClassLabel(names=["law", "sea"])})
    rows = {"text": [f"text {number}" for number in range(20)], "kind": [number % 2 for number in range(20)]}
    dataset = datasets.Dataset.from_dict(rows, features=features).shuffle(seed=3).filter(lambda row: row["kind"] == 1)
    dataset.save_to_disk(tmp_path / "saved", num_shards=2)
    corpus = read(tmp_path / "saved", domain_field="kind")
    assert corpus.texts() == dataset["text"][:] and len(corpus) == 10
    assert set(corpus.domains) == {"1"}


def test_saved_dataset_whose_description_is_damaged_is_told(tmp_path, dataset):
    import datasets

    folder = tmp_path / "saved"
    datasets.DatasetDict({"train": dataset}).save_to_disk(folder)
    (folder / "train" / "state.json").write_text("{}")
    with refused("saved/train cannot be read as a saved dataset"):
        read(folder)
    (folder / "dataset_dict.json").write_text("[]")
    with refused("dataset_dict.json does not name the splits"):
        read(folder)


def test_faults_of_a_saved_dataset_are_told(tmp_path, dataset, monkeypatch):
    folder = tmp_path / "saved"
    dataset.save_to_disk(folder)
    with refused("no field 'body'; its fields: text, number, meta"):
        read(folder, text_field="body")
    with refused("type int in the field 'number'"):
        read(folder, text_field="number")
    with refused("Leave off ':train'"):
        read(f"{folder}:train")
    monkeypatch.chdir(folder)
    with refused("There is no file or folder missing"):
        read("missing")
    next(folder.glob("*.arrow")).unlink()
    with refused("cannot be read as a saved dataset"):
        read(folder)


def test_dataset_repository_is_read_by_the_hub_reader(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    folder = tmp_path / "repository"
    folder.mkdir()
    write_parquet(folder / "train.parquet", text=TEXTS)
    assert read(f"hf:{folder}:train").ids == [f"repository:train:{row}" for row in range(1, 6)]
    assert read(f"hf:{folder}:train[:2]").texts() == TEXTS[:2]
    assert describe(f"hf:{folder}:train") == describe(folder / "train.parquet")
    with refused("dev.* cannot be loaded"):
        read(f"hf:{folder}:dev")
    with refused("names no split"):
        read(f"hf:{folder}")


def test_hub_out_of_reach_is_told(monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with refused(r"hf:owner/name/part:train cannot be loaded \(.*owner/name.*\)\. There is no network.*folder"):
        read("hf:owner/name/part:train")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Returns a function that prepares a small TensorFlow dataset in a file format and returns its folder."""
    import tensorflow_datasets as tfds

    class TinyTexts(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {"text": tfds.features.Text(), "key": np.int64, "label": tfds.features.ClassLabel(names=["a", "b"])}
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, manager):
            return {"train": self._generate_examples(len(TEXTS)), "test": self._generate_examples(2)}

        def _generate_examples(self, count):
            for number in range(count):
                yield number, {"text": TEXTS[number], "key": number, "label": number % 2}

    def prepare(file_format: str):
        builder = TinyTexts(data_dir=tmp_path_factory.mktemp(file_format), file_format=file_format)
        builder.download_and_prepare()
        return builder.data_path

    tfds.disable_progress_bar()
    return prepare


@pytest.fixture(scope="module")
def tensorflow_folder(prepared):
    return prepared("array_record")


def test_prepared_tensorflow_dataset_is_read_without_tensorflow(tensorflow_folder, monkeypatch):
    monkeypatch.setitem(readers.dataset_libraries.__dict__, "ROWS_PER_READ", 2)
    corpus = read(f"tfds:{tensorflow_folder}:train", id_field="key")
    assert sorted(zip(corpus.ids, corpus.texts())) == [(str(number), text) for number, text in enumerate(TEXTS)]
    assert read(f"tfds:{tensorflow_folder}:train").ids == [f"tiny_texts/1.0.0:train:{row}" for row in range(1, 6)]
    assert read(f"tfds:{tensorflow_folder}:train[:2]").texts() == corpus.texts()[:2]
    assert sorted(read(f"tfds:{tensorflow_folder}:test").texts()) == sorted(TEXTS[:2])


def test_faults_of_a_tensorflow_dataset_are_told(tensorflow_folder, prepared, tmp_path, monkeypatch):
    with refused("splits: train, test"):
        read(f"tfds:{tensorflow_folder}:dev")
    with refused("names no split"):
        read(f"tfds:{tensorflow_folder}")
    with refused("no field 'body'; its fields: .*label"):
        read(f"tfds:{tensorflow_folder}:train", text_field="body")
    with refused("type int in the field 'label'"):
        read(f"tfds:{tensorflow_folder}:train", text_field="label")
    with refused("is a prepared TensorFlow dataset. Write it as tfds:"):
        read(tensorflow_folder)
    with refused("prepared as parquet.*array_record"):
        read(f"tfds:{prepared('parquet')}:train")
    with refused("not the folder of a prepared TensorFlow dataset"):
        read(f"tfds:{tmp_path}:train")


def test_named_tensorflow_dataset_that_is_unknown_or_unprepared_is_told(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    with refused("names like it: .*glue"):
        read("tfds:gluee/cola:train")
    with refused("glue has the configurations cola, .*rte"):
        read("tfds:glue/nonsense:train")
    with refused("tfds:glue/cola is not prepared in .*tfds build glue/cola --file_format=array_record"):
        read("tfds:glue/cola:train")
