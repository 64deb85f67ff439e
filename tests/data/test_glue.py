import zipfile

import numpy as np
import pytest

from gotd_jax.data import glue, glue_tfds

FILES = {
    "CoLA/train.tsv": 'gj04\t1\t\tHe left.\ngj04\t0\t*\tHim "left.\n',
    "CoLA/dev.tsv": "gj04\t0\t*\tLeft he\n",
    "RTE/train.tsv": "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n1\tc\td\tnot_entailment\n",
    "RTE/dev.tsv": "index\tsentence1\tsentence2\tlabel\n0\te\tf\tnot_entailment\n",
    "STS-B/train.tsv": "index\tgenre\tsentence1\tsentence2\tscore\n0\tx\ta\tb\t2.500\n1\tx\tc\td\t0.2\n",
    "STS-B/dev.tsv": "index\tgenre\tsentence1\tsentence2\tscore\n0\tx\te\tf\t5.000\n",
    "MRPC/msr_paraphrase_train.txt": '\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\ta "quoted\tb\n0\t3\t4\tc\td\n',
    "MRPC/msr_paraphrase_test.txt": "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\te\tf\n",
    "MNLI/train.tsv": "sentence1\tsentence2\tgold_label\na\tb\tneutral\nc\td\t-\n",
    "MNLI/dev_matched.tsv": "sentence1\tsentence2\tgold_label\na\tb\tcontradiction\n",
    "QQP/train.tsv": "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t1\t2\ta\tb\t1\n2\t3\tbroken\n3\t1\t2\tc\td\t0\n",
    "QQP/dev.tsv": "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t1\t2\ta\tb\t1\n",
}


@pytest.fixture
def data_dir(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path


def test_tasks_at_hand_are_listed(data_dir):
    assert glue.available(data_dir) == ["cola", "mnli", "mrpc", "qqp", "rte", "stsb"]


def test_cola_has_no_header_and_quotes_are_characters(data_dir):
    task = glue.load("cola", data_dir)
    assert task.train.corpus.texts() == ["He left.", 'Him "left.']
    assert task.train.labels.tolist() == [1, 0]
    assert task.metrics[0] == "matthews"
    assert task.test_split == "dev"


def test_pairs_and_named_labels_are_read(data_dir):
    task = glue.load("rte", data_dir)
    assert (task.train.corpus.texts(), task.train.corpus.pairs()) == (["a", "c"], ["b", "d"])
    assert task.train.labels.tolist() == [0, 1]


def test_real_valued_labels_make_a_regression(data_dir):
    task = glue.load("stsb", data_dir)
    assert task.kind == "regression"
    np.testing.assert_allclose(task.train.labels, [2.5, 0.2])


def test_original_mrpc_files_serve_and_say_that_they_are_a_test_split(data_dir):
    task = glue.load("mrpc", data_dir)
    assert task.train.corpus.texts() == ['a "quoted', "c"]
    assert task.test_split == "test"


def test_rows_without_agreement_and_known_broken_rows_are_left_out(data_dir):
    assert len(glue.load("mnli", data_dir).train) == 1
    assert glue.load("qqp", data_dir).train.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("CoLA/train.tsv", b"gj04\t1\t\tfine\ngj04\t1\n", r"train\.tsv:2 has 2 columns"),
        ("CoLA/train.tsv", b"gj04\t7\t\tfine\n", "the label '7', which the task does not have. Its labels are: 0, 1"),
        ("CoLA/train.tsv", b"gj04\t1\t\tcaf\xe9\n", "not UTF-8 text: byte 11"),
        ("RTE/train.tsv", b"index\ta\tb\tlabel\n", "no column 'sentence1'; it has: index, a, b, label"),
    ],
)
def test_damaged_files_are_refused_with_their_place(data_dir, name, content, message):
    (data_dir / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        glue.load({"CoLA": "cola", "RTE": "rte"}[name.split("/")[0]], data_dir)


def test_unknown_task_lists_what_exists():
    with pytest.raises(ValueError, match=r"no GLUE task 'glow'\. There are: cola, mnli"):
        glue.load("glow")


@pytest.mark.parametrize(("name", "folder"), [("cola", "CoLA"), ("rte", "RTE"), ("stsb", "STS-B")])
def test_tensorflow_datasets_gives_the_same_task_as_the_folder(data_dir, tmp_path, monkeypatch, name, folder):
    """Its download is replaced by a zip on disk; all else, from its parser to its files and back, is its own."""
    from tensorflow_datasets.core.download import DownloadManager

    (data_dir / folder / "test.tsv").write_text(hidden_split_of(data_dir / folder / "dev.tsv", name))
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in (data_dir / folder).iterdir():
            opened.write(path, f"{folder}/{path.name}")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setattr(DownloadManager, "download", lambda self, url: archive)
    monkeypatch.setattr(glue_tfds.socket, "getaddrinfo", lambda *address: [])
    theirs, ours = glue.load(name), glue.load(name, data_dir)
    for split in ("train", "test"):
        their, our = getattr(theirs, split), getattr(ours, split)
        assert sorted(zip(their.corpus.texts(), their.corpus.pairs(), their.labels.tolist())) == sorted(
            zip(our.corpus.texts(), our.corpus.pairs(), our.labels.tolist())
        )


def hidden_split_of(path, name):
    lines = path.read_text().splitlines()
    return "index\tsentence\n0\tx\n" if name == "cola" else "\n".join(line.rpartition("\t")[0] for line in lines) + "\n"


def test_task_that_cannot_be_downloaded_says_what_to_do(tmp_path, monkeypatch):
    def unreachable(*_):
        raise OSError("no network")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setattr(glue_tfds.socket, "getaddrinfo", unreachable)
    with pytest.raises(ValueError, match=r"qnli is not at hand \(.*QNLI\).*name it with --config.data_dir"):
        glue.load("qnli", tmp_path)
