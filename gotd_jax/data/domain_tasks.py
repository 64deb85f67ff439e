"""The eight tasks of Don't Stop Pretraining (Gururangan et al. 2020), and any other task in the same layout."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from gotd_jax.data.labelled_examples import load_files
from gotd_jax.data.tasks import Task

SPLITS = ("train", "dev", "test")


@dataclasses.dataclass(frozen=True)
class DomainTask:
    """Facts on a task that are not in its files.

    Attributes:
      title: as the paper's Table 2 prints it.
      domain: the domain that the task belongs to.
      metrics: the table's first.
    """

    title: str
    domain: str
    metrics: tuple[str, ...] = ("macro_f1", "accuracy")


MICRO = ("micro_f1", "macro_f1")  # RCT and ChemProt alone (Kang et al. 2024, App. C.5)
DOMAIN_TASKS = {
    "rct-20k": DomainTask("RCT", "biomedical", MICRO),
    "chemprot": DomainTask("ChemProt", "biomedical", MICRO),
    "citation_intent": DomainTask("ACL-ARC", "computer science"),
    "sciie": DomainTask("Sci-ERC", "computer science"),
    "hyperpartisan_news": DomainTask("HyperPartisan", "news"),
    "ag": DomainTask("AGNews", "news"),
    "amazon": DomainTask("Helpfulness", "reviews"),
    "imdb": DomainTask("IMDB", "reviews"),
}


def load(name: str, data_dir: str | os.PathLike) -> Task:
    """Returns the task in the folder `data_dir/name`, with the published splits: `dev` is validation, `test` is test.

    Args:
      name: one of `DOMAIN_TASKS`, or any other folder of that layout, scored by macro F1.
      data_dir: holds a folder a task, with `train.jsonl`, `dev.jsonl` and `test.jsonl` of `text` and `label`; other
        fields are ignored.

    Raises:
      ValueError: a file is missing or faulty, or has a label that `train.jsonl` has not.
    """
    folder = Path(data_dir).expanduser() / name
    missing = [f"{split}.jsonl" for split in SPLITS if not (folder / f"{split}.jsonl").is_file()]
    if missing:
        raise ValueError(
            f"{folder} has no {', '.join(missing)}; the tasks in {data_dir} are: {', '.join(available(data_dir)) or 'none'}. "
            f"Put the task's three files there, or name another data_dir."
        )
    metrics = DOMAIN_TASKS[name].metrics if name in DOMAIN_TASKS else DomainTask(name, "").metrics
    train, dev, test = (folder / f"{split}.jsonl" for split in SPLITS)
    return load_files(name, train, test, dev, metrics=metrics)


def available(data_dir: str | os.PathLike) -> list[str]:
    """Returns the names of the tasks whose three files lie in `data_dir`: the paper's in its order, then the rest sorted."""
    root = Path(data_dir).expanduser()
    folders = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
    whole = [name for name in folders if all((root / name / f"{split}.jsonl").is_file() for split in SPLITS)]
    return [name for name in DOMAIN_TASKS if name in whole] + [name for name in whole if name not in DOMAIN_TASKS]
