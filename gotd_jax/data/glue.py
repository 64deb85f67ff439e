"""The GLUE tasks, from GLUE's own files as they are downloaded, or else from TensorFlow Datasets.

The evaluation split is GLUE's dev set, as in the paper's scripts: GLUE keeps the labels of its test sets to itself.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from gotd_jax.data import glue_tfds
from gotd_jax.data.labelled_examples import examples_of
from gotd_jax.data.tasks import Task

ENTAILMENT = ("entailment", "not_entailment")


@dataclasses.dataclass(frozen=True)
class GlueTask:
    """The form in which GLUE's files and TensorFlow Datasets keep a task.

    Attributes:
      folder: the task's folder inside GLUE's.
      metrics: the metric of the paper's Table 4 first.
      classes: in the order of the logits, GLUE's; () for regression.
      written: the classes as the files write them, where they write them differently.
      text: the column with the text: its name, or its position in files without a header.
      pair: the column with the second sentence, None where there is none.
      label: the column with the label.
      files: the names of the training and of the evaluation file.
      allow_broken: rows with too few columns are passed over, as is the custom for the files that have some.
      tfds: the configuration of `glue` and its evaluation split.
    """

    folder: str
    metrics: tuple[str, ...]
    classes: tuple[str, ...]
    tfds: tuple[str, str]
    written: tuple[str, ...] = ()
    text: str | int = "sentence1"
    pair: str | None = "sentence2"
    label: str | int = "label"
    files: tuple[str, str] = ("train.tsv", "dev.tsv")
    allow_broken: bool = False

    @property
    def kind(self) -> str:
        """'classification' or 'regression'."""
        return "classification" if self.classes else "regression"

    @property
    def test_split(self) -> str:
        """'dev', or which dev set."""
        return self.files[1].removesuffix(".tsv")


def _mnli(which: str) -> GlueTask:
    return GlueTask(
        folder="MNLI",
        metrics=("accuracy",),
        classes=("entailment", "neutral", "contradiction"),
        label="gold_label",
        files=("train.tsv", f"dev_{which}.tsv"),
        tfds=("mnli", f"validation_{which}"),
    )


GLUE = {
    "CoLA": GlueTask(
        folder="CoLA",
        metrics=("matthews",),
        classes=("unacceptable", "acceptable"),
        written=("0", "1"),
        text=3,
        pair=None,
        label=1,
        tfds=("cola", "validation"),
    ),
    "MNLI": _mnli("matched"),
    "MRPC": GlueTask(
        folder="MRPC",
        metrics=("accuracy", "f1"),
        classes=("not_equivalent", "equivalent"),
        written=("0", "1"),
        text="#1 String",
        pair="#2 String",
        label="Quality",
        tfds=("mrpc", "validation"),
    ),
    "QQP": GlueTask(
        folder="QQP",
        metrics=("accuracy", "f1"),
        classes=("not_duplicate", "duplicate"),
        written=("0", "1"),
        text="question1",
        pair="question2",
        label="is_duplicate",
        allow_broken=True,
        tfds=("qqp", "validation"),
    ),
    "RTE": GlueTask(folder="RTE", metrics=("accuracy",), classes=ENTAILMENT, tfds=("rte", "validation")),
    "SST-2": GlueTask(
        folder="SST-2",
        metrics=("accuracy",),
        classes=("negative", "positive"),
        written=("0", "1"),
        text="sentence",
        pair=None,
        tfds=("sst2", "validation"),
    ),
    # Table 4 does not say which correlation; the published script's library prints Pearson's first.
    "STS-B": GlueTask(folder="STS-B", metrics=("pearson", "spearman"), classes=(), label="score", tfds=("stsb", "validation")),
    "QNLI": GlueTask(
        folder="QNLI", metrics=("accuracy",), classes=ENTAILMENT, text="question", pair="sentence", tfds=("qnli", "validation")
    ),
    "WNLI": GlueTask(
        folder="WNLI",
        metrics=("accuracy",),
        classes=("not_entailment", "entailment"),
        written=("0", "1"),
        tfds=("wnli", "validation"),
    ),
    "MNLI-mm": _mnli("mismatched"),
}
TABLE_4 = ("CoLA", "MNLI", "MRPC", "QQP", "RTE", "SST-2", "STS-B", "QNLI")
MSR_FILES = ("msr_paraphrase_train.txt", "msr_paraphrase_test.txt")
DEV_IDS = "dev_ids.tsv"  # GLUE's dev set of MRPC: which pairs of the original training file it holds


def load(name: str, data_dir: str | os.PathLike | None = None) -> Task:
    """Returns a GLUE task: `train` is GLUE's, `test` is GLUE's dev set, and there is no validation split.

    MRPC may lie there in its original two files. With GLUE's `dev_ids.tsv` beside them its dev set is taken from the
    training file, as GLUE does; without, the original test file is the evaluation split, and `test_split` says 'msr test'.

    Args:
      name: one of `GLUE`.
      data_dir: GLUE's folder, with a folder a task. Where it is None or lacks the task, TensorFlow Datasets is asked.

    Raises:
      ValueError: there is no such task, or a file is faulty (the message says where).
      RuntimeError: the task is not in `data_dir`, and TensorFlow Datasets neither has it nor can download it.
    """
    if name not in GLUE:
        raise ValueError(f"There is no GLUE task {name!r}. There are: {', '.join(GLUE)}.")
    spec = GLUE[name]
    splits = None if data_dir is None else _files(spec, Path(data_dir).expanduser())
    if splits:
        train, test, test_split = splits
    else:
        looked = f"{Path(data_dir) / spec.folder} has no {' and '.join(spec.files)}" if data_dir else "no data_dir is given"
        glue_tfds.prepare(spec.tfds[0], f"{name} is not at hand: {looked}")
        train, test = (glue_tfds.records(spec.tfds[0], split, spec.classes) for split in ("train", spec.tfds[1]))
        test_split = spec.test_split
    train, test = (examples_of(records, kind=spec.kind, classes=spec.classes) for records in (train, test))
    return Task(name, spec.kind, spec.classes, spec.metrics, train, None, test, test_split)


def is_available(name: str, data_dir: str | os.PathLike | None = None) -> bool:
    """Returns whether `load` would find a task, without reading it: in `data_dir`, or prepared or to be downloaded."""
    spec = GLUE[name]
    lies_there = data_dir is not None and _files(spec, Path(data_dir).expanduser()) is not None
    return lies_there or glue_tfds.is_available(spec.tfds[0])


def available(data_dir: str | os.PathLike) -> list[str]:
    """Returns the names of the tasks whose files lie in `data_dir`, in the order of `GLUE`."""
    return [name for name, spec in GLUE.items() if _files(spec, Path(data_dir).expanduser())]


def _files(spec: GlueTask, root: Path) -> tuple[Iterator[dict], Iterator[dict], str] | None:
    """Returns (training records, evaluation records, name of the evaluation split), None where the files are not there."""
    train, test = (root / spec.folder / file for file in spec.files)
    if train.is_file() and test.is_file():
        return _records(train, spec), _records(test, spec), spec.test_split
    if spec.folder != "MRPC":
        return None
    train, test = (root / spec.folder / file for file in MSR_FILES)
    dev_ids = root / spec.folder / DEV_IDS
    if train.is_file() and dev_ids.is_file():
        held = {tuple(cells) for _, cells in _rows(dev_ids)}
        return _records(train, spec, without=held), _records(train, spec, only=held), "dev"
    if train.is_file() and test.is_file():
        return _records(train, spec), _records(test, spec), "msr test"
    return None


def _records(path: Path, spec: GlueTask, *, only: set | None = None, without: set = frozenset()) -> Iterator[dict]:
    rows = _rows(path)
    columns = {role: column for role, column in _columns(spec).items() if column is not None}
    if isinstance(spec.text, str):
        columns = _positions(columns, next(rows, (1, [""]))[1], path)
    names = dict(zip(spec.written or spec.classes, spec.classes))
    broken = total = 0
    for number, cells in rows:
        total += 1
        place = f"{path}:{number}"
        if len(cells) <= max(columns.values()):
            if not spec.allow_broken:
                raise _too_few(place, cells, columns)
            broken += 1
            continue
        label = cells[columns["label"]]
        pair_of_ids = tuple(cells[1:3])
        if pair_of_ids in without or (only is not None and pair_of_ids not in only):
            continue
        yield {
            "id": f"{path.stem}:{number}",
            "text": cells[columns["text"]],
            "pair": cells[columns["pair"]] if "pair" in columns else None,
            "label": names.get(label, label),
            "place": place,
        }
    if broken:
        logging.getLogger(__name__).warning("%s: %d of %d rows have too few columns and are left out.", path, broken, total)


def _columns(spec: GlueTask) -> dict[str, str | int | None]:
    return {"text": spec.text, "pair": spec.pair, "label": spec.label}


def _positions(columns: dict[str, str], header: list[str], path: Path) -> dict[str, int]:
    missing = [name for name in columns.values() if name not in header]
    if missing:
        raise ValueError(f"{path}:1 has the columns {', '.join(header)}, not {', '.join(missing)}. Put GLUE's own file there.")
    return {role: header.index(name) for role, name in columns.items()}


def _too_few(place: str, cells: list[str], columns: dict[str, int]) -> ValueError:
    return ValueError(f"{place} has {len(cells)} columns and needs {max(columns.values()) + 1}. Put GLUE's own file there.")


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yields (line number from 1, cells). A quotation mark is a character like any other: many sentences have but one."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{path}:{number} is not UTF-8 (byte {error.start + 1} of the line). Convert the file."
                ) from error
            text = text.rstrip("\r\n")
            if text:
                yield number, text.split("\t")
