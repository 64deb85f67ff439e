import functools
import http.server
import threading
import zipfile

import pytest

from gotd_jax.data import glue, glue_tfds
from gotd_jax.evaluation.metrics import METRICS

MSR = "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
QQP = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
FILES = {
    "CoLA/train.tsv": 'gj04\t1\t\tHe left.\ngj04\t0\t*\tHim "left.\n',
    "CoLA/dev.tsv": "gj04\t0\t*\tLeft he\n",
    "SST-2/train.tsv": "sentence\tlabel\r\na fine film\t1\r\n",
    "SST-2/dev.tsv": "sentence\tlabel\na bad one\t0\n",
    "RTE/train.tsv": "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n1\tc\td\tnot_entailment\n",
    "RTE/dev.tsv": "index\tsentence1\tsentence2\tlabel\n0\te\tf\tnot_entailment\n",
    "STS-B/train.tsv": "index\tgenre\tsentence1\tsentence2\tscore\n0\tx\ta\tb\t2.500\n1\tx\tc\td\t0.25\n",
    "STS-B/dev.tsv": "index\tgenre\tsentence1\tsentence2\tscore\n0\tx\te\tf\t5.000\n",
    "MRPC/msr_paraphrase_train.txt": MSR + '1\t1\t2\ta "quoted\tb\n0\t3\t4\tc\td\n',
    "MRPC/msr_paraphrase_test.txt": MSR + "1\t1\t2\te\tf\n",
    "MNLI/train.tsv": "index\tsentence1\tsentence2\tgold_label\n0\ta\tb\tneutral\n1\tc\td\t-\n",
    "MNLI/dev_matched.tsv": "index\tsentence1\tsentence2\tlabel1\tgold_label\n0\ta\tb\tneutral\tcontradiction\n",
    "MNLI/dev_mismatched.tsv": "index\tsentence1\tsentence2\tlabel1\tgold_label\n0\tm\tm\tneutral\tentailment\n",
    "QQP/train.tsv": QQP + "1\t1\t2\ta\tb\t1\n2\t3\tbroken\n3\t1\t2\tc\td\t0\n",
    "QQP/dev.tsv": QQP + "1\t1\t2\ta\tb\t1\n",
    "QNLI/train.tsv": "index\tquestion\tsentence\tlabel\n0\twho?\tme\tentailment\n",
    "QNLI/dev.tsv": "index\tquestion\tsentence\tlabel\n0\twho?\tyou\tnot_entailment\n",
    "WNLI/train.tsv": "index\tsentence1\tsentence2\tlabel\n0\ta\tb\t1\n",
    "WNLI/dev.tsv": "index\tsentence1\tsentence2\tlabel\n0\ta\tc\t0\n",
}


@pytest.fixture
def data_dir(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / "glue" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content.encode())
    return tmp_path / "glue"


def test_tasks_whose_files_are_there_are_available(data_dir, tmp_path):
    assert glue.available(data_dir) == list(glue.GLUE)
    (data_dir / "MNLI" / "dev_matched.tsv").unlink()
    (data_dir / "RTE" / "dev.tsv").unlink()
    assert sorted(set(glue.GLUE) - set(glue.available(data_dir))) == ["MNLI", "RTE"]
    assert glue.available(tmp_path / "none") == []


def test_every_task_loads_without_a_validation_split_and_with_metrics_that_exist(data_dir, subtests):
    for name in glue.GLUE:
        with subtests.test(name=name):
            task = glue.load(name, data_dir)
            assert task.name == name
            assert task.validation is None
            assert len(task.train) > 0 < len(task.test)
            assert set(task.metrics) <= set(METRICS)
            assert task.test_split.startswith("dev") or name == "MRPC"


def test_the_tasks_of_table_4_exist_with_its_metrics():
    first = {name: glue.GLUE[name].metrics[0] for name in glue.TABLE_4}
    assert len(first) == 8
    assert first.pop("CoLA") == "matthews"
    assert first.pop("STS-B") == "pearson"
    assert set(first.values()) == {"accuracy"}


def test_cola_has_no_header_and_a_quotation_mark_is_a_character(data_dir):
    task = glue.load("CoLA", data_dir)
    assert task.train.corpus.texts() == ["He left.", 'Him "left.']
    assert task.train.labels.tolist() == [1, 0]
    assert task.classes == ("unacceptable", "acceptable")


def test_line_ends_of_either_kind_are_no_part_of_a_label(data_dir):
    assert glue.load("SST-2", data_dir).train.labels.tolist() == [1]


def test_pairs_and_named_labels_are_read_by_their_columns(data_dir):
    task = glue.load("RTE", data_dir)
    assert (task.train.corpus.texts(), task.train.corpus.pairs()) == (["a", "c"], ["b", "d"])
    assert task.train.labels.tolist() == [0, 1]
    assert glue.load("QNLI", data_dir).train.corpus.pairs() == ["me"]


def test_sts_b_is_a_regression(data_dir):
    task = glue.load("STS-B", data_dir)
    assert (task.kind, task.outputs) == ("regression", 1)
    assert task.train.labels.tolist() == [2.5, 0.25]


def test_mnli_has_two_dev_sets_and_rows_without_agreement_are_passed_over(data_dir):
    matched, mismatched = glue.load("MNLI", data_dir), glue.load("MNLI-mm", data_dir)
    assert matched.train.labels.tolist() == mismatched.train.labels.tolist() == [1]
    assert (matched.test_split, matched.test.labels.tolist()) == ("dev_matched", [2])
    assert (mismatched.test_split, mismatched.test.labels.tolist()) == ("dev_mismatched", [0])


def test_broken_rows_of_qqp_are_left_out_and_counted(data_dir, caplog):
    task = glue.load("QQP", data_dir)
    assert task.train.labels.tolist() == [1, 0]
    assert "1 of 3 rows have too few columns" in caplog.text


def test_original_mrpc_is_evaluated_on_its_test_file_and_says_so(data_dir):
    task = glue.load("MRPC", data_dir)
    assert task.train.corpus.texts() == ['a "quoted', "c"]
    assert (task.test.corpus.texts(), task.test_split) == (["e"], "msr test")


def test_original_mrpc_with_glues_list_is_evaluated_on_glues_dev_set(data_dir):
    (data_dir / "MRPC" / "dev_ids.tsv").write_text("3\t4\n")
    task = glue.load("MRPC", data_dir)
    assert (task.train.corpus.texts(), task.test.corpus.texts(), task.test_split) == (['a "quoted'], ["c"], "dev")


def test_glues_own_mrpc_files_come_first(data_dir):
    (data_dir / "MRPC" / "train.tsv").write_text(MSR + "1\t1\t2\tglue\tb\n", encoding="utf-8")
    (data_dir / "MRPC" / "dev.tsv").write_text(MSR + "1\t1\t2\tdev\tb\n", encoding="utf-8")
    task = glue.load("MRPC", data_dir)
    assert (task.train.corpus.texts(), task.test.corpus.texts(), task.test_split) == (["glue"], ["dev"], "dev")


@pytest.mark.parametrize(
    ("name", "file", "content", "message"),
    [
        ("CoLA", "train.tsv", b"gj04\t1\t\tfine\ngj04\t1\n", r"train\.tsv:2 has 2 columns and needs 4"),
        (
            "CoLA",
            "dev.tsv",
            b"gj04\t7\t\tfine\n",
            r"dev\.tsv:1 has '7', a label the task does not have; .*unacceptable, acceptable",
        ),
        ("CoLA", "train.tsv", b"gj04\t1\t\tok\ngj04\t1\t\tcaf\xe9\n", r"train\.tsv:2 is not UTF-8 \(byte 12 of the line\)"),
        (
            "RTE",
            "train.tsv",
            b"index\ta\tb\tlabel\n0\ta\tb\tentailment\n",
            r"train\.tsv:1 has the columns index, a, b, label, not sentence1",
        ),
        (
            "STS-B",
            "dev.tsv",
            b"sentence1\tsentence2\tscore\na\tb\tgood\n",
            r"dev\.tsv:2 has the label 'good', not a finite number",
        ),
        ("RTE", "dev.tsv", b"", r"dev\.tsv:1 has the columns , not sentence1"),
    ],
)
def test_damaged_files_are_refused_with_their_place(data_dir, name, file, content, message):
    (data_dir / name / file).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        glue.load(name, data_dir)


def test_an_unknown_task_lists_what_exists():
    with pytest.raises(ValueError, match=r"no GLUE task 'glow'\. There are: CoLA, MNLI"):
        glue.load("glow")


@pytest.fixture
def downloads(tmp_path, monkeypatch):
    """Returns the folder behind a server on this machine, which stands where GLUE's files are downloaded from."""
    folder = tmp_path / "downloads"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(glue_tfds, "HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield folder
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["CoLA", "RTE", "STS-B"])
def test_tensorflow_datasets_downloads_and_gives_the_same_task_as_the_folder(data_dir, downloads, monkeypatch, name):
    from tensorflow_datasets.text.glue import Glue

    write_hidden_split(data_dir / name)
    with zipfile.ZipFile(downloads / f"{name}.zip", "w") as archive:
        for path in (data_dir / name).iterdir():
            archive.write(path, f"{name}/{path.name}")
    config = Glue.builder_configs[glue.GLUE[name].tfds[0]]
    monkeypatch.setattr(config, "data_url", f"{glue_tfds.HOST}/{name}.zip")
    theirs, ours = glue.load(name), glue.load(name, data_dir)
    (downloads / f"{name}.zip").unlink()  # what was prepared once is not fetched again
    again = glue.load(name)
    for split in ("train", "test"):
        assert content(getattr(theirs, split)) == content(getattr(ours, split)) == content(getattr(again, split))
    assert (theirs.classes, theirs.test_split) == (ours.classes, "dev")
    hidden = glue_tfds.records(glue.GLUE[name].tfds[0], "test", glue.GLUE[name].classes)
    assert {record["label"] for record in hidden} == {-1.0}  # no class, and above all not the last one


def content(examples):
    return sorted(zip(examples.corpus.texts(), map(str, examples.corpus.pairs()), examples.labels.tolist()))


def write_hidden_split(folder):
    header, *rows = (folder / "dev.tsv").read_text().splitlines()
    unlabelled = [line.rpartition("\t")[0] for line in (header, *rows)]
    lines = ["index\tsentence", "0\tx"] if folder.name == "CoLA" else unlabelled
    (folder / "test.tsv").write_text("\n".join(lines) + "\n")


def test_a_task_that_is_nowhere_says_where_it_was_looked_for_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setattr(glue_tfds, "HOST", "http://127.0.0.1:9")  # the discard port: nothing answers
    with pytest.raises(RuntimeError, match=r"QNLI is not at hand: .*QNLI has no train\.tsv and dev\.tsv, .*Put GLUE's files"):
        glue.load("QNLI", tmp_path)
    with pytest.raises(RuntimeError, match=r"QNLI is not at hand: no data_dir is given"):
        glue.load("QNLI")
